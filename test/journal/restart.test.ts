/** Calls that go on over a restart of the bridge, and end meanwhile. */
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bridge, createBridge } from '../../src/bridge.ts';
import { callsOf } from '../../src/directory/calls.ts';
import { decodeEntry } from '../../src/journal/entry.ts';
import { modules } from '../../src/modules/index.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store, StoreState } from '../../src/store/store.ts';
import { deflectionsOver, fixed, idlePbx, idlePresence, idleXmpp, placesOver } from '../idle.ts';
import { until } from '../servers/until.ts';
import * as usual from '../settings.ts';
import { directory, eventsOf, jidOf } from './office.ts';

const nobody = { channels: [], bridges: [], devices: new Map(), meanwhile: [] };
const running: Bridge[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((bridge) => bridge.stop()));
});

/** Starts a bridge that nobody has a session with; resolves with what takes its events. */
async function start(store: Store): Promise<(event: PbxEvent) => void> {
  let take = (_: PbxEvent): void => expect.fail('nobody listens');
  const pbx = idlePbx({
    onEvent(listener) {
      take = listener;
    },
  });
  const source = fixed(directory);
  const bridge = createBridge({
    modules,
    xmpp: idleXmpp(),
    pbx,
    store,
    calls: callsOf(() => directory),
    audit: () => {},
    webhook: async () => {},
    presence: idlePresence(),
    deflections: deflectionsOver(pbx, () => directory),
    places: placesOver(source, pbx),
    directory: source,
    domains: ['example.org'],
    journal: usual.journal,
    phonebook: usual.phonebook,
    settings: usual.settings,
    askPresence: false,
    limits: usual.limits,
    log: pino({ level: 'silent' }),
    now: Date.now,
    monotonic: () => performance.now(),
  });
  running.push(bridge);
  await bridge.start();
  return take;
}

/** A bridge before the one in question: it saw Anna and Bernd talk, and was alive last when they had done so for seven seconds. */
async function earlier(): Promise<Store> {
  const store = createMemoryStore();
  const take = await start(store);
  const events = eventsOf('01_');
  const answered = events.findIndex(({ type }) => type === 'hangup');
  for (const event of events.slice(0, answered)) take(event);
  await until('both channels are kept', async () => (await store.loadCalls()).size === 2);
  await running.pop()?.stop();
  const [memory = ''] = (await store.loadCalls()).values();
  const since = Number(/"busySince":(\d+)/.exec(memory)?.[1]);
  store.saveFact('journal-alive', String(since + 7000));
  return store;
}

async function entriesOf(store: Store, extension: string) {
  const page = await store.ledger('journal').read(jidOf(extension), { limit: 10 });
  return page.flatMap(({ id, at, text }) => decodeEntry(id, at, text) ?? []);
}
const talked = { result: 'hangup', connected: 7, certain: false };

describe('a call that ended while there was no bridge is in the journal, though nobody watched it', () => {
  it('as long as an earlier bridge knew of it', async () => {
    const store = await earlier();
    const take = await start(store);
    take({ type: 'snapshot', at: Date.now() + 60_000, snapshot: nobody });
    await until('it is entered', async () => (await entriesOf(store, '370')).length === 1);
    expect(await entriesOf(store, '340')).toMatchObject([{ ...talked, inbound: false, number: '370' }]);
    expect(await entriesOf(store, '370')).toMatchObject([{ ...talked, inbound: true, number: '340' }]);
    await until('nothing is kept of it', async () => (await store.loadCalls()).size === 0);
  });

  it('where the store comes only after the state of the telephone system', async () => {
    const store = await earlier();
    const away = () => Promise.reject(new Error('away'));
    const tell: ((state: StoreState) => void)[] = [];
    const late: Store = {
      ...store,
      loadSessions: away,
      loadCalls: away,
      loadFacts: away,
      onState(listener) {
        tell.push(listener);
        return () => {};
      },
    };
    const take = await start(late);
    take({ type: 'snapshot', at: Date.now() + 60_000, snapshot: nobody });
    const { loadSessions, loadCalls, loadFacts } = store;
    Object.assign(late, { loadSessions, loadCalls, loadFacts });
    for (const each of tell) each({ usable: true, pending: 0, reason: '' });
    await until('it is entered', async () => (await entriesOf(store, '370')).length === 1);
    expect(await entriesOf(store, '340')).toMatchObject([{ ...talked, inbound: false, number: '370' }]);
    expect(await entriesOf(store, '370')).toMatchObject([{ ...talked, inbound: true, number: '340' }]);
  });
});
