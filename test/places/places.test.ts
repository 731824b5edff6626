import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ChannelChange } from '../../src/calls/changes.ts';
import type { Change } from '../../src/changes.ts';
import { createDirectory, type Directory, type DirectorySource, type Place } from '../../src/directory.ts';
import { Failure } from '../../src/errors.ts';
import { handOver } from '../../src/handover.ts';
import type { Log } from '../../src/log.ts';
import type { ChannelId, DeviceName, Pbx, PbxState } from '../../src/pbx/pbx.ts';
import { createPlaces } from '../../src/places/places.ts';
import { entriesOf } from '../../src/places/ring.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { idleCalls, idlePbx } from '../idle.ts';
import { device, user, view } from '../modules/harness.ts';
import { until } from '../servers/until.ts';
import { keepLog } from '../xmpp/setup.ts';

const desks: readonly Place[] = ['Desk 1', 'Desk 2'].map((name, index) => ({
  name,
  devices: [device(name, `PJSIP/desk${index + 1}`)],
  open: undefined,
}));
const anna = user('anna', '340', 'Anna');
const bernd = user('bernd', '370', 'Bernd');

/** Places over an AstDB that tests write, keys like `OFFHOOK_SEAT/desk1`. */
function office(
  options: {
    store?: Store;
    listing?: boolean;
    pbx?: Partial<Pbx>;
    log?: Log;
    places?: readonly Place[];
  } = {},
) {
  const { store = createMemoryStore(), listing = true, log = keepLog() } = options;
  const database = new Map<string, string>();
  const told: string[] = [];
  let connected: (state: PbxState) => void = () => {};
  let current = createDirectory([anna, bernd], undefined, undefined, options.places ?? desks);
  let changed: (now: Directory, before: Directory) => void = () => {};
  const source: DirectorySource = {
    get current() {
      return current;
    },
    onChange(listener) {
      changed = listener;
      return () => {};
    },
    start: async () => {},
    stop: async () => {},
  };
  const pbx = idlePbx({
    onState(listener) {
      connected = listener;
      return () => {};
    },
    async dbFamily(family) {
      if (!listing) return undefined;
      const found = [...database].filter(([key]) => key.startsWith(`${family}/`));
      return new Map(found.map(([key, value]) => [key.slice(family.length + 1), value]));
    },
    dbGet: async (family, key) => database.get(`${family}/${key}`),
    dbPut: async (family, key, value) => void database.set(`${family}/${key}`, value),
    dbDel: async (family, key) => void database.delete(`${family}/${key}`),
    ...options.pbx,
  });
  const places = createPlaces({ source, store, pbx, ringSeconds: 30, log, now: () => 1 });
  places.onChange?.((changes: readonly Change[]) => {
    for (const change of changes) if (change.kind === 'seat') told.push(`${change.user} ${change.type}`);
  });
  const person = (name: string) => {
    const found = places.directory.current.byName(name);
    if (found === undefined) throw new Error(`no user ${name}`);
    return found;
  };
  return {
    places,
    database,
    told,
    store,
    relocate: (name: string, place: string) => places.relocate(person(name), place),
    devices: (name: string) => person(name).devices.map((each) => each.device),
    connect: () => connected({ control: true, feed: true, reason: '' }),
    become(next: Directory) {
      const before = current;
      current = next;
      changed(next, before);
    },
  };
}

test('seats survive a restart, and the dialplan is told again', async () => {
  const { relocate, store } = office();
  await relocate('anna', 'Desk 1');
  await relocate('bernd', 'Desk 2');
  await relocate('bernd', 'Desk 1');
  const later = office({ store });
  later.database.set('OFFHOOK_INTERNAL/340', 'PJSIP/nowhere,30');
  await later.places.start?.();
  expect([later.devices('anna'), later.devices('bernd')]).toEqual([
    ['PJSIP/340'],
    ['PJSIP/desk1', 'PJSIP/370'],
  ]);
  later.connect();
  const { database } = later;
  await until('it is told', () => database.get('OFFHOOK_SEAT/desk1') === '370:Bernd');
  await until('what is old is gone', () => !database.has('OFFHOOK_INTERNAL/340'));
  expect(database.get('OFFHOOK_EXTERNAL/370')).toBe('PJSIP/desk1&PJSIP/370,30');
  expect(database.has('OFFHOOK_SEAT/desk2')).toBe(false);
  expect(later.told).toEqual([]);
});

test('what is old goes even where families cannot be listed', async () => {
  const { database, places, connect } = office({ listing: false });
  database.set('OFFHOOK_INTERNAL/340', 'PJSIP/nowhere,30').set('OFFHOOK_SEAT/desk2', '340:Anna');
  await places.start?.();
  connect();
  await until('all is gone', () => database.size === 0);
});

test('a store that comes late does not undo who moved meanwhile', async () => {
  const store = createMemoryStore();
  const first = office({ store });
  await first.relocate('anna', 'Desk 1');
  await first.relocate('bernd', 'Desk 2');
  let away = true;
  let usable: (state: Store['state']) => void = () => {};
  const late: Store = {
    ...store,
    async loadFacts() {
      if (away) throw new Error('away');
      return store.loadFacts();
    },
    onState(listener) {
      usable = listener;
      return () => {};
    },
  };
  const { places, relocate, devices, database, connect } = office({ store: late });
  database.set('OFFHOOK_SEAT/desk2', '370:Bernd');
  await places.start?.();
  connect();
  await relocate('anna', 'Desk 2');
  // Nothing is known of Bernd yet, so nothing of his is taken away.
  expect(database.get('OFFHOOK_SEAT/desk2')).toBe('340:Anna');
  away = false;
  usable({ usable: true, pending: 0, reason: '' });
  await until('it is read', async () => (await store.loadFacts()).size === 1);
  expect([devices('anna'), devices('bernd')]).toEqual([['PJSIP/desk2', 'PJSIP/340'], ['PJSIP/370']]);
});

