import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { ChannelId, DeviceName, Originate, Pbx } from '../../src/pbx/pbx.ts';
import { until } from '../servers/until.ts';
import { type Adapter, adapter } from './adapter.ts';
import { hostile } from './hostile.ts';
import { startWire, type Wire } from './wire.ts';

let wire: Wire;
let pbx: Adapter;

beforeAll(async () => {
  wire = await startWire();
  // No ping comes between the actions that are counted.
  pbx = adapter(wire.port, { limits: { pingMs: 600_000, beginMs: 0 } });
  await pbx.start();
});

afterAll(async () => {
  await pbx.stop();
  await wire.stop();
});

const call: Originate = {
  uniqueId: 'hostile-1',
  device: 'PJSIP/340',
  context: 'internal',
  exten: '370',
  callerName: 'Anna Müller',
  callerNumber: '340',
  ringMs: 30_000,
};
const channel = 'PJSIP/340-00000001' as ChannelId;

/** The action left, and the wire has no telephones that it could move. */
const sentInVain = (error: unknown) => {
  if (!(error instanceof Failure && /did not (begin|end)/.test(error.message))) throw error;
};

/** A channel is joined with one other at a time: nothing is sent until what was under way is over, be it in vain. */
async function afterOthers(join: () => Promise<void>): Promise<void> {
  const failure = await until('the channel is free', async () => {
    const outcome = await join().then(
      () => null,
      (error: unknown) => error,
    );
    const isBusy = outcome instanceof Failure && /has changed in the meantime/.test(outcome.message);
    return isBusy ? false : { outcome };
  });
  if (failure.outcome !== null) throw failure.outcome;
}

/** Every place where a string from outside could end up, with the header it belongs to. */
const places: Record<string, { header: string; run: (pbx: Pbx, value: string) => Promise<unknown> }> = {
  'originate unique id': { header: 'channelid', run: (to, uniqueId) => to.originate({ ...call, uniqueId }) },
  'originate device': { header: 'channel', run: (to, device) => to.originate({ ...call, device }) },
  'originate context': { header: 'context', run: (to, context) => to.originate({ ...call, context }) },
  'originate exten': { header: 'exten', run: (to, exten) => to.originate({ ...call, exten }) },
  'originate name': { header: 'callerid', run: (to, callerName) => to.originate({ ...call, callerName }) },
  'originate number': {
    header: 'callerid',
    run: (to, callerNumber) => to.originate({ ...call, callerNumber }),
  },
  hangup: { header: 'channel', run: (to, value) => to.hangup(value as ChannelId) },
  'transfer channel': {
    header: 'channel',
    run: (to, value) => to.blindTransfer(value as ChannelId, 'internal', '370'),
  },
  'transfer context': { header: 'context', run: (to, value) => to.blindTransfer(channel, value, '370') },
  'transfer exten': { header: 'exten', run: (to, value) => to.blindTransfer(channel, 'internal', value) },
  'redirect channel': {
    header: 'channel',
    run: (to, value) => to.redirect(value as ChannelId, 'internal', '370'),
  },
  'redirect context': { header: 'context', run: (to, value) => to.redirect(channel, value, '370') },
  'pickup channel': { header: 'data', run: (to, value) => to.pickup(call, value as ChannelId) },
  'consult channel': {
    header: 'channel',
    run: (to, value) => to.attendedTransfer(value as ChannelId, 'internal', '370').catch(sentInVain),
  },
  'consult context': {
    header: 'context',
    run: (to, value) => to.attendedTransfer(channel, value, '370').catch(sentInVain),
  },
  'consult exten': {
    header: 'exten',
    run: (to, value) => to.attendedTransfer(channel, 'internal', value).catch(sentInVain),
  },
  'cancel channel': {
    header: 'channel',
    run: (to, value) => to.cancelTransfer(value as ChannelId).catch(sentInVain),
  },
  'join channel': {
    header: 'channel2',
    run: (to, value) => afterOthers(() => to.join(channel, value as ChannelId)),
  },
  'mute channel': { header: 'channel', run: (to, value) => to.mute(value as ChannelId, 'in', true) },
  'digits channel': { header: 'channel', run: (to, value) => to.sendDigits(value as ChannelId, '1', 'sent') },
  'notify channel': {
    header: 'channel',
    run: (to, value) => to.notify('PJSIP/340' as DeviceName, 'hold', value as ChannelId),
  },
  'notify template': {
    header: 'option',
    run: (to, value) => to.notify('PJSIP/340' as DeviceName, { template: value }),
  },
  'room of a kick': { header: 'conference', run: (to, value) => to.conferenceKick(value, channel) },
  'value of a user event': {
    header: 'arg',
    run: (to, value) => to.userEvent('Door', new Map([['Arg', value]])),
  },
  'redirect exten': { header: 'exten', run: (to, value) => to.redirect(channel, 'internal', value) },
};

