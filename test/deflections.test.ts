import { expect, onTestFinished, test } from 'vitest';
import { createDeflections, type Deflections, usualFamilies } from '../src/deflections.ts';
import { createDirectory } from '../src/directory.ts';
import { Failure } from '../src/errors.ts';
import type { PbxEvent, Snapshot } from '../src/pbx/events.ts';
import type { DeviceName, PbxState } from '../src/pbx/pbx.ts';
import { user } from './modules/harness.ts';
import { until } from './servers/until.ts';
import { keepLog } from './xmpp/setup.ts';

const directory = createDirectory([
  user('anna', '340', 'Anna'),
  user('bernd', '370', 'Bernd'),
  user('carla', '320', 'Carla'),
]);

/** Deflections over an AstDB that tests write, keys like `CF/340`; `listing: false` is an Asterisk without DBGetTree. */
function table(options: { listing?: boolean; denied?: boolean } = {}) {
  const database = new Map<string, string>();
  const lamps: string[] = [];
  const told: string[] = [];
  const dnd: string[] = [];
  let connected: (state: PbxState) => void = () => {};
  let asked = 0;
  /** Holds listings back until it resolves. */
  let gate: Promise<void> = Promise.resolve();
  let refused: Error | undefined;
  const deflections: Deflections = createDeflections({
    pbx: {
      state: { control: true, feed: true, reason: '' },
      onState(listener) {
        connected = listener;
        return () => {};
      },
      async dbFamily(family) {
        asked += 1;
        if (options.denied) throw new Failure('not-permitted', 'no');
        if (options.listing === false) return undefined;
        const found = [...database].filter(([key]) => key.startsWith(`${family}/`));
        await gate;
        return new Map(found.map(([key, value]) => [key.slice(family.length + 1), value]));
      },
      dbGet: async (family, key) => database.get(`${family}/${key}`),
      async dbPut(family, key, value) {
        if (refused !== undefined) throw refused;
        database.set(`${family}/${key}`, value);
      },
      dbDel: async (family, key) => void database.delete(`${family}/${key}`),
      async setDeviceState(device, state) {
        if (refused !== undefined) throw refused;
        lamps.push(`${device} ${state}`);
      },
    },
    families: usualFamilies,
    directory: () => directory,
    everyMs: 20,
    log: keepLog(),
    now: () => 1,
  });
  onTestFinished(() => deflections.stop?.());
  const note = (changes: readonly { kind: string }[]) => {
    for (const change of changes) {
      if (change.kind !== 'deflection') continue;
      const { extension, before, now } = change as never as {
        extension: string;
        before: Record<string, unknown>;
        now: Record<string, unknown>;
      };
      told.push(`${extension} ${before.always}→${now.always}`);
    }
  };
  deflections.onChange?.(note);
  deflections.onDoNotDisturb((extension) => dnd.push(extension));
  return {
    deflections,
    database,
    lamps,
    told,
    dnd,
    connect: () => connected({ control: true, feed: true, reason: '' }),
    apply: (event: PbxEvent) => note(deflections.apply(event, [])),
    asked: () => asked,
    hold() {
      let open = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
    refuse: (error: Error) => {
      refused = error;
    },
  };
}

const lamp = (name: string, state: string): PbxEvent => ({
  type: 'device-state',
  at: 0,
  device: name as DeviceName,
  state,
});
const snapshot = (...devices: readonly (readonly [string, string])[]): PbxEvent => {
  const named = new Map(devices.map(([name, state]) => [name as DeviceName, state]));
  const whole: Snapshot = { channels: [], bridges: [], devices: named, meanwhile: [] };
  return { type: 'snapshot', at: 0, snapshot: whole };
};
const starCode = (extension: string): PbxEvent => ({ type: 'deflection', at: 0, extension });

test('reads the families when both connections are up, tells everything once, and later what changed', async () => {
  const { deflections, database, told, dnd, connect } = table();
  database.set('DND/340', 'YES').set('DND/370', 'no').set('CF/370', '0170123').set('CFB/340', '320');
  connect();
  await until('it is read', () => deflections.of('340').doNotDisturb);
  expect(deflections.of('340')).toEqual({ always: '', busy: '320', noanswer: '', doNotDisturb: true });
  expect(deflections.of('370')).toMatchObject({ always: '0170123', doNotDisturb: false });
  expect([told.sort(), dnd]).toEqual([['320 →', '340 →', '370 →0170123'], ['340']]);
  database.delete('DND/340');
  database.set('DND/370', '1').set('CF/370', '320');
  await until('the change is seen', () => deflections.of('370').doNotDisturb);
  expect(told.slice(3).sort()).toEqual(['340 →', '370 0170123→320']);
  expect(deflections.of('340').doNotDisturb).toBe(false);
});

test('reads entry by entry where families cannot be listed', async () => {
  const { deflections, database, connect, asked } = table({ listing: false });
  database.set('DND/370', 'YES').set('CFU/340', '320');
  connect();
  await until('it is read', () => deflections.of('370').doNotDisturb);
  expect(deflections.of('340').noanswer).toBe('320');
  expect(asked()).toBe(4);
});

test('looks at once when the dialplan or a lamp says so', async () => {
  const { deflections, database, connect, apply } = table({ listing: false });
  connect();
  await deflections.refresh();
  database.set('CF/340', '370');
  apply(starCode('340'));
  await until('the star code is seen', () => deflections.of('340').always === '370');
  database.set('CF/370', '320').set('CF/999', '320');
  apply(lamp('Custom:CF370', 'BUSY'));
  apply(starCode('999'));
  await until('the lamp is seen', () => deflections.of('370').always === '320');
  expect(deflections.of('999').always).toBe('');
});

test('knows the lamps of FreePBX, in snapshots and at once, and lights them', async () => {
  const { deflections, dnd, apply, lamps, database } = table();
  apply(snapshot(['Custom:DND340', 'INUSE']));
  expect(deflections.of('340').doNotDisturb).toBe(true);
  apply(lamp('Custom:DND340', 'NOT_INUSE'));
  apply(lamp('Custom:DND340', 'NOT_INUSE'));
  apply(lamp('PJSIP/340', 'INUSE'));
  expect([deflections.of('340').doNotDisturb, dnd]).toEqual([false, ['340', '340']]);
  await deflections.setDoNotDisturb('340', true);
  await deflections.setDoNotDisturb('370', true);
  expect([lamps, [...database.keys()]]).toEqual([['Custom:DND340 BUSY'], ['DND/340', 'DND/370']]);
  await deflections.setDoNotDisturb('340', false);
  expect([deflections.of('340').doNotDisturb, lamps.at(-1)]).toEqual([false, 'Custom:DND340 NOT_INUSE']);
});

test('a lamp that cannot be switched does not undo what it stands for', async () => {
  const { deflections, database, apply, refuse } = table();
  database.set('DND/340', 'YES');
  apply(snapshot(['Custom:DND340', 'INUSE']));
  refuse(new Failure('not-permitted', 'no'));
  await deflections.setDoNotDisturb('340', false);
  expect([deflections.of('340').doNotDisturb, database.size]).toEqual([false, 0]);
});

test('does not ask again what it may not read, until the next connect', async () => {
  const { deflections, connect, asked } = table({ denied: true });
  connect();
  await deflections.refresh();
  await deflections.refresh();
  const once = asked();
  await deflections.refresh();
  expect(asked()).toBe(once);
});

test('what was read before a change does not undo it', async () => {
  const { deflections, database, connect, hold } = table();
  database.set('CF/340', '111');
  const open = hold();
  connect();
  await deflections.set('340', 'always', '222');
  await deflections.set('370', 'busy', '320');
  open();
  await deflections.refresh();
  await until('the reading is over', () => deflections.of('370').busy === '320');
  expect(deflections.of('340').always).toBe('222');
});

test.each([
  [[['340', 'always', '340']], 'to yourself'],
  [
    [
      ['340', 'always', '370'],
      ['370', 'always', '340'],
    ],
    '370 → 340 → 370',
  ],
  [
    [
      ['340', 'busy', '370'],
      ['370', 'noanswer', '320'],
      ['320', 'always', '340'],
    ],
    '320 → 340 → 370 → 320',
  ],
] as const)('refuses circles: %j', async (steps, why) => {
  const { deflections, database } = table();
  const last = steps.length - 1;
  for (const [index, [extension, type, target]] of steps.entries()) {
    const done = deflections.set(extension, type, target);
    if (index < last) await done;
    else await expect(done).rejects.toThrow(why);
  }
  expect(database.size).toBe(last);
});

test('refuses a circle of two that are set at the same moment, and forgets what failed', async () => {
  const { deflections, refuse } = table();
  const outcomes = await Promise.allSettled([
    deflections.set('340', 'always', '370'),
    deflections.set('370', 'always', '340'),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await deflections.set('340', 'always', '');
  refuse(new Failure('pbx-unavailable', 'away'));
  await expect(deflections.set('340', 'always', '370')).rejects.toThrow('away');
  expect(deflections.of('340').always).toBe('');
});

test('a chain may be as long as people like, and end outside', async () => {
  const { deflections } = table();
  await deflections.set('340', 'always', '370');
  await deflections.set('370', 'always', '320');
  await deflections.set('320', 'always', '0170123');
  expect(deflections.of('320').always).toBe('0170123');
});
