import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { modules } from '../../src/modules/index.ts';
import { offeredCommands, watchOffer } from '../../src/modules/offer.ts';
import type { Abilities, PbxState, Verb } from '../../src/pbx/pbx.ts';
import { xml } from '../../src/protocol/xml.ts';
import { defaultPolicy } from '../../src/rules/policy.ts';
import { idlePbx } from '../idle.ts';
import { api } from './harness.ts';

const boss = 'boss@example.org/desk';
const channel = 'PJSIP/340-00000001';

/** A telephone system that offers everything but what these verbs need. */
function without(...verbs: Verb[]): { abilities: Abilities } {
  const missing = new Set<Verb>(verbs);
  return { abilities: { known: true, lacks: (verb) => (missing.has(verb) ? [`Action of ${verb}`] : []) } };
}

describe('a command for which the telephone system lacks something', () => {
  it('is refused before anything is sent, with what is missing', async () => {
    const { ask, lacks, actions, audited } = api();
    lacks.set('park', ['Park']);
    expect(await ask(boss, 'base', xml('Park', { channel }))).toMatch(
      /code='not-available'><message>base\.Park does not work on this system, .* does not offer Park to the bridge: tell your administrator/,
    );
    expect(actions).toEqual([]);
    expect(audited).toMatchObject([{ command: 'base.Park', outcome: 'not-available' }]);
  });

  it('is not offered, and others are', () => {
    const offered = offeredCommands(modules, defaultPolicy, without('redirect'));
    expect(offered).toContain('base.Dial');
    expect(offered).not.toContain('base.Transfer');
    expect(offered).not.toContain('phone.Conference');
  });
});

describe('what an operator has not switched on', () => {
  const optional = [
    'base.DialFrom',
    'base.Listen',
    'phone.Conference',
    'phone.Notify',
    'xmppuser.InvokeCustomAction',
  ];

  it('is not offered', () => {
    const offered = new Set(offeredCommands(modules, defaultPolicy, without()));
    for (const command of optional) expect(offered).not.toContain(command);
    const on = offeredCommands(
      modules,
      {
        ...defaultPolicy,
        dialFrom: true,
        listen: { modes: new Set(['listen']), announce: undefined },
        notify: new Set(['reboot']),
        conferences: new Map([['800', '800']]),
        actions: new Map([
          [
            'door',
            {
              name: 'door',
              roles: new Set(['xmpp.connect'] as const),
              arguments: new Map(),
              effect: { kind: 'userEvent', event: 'Door' },
            },
          ],
        ]),
      },
      without(),
    );
    expect(on).toEqual(expect.arrayContaining(optional));
  });

  it.each(optional)('%s says that it is off', async (name) => {
    const { send } = api();
    const [module, command = ''] = name.split('.');
    const answer = await send(
      boss,
      xml('cmd', { xmlns: 'http://www.pascom.net/mobydick', module }, [xml(command, {})]),
    );
    expect(answer).toMatch(/code='not-available'><message>[A-Z].* on this system\./);
  });
});

it('nothing that needs the telephone system is promised before that was reached', () => {
  const abilities: Abilities = { known: false, lacks: () => [] };
  const offered = offeredCommands(modules, defaultPolicy, { abilities });
  expect(offered).toContain('xmppuser.ClientInfo');
  expect(offered).toContain('base.FindChannels');
  expect(offered).not.toContain('base.Dial');
});

describe('the log', () => {
  function watched() {
    let abilities = without().abilities;
    let tell: (state: PbxState) => void = () => {};
    const lines: { level: number; msg: string; commands?: Record<string, string[]> }[] = [];
    const pbx = idlePbx({
      abilities: {
        get known() {
          return abilities.known;
        },
        lacks: (verb) => abilities.lacks(verb),
      },
      onState(listener) {
        tell = listener;
        return () => {};
      },
    });
    watchOffer(
      modules,
      pbx,
      pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    );
    return {
      lines,
      connect(...verbs: Verb[]) {
        abilities = without(...verbs).abilities;
        tell({ control: false, feed: true, reason: 'away' });
        tell({ control: true, feed: true, reason: '' });
      },
    };
  }

  it('has one line about what is missing, however often the connection comes back', () => {
    const { lines, connect } = watched();
    connect('mute');
    connect('mute');
    expect(lines).toMatchObject([{ level: 40, commands: { 'base.Mute': ['Action of mute'] } }]);
    connect('mute', 'park');
    expect(Object.keys(lines[1]?.commands ?? {})).toEqual(['base.Park', 'base.Mute']);
    connect();
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({ level: 30 });
  });

  it('says nothing where nothing is missing', () => {
    const { lines, connect } = watched();
    connect();
    expect(lines).toEqual([]);
  });
});
