/**
 * Ten thousand telephones with fifty watchers each, on a real Prosody: what the subscriptions take in memory, how fast
 * everybody is told after a restart compared with what the server can do, and what one change costs.
 */
import { cpus } from 'node:os';
import { pino } from 'pino';
import { createDirectory, type DirectorySource } from '../src/directory.ts';
import type { DeviceName } from '../src/pbx/pbx.ts';
import { createPresence, type PresenceSettings } from '../src/presence/presence.ts';
import { type BareJid, type Jid, parseJid } from '../src/protocol/jid.ts';
import { xml } from '../src/protocol/xml.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createComponent } from '../src/xmpp/component.ts';
import { PING_NS } from '../src/xmpp/namespaces.ts';
import { servePing } from '../src/xmpp/ping.ts';
import { watchPrivileges } from '../src/xmpp/privilege.ts';
import { deflectionsOver, idleCalls, idlePbx } from '../test/idle.ts';
import { startProsody } from '../test/servers/prosody.ts';
import { until } from '../test/servers/until.ts';

const telephones = 10_000;
const watchersEach = 50;
/** Every fifth watcher is online, once that is known. */
const everyNth = 5;
const total = telephones * watchersEach;
const domain = 'example.test';
const component = { jid: `pbx.${domain}`, secret: 'bench' };
/** Share of what the server can route that presence may take, so that all else goes on. */
const share = 0.8;

const megabytes = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
};

const directory = createDirectory(
  Array.from({ length: telephones }, (_, at) => ({
    name: `user${at}`,
    jid: `user${at}@${domain}` as BareJid,
    fullName: `User ${at}`,
    extension: `${10_000 + at}`,
    devices: [
      {
        name: `Phone ${at}`,
        device: `PJSIP/${10_000 + at}` as DeviceName,
        dialString: `PJSIP/${10_000 + at}`,
        type: 'hardphone',
        capabilities: new Set<never>(),
        number: '',
      },
    ],
    mailbox: '',
    faxExtension: '',
    pickupGroups: new Set<string>(),
    callGroups: new Set<string>(),
    groups: new Set<string>(),
    queues: [],
    roles: new Set(['xmpp.connect'] as const),
    ids: {},
    location: '',
    context: undefined,
    language: '',
  })),
);
const source: DirectorySource = {
  current: directory,
  onChange: () => () => {},
  start: async () => {},
  stop: async () => {},
};
const states = new Map<string, string>();
const calls = idleCalls({ deviceState: (device) => states.get(device) ?? 'NOT_INUSE' });
const pbx = idlePbx();
const settings: PresenceSettings = {
  contacts: true,
  ownResource: false,
  activity: false,
  visibility: { rule: 'domain', list: [] },
  follows: () => false,
  perSecond: 1,
  maxWatches: 2_000_000,
  gatherMs: 50,
  lossMs: 5000,
  rostersEveryMs: 600_000,
};
const log = pino({ level: 'error' });

const server = await startProsody({ domain, users: [], component, privilege: true });
const xmpp = createComponent({
  service: `xmpp://${server.host}:${server.componentPort}`,
  domain: component.jid,
  secret: component.secret,
  log,
});
servePing(xmpp);
const privileges = watchPrivileges(xmpp, [domain], log);
const ping = () => xmpp.request(`${component.jid}/bench`, 'get', xml('ping', { xmlns: PING_NS }), 120_000);

/** What the server routes: stanzas of ours to accounts, a ping behind them. */
async function capacity(count: number): Promise<number> {
  const began = performance.now();
  for (let at = 0; at < count; at += 1)
    xmpp.send(`<presence from='user${at}@${component.jid}/phone' to='user${at}@${domain}'/>`);
  await ping();
  return (count / (performance.now() - began)) * 1000;
}

/** Who is connected; undefined while the server does not say. */
let present: readonly Jid[] | undefined;

try {
  await xmpp.start();
  await capacity(2000);
  const routed = await capacity(30_000);
  const store = createMemoryStore();
  const before = megabytes();
  const presence = createPresence({
    settings: { ...settings, perSecond: Math.floor(routed * share) },
    xmpp,
    privileges: { of: () => undefined, onChange: privileges.onChange },
    pbx,
    calls,
    doNotDisturb: deflectionsOver(pbx, () => source.current),
    directory: source,
    // The store's own memory is not what is measured here.
    store: {
      ...store,
      loadWatches: async () =>
        Array.from({ length: total }, (_, at) => ({
          contact: `user${at % telephones}@${component.jid}` as BareJid,
          watcher: `user${(at * 7919 + Math.floor(at / telephones)) % telephones}@${domain}` as BareJid,
        })),
    },
    domains: [domain],
    rosters: { read: async () => [], write: async () => {} },
    fillRosters: undefined,
    connected: async () => {
      if (present === undefined) throw new Error('nobody knows');
      return present;
    },
    log,
    monotonic: () => performance.now(),
  });
  presence.apply(
    {
      type: 'snapshot',
      at: 0,
      snapshot: { channels: [], bridges: [], devices: new Map(), meanwhile: [] },
    },
    [],
  );
  const restoring = performance.now();
  await presence.start();
  const restored = performance.now() - restoring;
  const held = megabytes() - before;
  const { watches } = presence.counters;
  const pings: number[] = [];
  const began = performance.now();
  const cpu = process.cpuUsage();
  await until('it is under way', () => presence.counters.sent > 0, 30);
  while (presence.counters.waiting > 0) {
    const asked = performance.now();
    await ping();
    pings.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ping();
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const { sent } = presence.counters;
  pings.sort((a, b) => a - b);
  const at = (part: number) => (pings[Math.floor(pings.length * part)] ?? Number.NaN).toFixed(0);
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${server.version}`);
  console.log(
    `the server routes ${routed.toFixed(0)} of these stanzas a second; presence may take ${share * 100} %`,
  );
  console.log(
    `${watches} subscriptions: restored in ${restored.toFixed(0)} ms, ${held.toFixed(0)} MB (${((held * 1e6) / watches).toFixed(0)} bytes each)`,
  );
  console.log(
    `all told after a restart: ${sent} stanzas in ${seconds.toFixed(1)} s = ${(sent / seconds).toFixed(0)}/s, ${((sent / seconds / routed) * 100).toFixed(0)} % of what the server can do`,
  );
  console.log(
    `meanwhile a ping through the server took ${at(0.5)} ms (median), ${at(0.99)} ms (99 %); our CPU ${(((used.user + used.system) / 1e6 / seconds) * 100).toFixed(0)} % of one core`,
  );

  present = directory.users
    .filter((_, n) => n % everyNth === 0)
    .flatMap(({ jid }) => parseJid(`${jid}/desk`) ?? []);
  await server.restart();
  await until('the restart is noticed', () => presence.counters.waiting > 0, 60);
  await until('everybody who is online is told', () => presence.counters.waiting === 0, 300);
  await ping();
  const again = presence.counters.sent - sent;
  states.set('PJSIP/10000', 'INUSE');
  const device = 'PJSIP/10000' as DeviceName;
  presence.apply({ type: 'device-state', at: 0, device, state: 'INUSE' }, [
    { kind: 'device', device, state: 'INUSE', at: 0 },
  ]);
  await until('the change is told', () => presence.counters.waiting === 0);
  console.log(
    `where the server says who is online (1 of ${everyNth}): ${again} stanzas after a restart, ${presence.counters.sent - sent - again} for one change of a telephone with ${watchersEach} watchers`,
  );
  await presence.stop(0);
} finally {
  await xmpp.stop(0);
  await server.stop();
}