test('a place that the operator removes is nobody’s any more', async () => {
  const { relocate, become, told, devices, store } = office();
  await relocate('anna', 'Desk 1');
  become(createDirectory([anna, bernd], undefined, undefined, desks.slice(1)));
  expect([told.at(-1), devices('anna')]).toEqual(['anna@example.org logout', ['PJSIP/340']]);
  expect(await store.loadFacts()).toEqual(new Map());
});

test('a person leaves a place, with its telephones, to nobody', async () => {
  const { relocate, become, places } = office();
  await relocate('anna', 'Desk 1');
  become(createDirectory([bernd], undefined, undefined, desks));
  const { current } = places.directory;
  const [first] = current.places;
  expect(first && current.occupantOf(first)).toBeUndefined();
  expect(current.byDevice('PJSIP/desk1' as DeviceName)).toBeUndefined();
  expect(current.deviceOfChannel('PJSIP/desk1-00000001')).toBe('PJSIP/desk1');
});

test('a move that fails in the middle is taken back', async () => {
  let left = 2;
  const database = new Map<string, string>();
  const { relocate, devices } = office({
    pbx: {
      async dbPut(family, key, value) {
        left -= 1;
        if (left < 0) throw new Failure('rejected', 'no more room');
        database.set(`${family}/${key}`, value);
      },
      dbDel: async (family, key) => void database.delete(`${family}/${key}`),
    },
  });
  await expect(relocate('anna', 'Desk 1')).rejects.toThrow('no more room');
  expect([database.size, devices('anna')]).toEqual([0, ['PJSIP/340']]);
});

test('not more people than can be served wait for their turn', async () => {
  const places = Array.from(
    { length: 40 },
    (_, at): Place => ({ name: `D${at}`, devices: [], open: undefined }),
  );
  const people = places.map((_, at) => user(`u${at}`, `${400 + at}`, `U ${at}`));
  const { become, relocate } = office();
  become(createDirectory(people, undefined, undefined, places));
  const outcomes = await Promise.allSettled(people.map((_, at) => relocate(`u${at}`, `D${at}`)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
});

test('entries say when each device rings, and fit a line', () => {
  const late = { ...device('Mobile', 'PJSIP/mobile'), rings: { external: { delay: 5, timeout: 20 } } };
  const directory = createDirectory([
    user('anna', '340', 'Anna', { devices: [device('Desk', 'PJSIP/340'), late] }),
    bernd,
  ]);
  expect(entriesOf(directory, 25)).toEqual(
    new Map([
      ['OFFHOOK_INTERNAL/340', 'PJSIP/340&PJSIP/mobile,25'],
      ['OFFHOOK_EXTERNAL/340', 'PJSIP/340&Local/340e1@offhook-later,25'],
      ['OFFHOOK_LATER/340e1', '5,20,PJSIP/mobile,340'],
      ['OFFHOOK_QUEUE/340', 'PJSIP/340&PJSIP/mobile,25'],
    ]),
  );
  const many = Array.from({ length: 60 }, (_, at) => device(`D${at}`, `PJSIP/a-rather-long-name-${at}`));
  const crowded = createDirectory([user('anna', '340', 'Anna', { devices: [...many, late] })]);
  expect(Math.max(...[...entriesOf(crowded, 25).values()].map(({ length }) => length))).toBeLessThan(1000);
});

test('devices that do not fit are said to the operator, once', async () => {
  const many = Array.from({ length: 60 }, (_, at) => device(`D${at}`, `PJSIP/a-rather-long-name-${at}`));
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const { places, relocate, connect, database } = office({
    log,
    places: [{ name: 'Crowd', devices: many, open: undefined }],
  });
  await places.start?.();
  await relocate('anna', 'Crowd');
  database.clear();
  connect();
  await until('it is put up again', () => database.size > 0);
  await relocate('bernd', 'Crowd');
  await relocate('anna', 'Crowd');
  const said = lines.filter((line) => line.includes('more devices than the dialplan can be told of'));
  expect(said.map((line) => /"user":"(\w+)/.exec(line)?.[1])).toEqual(['anna', 'bernd', 'anna']);
  expect(said[0]).toMatch(/"devices":6\d,"rings":3\d,/);
});

test('calls on a telephone that becomes another’s end for one and begin for the other', async () => {
  const { places, relocate } = office();
  const before = places.directory.current;
  await relocate('anna', 'Desk 1');
  const sat = places.directory.current;
  await relocate('bernd', 'Desk 1');
  const taken = places.directory.current;
  const desk = { device: 'PJSIP/desk1' as DeviceName, channel: 'PJSIP/desk1-00000001' as ChannelId };
  const calls = idleCalls({ channels: () => [view({ ...desk, state: 'busy', held: true }), view()] });
  const said = (changes: readonly ChannelChange[]) =>
    changes.map(({ type, details, view: { channel } }) => `${channel} ${type} ${details}`);
  const sits = handOver(calls, sat, before, 1);
  expect([said(sits.before), said(sits.after)]).toEqual([
    [],
    ['PJSIP/desk1-00000001 busy ', 'PJSIP/desk1-00000001 hold '],
  ]);
  const takes = handOver(calls, taken, sat, 1);
  expect([said(takes.before), said(takes.after)]).toEqual([
    ['PJSIP/desk1-00000001 hangup moved'],
    ['PJSIP/desk1-00000001 busy ', 'PJSIP/desk1-00000001 hold '],
  ]);
});
