import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf } from '../src/pbx/abilities.ts';
import type { ChannelId, DeviceName, Pbx, Verb } from '../src/pbx/pbx.ts';
import { adapter } from './pbx/adapter.ts';
import { type AsteriskServer, startAsterisk } from './servers/index.ts';

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'docs/ami-rights.md'), 'utf8');
const documented = [...text.matchAll(/^\| `(\w+)`\s+\| ([^|]+?)\s+\| /gm)].map(
  ([, action = '', classes = '']) => [action, classes.match(/\w+(?=`)/g) ?? []] as const,
);
const level = (name: string) => readFileSync(join(root, `deploy/asterisk/levels/${name}.conf`), 'utf8');
const writeOf = (name: string) => /^write = (.*)$/m.exec(level(name))?.[1] ?? '';
const levels = ['basic', 'office', 'full'] as const;

let pbx: AsteriskServer;
beforeAll(async () => {
  const managers = levels.map((name) => ({
    username: name,
    secret: `${name}-secret`,
    read: 'call',
    write: writeOf(name),
  }));
  pbx = await startAsterisk({ managers });
});
afterAll(() => pbx?.stop());

it('docs/ami-rights.md says of every action what Asterisk says', async () => {
  expect(documented.length).toBeGreaterThan(20);
  for (const [action, classes] of documented) {
    const said = await pbx.cli(`manager show command ${action}`);
    expect(said, action).toContain(action);
    const privilege = /\[Privilege\]\s*\n\s*(.*)/.exec(said)?.[1] ?? 'not told';

    const own = privilege.split(',').filter((each) => each !== 'all' && each !== '' && each !== '<none>');
    expect([action, own.sort()]).toEqual([action, [...classes].sort()]);
  }
});

it('docs/ami-rights.md has every action that the bridge uses', () => {
  const known = documented.map(([action]) => action);
  expect(known).toEqual(expect.arrayContaining([...new Set(Object.values(actionsOf).flat())]));
});

/** What each level cannot do, of what the commands need. */
const lacking: Record<(typeof levels)[number], readonly Verb[]> = {
  basic: ['mute', 'notify', 'conferences', 'userEvent'],
  office: ['mute', 'notify', 'userEvent'],
  full: [],
};

describe('the levels of deploy/asterisk/levels', () => {
  const nowhere = 'PJSIP/340-ffffffff' as ChannelId;
  const desk = 'PJSIP/340' as DeviceName;
  const basics = (on: Pbx) => [
    on.hangup(nowhere),
    on.blindTransfer(nowhere, 'internal', '320'),
    on.redirect(nowhere, 'internal', '320'),
    on.attendedTransfer(nowhere, 'internal', '320'),
    on.cancelTransfer(nowhere),
    on.consults(nowhere),
    on.join(nowhere, nowhere),
    on.park(nowhere, nowhere),
    on.sendDigits(nowhere, '1', 'sent'),
    on.conferenceKick('800', nowhere),
  ];
  const system = (on: Pbx) => [
    on.mute(nowhere, 'in', true),
    on.notify(desk, 'hold', nowhere),
    on.userEvent('Test', new Map([['User', 'x']])),
    on.endpoints(),
  ];
  const codes = async (work: readonly Promise<unknown>[]) =>
    (await Promise.allSettled(work)).map((each) => (each.status === 'rejected' ? each.reason.code : 'ok'));

  it.each(levels)('%s can do what is said of it, and no more', async (name) => {
    const on = adapter(pbx.amiPort, {
      control: { username: name, secret: `${name}-secret` },
      feed: pbx.managers.feed,
    });
    await on.start();
    try {
      expect(on.abilities.known).toBe(true);
      for (const verb of [
        'mute',
        'notify',
        'conferences',
        'userEvent',
        'originate',
        'park',
        'join',
      ] as const) {
        const missing = on.abilities.lacks(verb);
        expect([verb, missing]).toEqual([verb, lacking[name].includes(verb) ? actionsOf[verb] : []]);
      }
      expect(await codes(basics(on))).not.toContain('not-permitted');
      const rest = await codes(system(on));
      if (name === 'full') expect(rest).not.toContain('not-permitted');
      else expect(new Set(rest)).toEqual(new Set(['not-permitted']));
      const rooms = on.conferences().then(() => 'ok');
      expect(await rooms.catch((error) => error.code)).toBe(name === 'basic' ? 'not-permitted' : 'ok');
      if (name === 'basic') {
        const complaint = on.logged
          .filter((line) => line.includes("'write =' line of manager.conf"))
          .join('');
        expect(complaint).toContain('"account":"basic"');
        expect(complaint).toContain('ConfbridgeListRooms');
      }
    } finally {
      await on.stop();
    }
  });
});
