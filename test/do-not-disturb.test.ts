import { expect, onTestFinished, test } from 'vitest';
import { createDoNotDisturb } from '../src/do-not-disturb.ts';
import { Failure } from '../src/errors.ts';
import type { PbxEvent, Snapshot } from '../src/pbx/events.ts';
import type { DeviceName } from '../src/pbx/pbx.ts';
import { until } from './servers/until.ts';
import { keepLog } from './xmpp/setup.ts';

/** A table over an AstDB that tests write; `listing: false` is an Asterisk without DBGetTree. */
function table(options: { listing?: boolean; denied?: boolean } = {}) {
  const database = new Map<string, string>();
  const changed: string[] = [];
  let asked = 0;
  const dnd = createDoNotDisturb({
    pbx: {
      state: { control: true, feed: true, reason: '' },
      async dbFamily() {
        asked += 1;
        if (options.denied) throw new Failure('not-permitted', 'no');
        return options.listing === false ? undefined : new Map(database);
      },
      dbGet: async (_family, key) => database.get(key),
    },
    family: 'DND',
    extensions: () => ['340', '370'],
    onChange: (extension) => changed.push(extension),
    everyMs: 20,
    log: keepLog(),
  });
  onTestFinished(() => dnd.stop());
  const snapshot = (devices: readonly (readonly [string, string])[] = []): PbxEvent => {
    const named = new Map(devices.map(([name, state]) => [name as DeviceName, state]));
    const whole: Snapshot = { channels: [], bridges: [], devices: named, meanwhile: [] };
    return { type: 'snapshot', at: 0, snapshot: whole };
  };
  const lamp = (name: string, state: string): PbxEvent => ({
    type: 'device-state',
    at: 0,
    device: name as DeviceName,
    state,
  });
  return { dnd, database, changed, snapshot, lamp, asked: () => asked };
}

test('reads the family after a snapshot, and sees later changes', async () => {
  const { dnd, database, changed, snapshot } = table();
  database.set('340', 'YES').set('370', 'no');
  dnd.apply(snapshot());
  await until('it is read', () => dnd.of('340'));
  expect([dnd.of('370'), changed]).toEqual([false, ['340']]);
  database.delete('340');
  database.set('370', '1');
  await until('the change is seen', () => dnd.of('370') && !dnd.of('340'));
});

test('reads entry by entry where the family cannot be listed', async () => {
  const { dnd, database, snapshot, asked } = table({ listing: false });
  database.set('370', 'YES');
  dnd.apply(snapshot());
  await until('it is read', () => dnd.of('370'));
  expect([dnd.of('340'), asked()]).toEqual([false, 1]);
});

test('knows the lamps of FreePBX, in snapshots and at once', () => {
  const { dnd, changed, snapshot, lamp } = table();
  dnd.apply(snapshot([['Custom:DND340', 'INUSE']]));
  expect(dnd.of('340')).toBe(true);
  dnd.apply(lamp('Custom:DND340', 'NOT_INUSE'));
  dnd.apply(lamp('Custom:DND340', 'NOT_INUSE'));
  dnd.apply(lamp('PJSIP/340', 'INUSE'));
  expect([dnd.of('340'), changed]).toEqual([false, ['340', '340']]);
});

test('does not ask again what it may not read, until the next snapshot', async () => {
  const { dnd, snapshot, asked } = table({ denied: true });
  dnd.apply(snapshot());
  await dnd.refresh();
  await dnd.refresh();
  expect(asked()).toBe(1);
});