const headersOf: Record<string, readonly string[]> = {
  Originate: [
    'action',
    'actionid',
    'async',
    'callerid',
    'channel',
    'channelid',
    'context',
    'exten',
    'priority',
    'timeout',
  ],
  Hangup: ['action', 'actionid', 'channel'],
  BlindTransfer: ['action', 'actionid', 'channel', 'context', 'exten'],
  'Originate data': [
    'action',
    'actionid',
    'application',
    'async',
    'callerid',
    'channel',
    'channelid',
    'data',
    'timeout',
  ],
  'PJSIPNotify channel': ['action', 'actionid', 'channel', 'variable'],
  'PJSIPNotify option': ['action', 'actionid', 'endpoint', 'option'],
  Atxfer: ['action', 'actionid', 'channel', 'context', 'exten'],
  CancelAtxfer: ['action', 'actionid', 'channel'],
  Bridge: ['action', 'actionid', 'channel1', 'channel2', 'tone'],
  MuteAudio: ['action', 'actionid', 'channel', 'direction', 'state'],
  PlayDTMF: ['action', 'actionid', 'channel', 'digit'],
  ConfbridgeKick: ['action', 'actionid', 'channel', 'conference'],
  UserEvent: ['action', 'actionid', 'arg', 'userevent'],
  Redirect: ['action', 'actionid', 'channel', 'context', 'exten', 'priority'],
};

/** What the control connection has received since, cut into actions by the rules of manager.c. */
function actionsAfter(before: number) {
  const control = wire.peers.find(({ user }) => user === 'control');
  const text = control?.received().slice(before) ?? '';
  expect(text.endsWith('\r\n\r\n')).toBe(true);
  return text
    .slice(0, -4)
    .split('\r\n\r\n')
    .map((part) => part.split('\r\n'));
}

const length = () => wire.peers.find(({ user }) => user === 'control')?.received().length ?? 0;

describe.each(Object.entries(places))('hostile strings: %s', (_, { header, run }) => {
  it('leave as exactly one well-formed action, or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (value) => {
        const before = length();
        const outcome = await run(pbx, value).then(
          () => 'sent',
          (error: unknown) => (error instanceof Failure ? error.code : error),
        );
        expect(outcome).toBeOneOf(['sent', 'invalid-target']);
        // What follows on the same connection shows that nothing else is under way.
        await pbx.hangup('PJSIP/sentinel-1' as ChannelId);
        const all = actionsAfter(before);
        for (const line of all.flat()) {
          expect(line).toMatch(/^[A-Z][A-Za-z0-9]+: [^\r\n\0]*$/u);
          expect(Buffer.byteLength(line)).toBeLessThan(1022);
        }
        // Whether the dialplan has the number is asked before.
        const questions = all.filter((each) => each.some((line) => /^action: Getvar$/i.test(line)));
        for (const question of questions)
          expect(question.find((line) => /^variable:/i.test(line))).toMatch(
            /^variable: DIALPLAN_EXISTS\([A-Za-z0-9_.-]+,[A-Za-z0-9*#+._-]+,1\)$/i,
          );
        const actions = all.filter((each) => !questions.includes(each));
        expect(actions).toHaveLength(outcome === 'sent' ? 2 : 1);
        expect(actions.at(-1)).toContain('Channel: PJSIP/sentinel-1');
        if (outcome !== 'sent') return;
        const lines = actions[0] ?? [];
        const headers = new Map(
          lines.map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 2),
          ]),
        );
        const name = headers.get('action') ?? '';
        expect([...headers.keys()].sort()).toEqual(headersOf[`${name} ${header}`] ?? headersOf[name]);
        expect(lines).toHaveLength(headers.size);
        const arrived = headers.get(header) ?? '';
        if (header === 'callerid') expect(arrived).toMatch(/^"[^"]*" <[A-Za-z0-9*#+._-]+>$/u);
        else expect(arrived).toBe(value);
        if (header === 'channel') expect(arrived).toMatch(/^[A-Za-z][A-Za-z0-9_]*\/[^\s&,|<>"'$]+$/u);
        if (header === 'exten' || header === 'context') expect(arrived).toMatch(/^[A-Za-z0-9*#+._-]+$/);
      }),
      { numRuns: 250 },
    );
  });
});

describe('caller IDs', () => {
  it.each([
    ['Anna Müller', '"Anna Müller" <340>'],
    ['Anna "the boss" <911>, Ms', `"Anna 'the boss' <911>, Ms" <340>`],
    ['"', `"'" <340>`],
    ['', '"" <340>'],
    ['ü'.repeat(50), `"${'ü'.repeat(39)}" <340>`],
  ])('%s', async (callerName, expected) => {
    await pbx.originate({ ...call, callerName });
    expect(wire.sent.at(-1)?.headers.get('callerid')).toBe(expected);
  });
});
