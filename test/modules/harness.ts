/** The API without neighbours: real dispatch, sessions, subscriptions and publishing over ports that tests can see into. */

import { pino } from 'pino';
import type { Archive } from '../../src/archive/archive.ts';
import type { CallChange, ChannelView } from '../../src/calls/changes.ts';
import type { Change } from '../../src/changes.ts';
import {
  createDirectory,
  type Device,
  type Directory,
  type DirectorySource,
  type Place,
  type UserRecord,
} from '../../src/directory.ts';
import { createDispatch } from '../../src/dispatch.ts';
import { createModels, everyModel, type ModelsOptions } from '../../src/models.ts';
import type { Module, Settings } from '../../src/modules/define.ts';
import { modules as allModules } from '../../src/modules/index.ts';
import type { Keeping } from '../../src/monitor/monitor.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type {
  ChannelId,
  Conference,
  DeviceName,
  ParkedCall,
  Pbx,
  QueueCounters,
  RecordingHandle,
} from '../../src/pbx/pbx.ts';
import { CMD_NS } from '../../src/protocol/envelope.ts';
import { type BareJid, parseJid } from '../../src/protocol/jid.ts';
import { serialize, type XmlElement, xml } from '../../src/protocol/xml.ts';
import { createPublish } from '../../src/publish.ts';
import { createRateLimit } from '../../src/rate.ts';
import type { AuditEntry } from '../../src/rules/audit.ts';
import { defaultPolicy, type Policy } from '../../src/rules/policy.ts';
import { createRules } from '../../src/rules/rules.ts';
import { createSessions } from '../../src/sessions.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { createSubscriptionIndex } from '../../src/subscriptions/index.ts';
import type { Delivery } from '../../src/webhook.ts';
import { deflectionsOver, idleCalls, idlePbx, placesOver } from '../idle.ts';
import {
  journal as bridgeJournal,
  phonebook as bridgePhonebook,
  settings as bridgeSettings,
} from '../settings.ts';

/** A telephone of the test directory. */
export function device(
  name: string,
  endpoint: string,
  capabilities: Device['capabilities'] = new Set(['dial']),
): Device {
  const named = endpoint as DeviceName;
  return { name, device: named, dialString: endpoint, type: 'hardphone', capabilities, number: '' };
}

/** A user of the test directory; `changes` replace what is usual. */
export function user(
  name: string,
  extension: string,
  fullName: string,
  changes: Partial<UserRecord> = {},
): UserRecord {
  return {
    name,
    jid: `${name}@example.org` as BareJid,
    fullName,
    extension,
    devices: [device(`Desk ${extension}`, `PJSIP/${extension}`)],
    mailbox: `${extension}@default`,
    faxExtension: '',
    pickupGroups: new Set(['office']),
    callGroups: new Set(['office']),
    groups: new Set(),
    queues: [],
    roles: new Set(['xmpp.connect']),
    ids: {},
    location: fullName,
    context: undefined,
    language: '',
    ...changes,
  };
}

const people = [
  user('tweber', '340', 'Thomas Weber', {
    devices: [
      device('Desk 340', 'PJSIP/340', new Set(['dial', 'hangup', 'hold'])),
      device('Softphone', 'PJSIP/341'),
      device('Door', 'PJSIP/342', new Set()),
    ],
  }),
  user('mmeyer', '370', 'Max Meyer'),
  user('boss', '320', 'Bea Boss', { roles: new Set(['xmpp.connect', 'xmpp.supervisor']) }),
  user('nophone', '399', 'Nora Nophone', { devices: [], mailbox: '' }),
];

/** Places that people of the test directory may sit down at. */
const offered: readonly Place[] = [
  { name: 'Desk 1', devices: [device('Phone of desk 1', 'PJSIP/desk1')], open: undefined },
  {
    name: 'Reception',
    devices: [device('Reception', 'PJSIP/reception')],
    open: { users: new Set(['mmeyer']), groups: new Set(['Front']) },
  },
];

/** A channel view; `changes` replace what is usual: 340 is rung by 370. */
export function view(changes: Partial<ChannelView> = {}): ChannelView {
  return {
    channel: 'PJSIP/340-00000001' as ChannelId,
    uniqueId: '1.1',
    call: '1.0',
    device: 'PJSIP/340' as DeviceName,
    outbound: false,
    own: { number: '340', name: 'Thomas Weber' },
    other: { number: '370', name: 'Max Meyer' },
    dialed: '',
    otherDevice: 'PJSIP/370' as DeviceName,
    state: 'ringing',
    held: false,
    remoteHeld: false,
    busySince: 0,
    refChannel: 'PJSIP/370-00000000' as ChannelId,
    service: '',
    queue: '',
    from: { number: '', name: '' },
    since: 1000,
    takes: false,
    ...changes,
  };
}

/** A parked call: 370 waits at 701. */
export function parkedCall(channel: ChannelId, changes: Partial<ParkedCall> = {}): ParkedCall {
  const caller = { callerName: 'Max Meyer', callerNumber: '370' };
  const parked = { channel, uniqueId: '1.0', parker: 'PJSIP/340' };
  return { space: '701', lot: 'default', ...parked, ...caller, waited: 0, timeout: 45, ...changes };
}

/** What a test may set and see. */
export function api(
  options: {
    modules?: readonly Module[];
    timeoutMs?: number;
    perSecond?: number;
    directory?: Directory;
    /** Instead of one that notes what it is told. */
    pbx?: Pbx;
    recordings?: Keeping;
    settings?: Partial<Settings>;
    archive?: Archive;
    phonebook?: ModelsOptions['phonebook'];
    store?: Store;
  } = {},
) {
  const modules = options.modules ?? allModules;
  const settings = new Map([
    ['sys.voicebox', '*100'],
    ['sys.broken', 'a&b'],
  ]);
  let policy: Policy = defaultPolicy;
  let present: readonly UserRecord[] = people;
  let listed = options.directory ?? createDirectory(present, settings, policy, offered);
  const listeners = new Set<(directory: Directory, previous: Directory) => void>();
  const source: DirectorySource = {
    get current() {
      return listed;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: async () => {},
    stop: async () => {},
  };
  const log = pino({ level: 'silent' });
  const actions: [verb: string, ...args: unknown[]][] = [];
  const views: ChannelView[] = [];
  const deviceStates = new Map<string, string>();
  const sent: string[] = [];
  const audited: AuditEntry[] = [];
  const delivered: Delivery[] = [];
  const consulting = new Set<string>();
  const parked: ParkedCall[] = [];
  const rooms: Conference[] = [];
  const queueCounters = new Map<string, QueueCounters>();
  let now = 1000;
  let failure: Error | undefined;
  const act =
    (verb: string) =>
    async (...args: unknown[]) => {
      if (failure) throw failure;
      actions.push([verb, ...args]);
    };
  const lacks = new Map<string, readonly string[]>();
  const noting = idlePbx({
    abilities: { known: true, lacks: (verb) => lacks.get(verb) ?? [] },
    originate: act('originate'),
    hangup: act('hangup'),
    blindTransfer: act('blindTransfer'),
    redirect: act('redirect'),
    dbPut: act('dbPut'),
    dbDel: act('dbDel'),
    queuePause: act('queuePause'),
    queueAdd: act('queueAdd'),
    queueRemove: act('queueRemove'),
    queueCounters: async (name) => queueCounters.get(name),
    pickup: act('pickup'),
    listen: act('listen'),
    announce: act('announce'),
    attendedTransfer: act('attendedTransfer'),
    consults: async (channel) => consulting.has(channel),
    cancelTransfer: act('cancelTransfer'),
    join: act('join'),
    async park(channel, parker, lot) {
      await act('park')(channel, parker, lot);
      return parkedCall(channel, { lot: lot ?? 'default' });
    },
    parkedCalls: async (lot) => parked.filter((call) => lot === undefined || call.lot === lot),
    sendDigits: act('sendDigits'),
    mute: act('mute'),
    async record(channel, file) {
      await act('record')(channel, file);
      return `mix-${actions.length}` as RecordingHandle;
    },
    stopRecording: act('stopRecording'),
    muteRecording: act('muteRecording'),
    notify: act('notify'),
    conferences: async () => rooms,
    conferenceKick: act('conferenceKick'),
    conferenceMute: act('conferenceMute'),
    conferenceLock: act('conferenceLock'),
    userEvent: act('userEvent'),
  });
  const pbx = options.pbx ?? noting;
  const calls = idleCalls({
    channel: (id) => views.find((each) => each.channel === id),
    channelsOf: (name) => views.filter((each) => each.device === name),
    channels: () => views,
    deviceState: (name) => deviceStates.get(name),
  });
  const index = createSubscriptionIndex();
  const limits = { sessions: 10, perUser: 3, subscriptions: 5 };
  const store = options.store ?? createMemoryStore(() => now);
  const sessions = createSessions(store, index, limits, () => 1000);
  const places = placesOver(source, pbx, store);
  const directory = () => places.directory.current;
  const models = createModels({
    pbx,
    store,
    journal: bridgeJournal,
    calls,
    directory: places.directory,
    phonebook: options.phonebook ?? bridgePhonebook,
    deflections: deflectionsOver(pbx, directory),
    places,
    context: bridgeSettings.context,
    recordings: options.recordings,
    log,
    now: () => now,
  });
  const rules = createRules(() => now);
  const publish = createPublish({
    modules,
    index,
    from: 'pbx.example.org',
    send: (stanza) => sent.push(Buffer.from(stanza).toString()) > 0,
  });
  const told = (changes: readonly Change[]) => publish(changes, { directory: directory(), calls, ...models });
  for (const model of everyModel(models)) model.onChange?.(told);
  const dispatch = createDispatch({
    modules,
    context: () => ({
      directory: directory(),
      calls,
      pbx,
      sessions,
      ...models,
      settings: { ...bridgeSettings, ...options.settings },
      rules,
      webhook: async (delivery) => {
        if (failure) throw failure;
        delivered.push(delivery);
      },
      archive: options.archive,
      transfer: {
        running: 0,
        async send(to, { name, size, handle }, method) {
          await handle.close();
          await act('send')(to, name, size, method);
        },
        stop: () => {},
      },
      log,
      now: () => now,
    }),
    directory,
    domains: new Set(['example.org']),
    rate: createRateLimit({
      perSecond: options.perSecond ?? 1e6,
      burst: options.perSecond ?? 1e6,
      keys: 100,
      monotonic: () => 0,
    }),
    maxInFlight: 100,
    timeoutMs: options.timeoutMs ?? 5000,
    show: (text) => text,
    audit: (entry) => audited.push(entry),
    log,
  });

  function replace(): void {
    const previous = listed;
    listed = createDirectory(present, settings, policy, offered);
    for (const listener of listeners) listener(listed, previous);
  }

  /** Sends a `cmd` and returns its answer as text: the `cmd` of the result, or `condition: text` of the error. */
  async function send(from: string, cmd: XmlElement): Promise<string> {
    const jid = parseJid(from);
    if (jid === undefined) throw new Error(`not a JID: ${from}`);
    const answer = await dispatch(jid, cmd);
    if ('error' in answer) return `${answer.error.condition}: ${answer.error.message}`;
    return answer.result === undefined ? '' : serialize(answer.result);
  }

  return {
    actions,
    audited,
    /** Webhooks that were posted. */
    delivered,
    /** Channels that consult somebody. */
    consulting,
    parked,
    rooms,
    queueCounters,
    /** Sets the clock, epoch milliseconds; rates are counted by it, too. */
    at: (time: number) => {
      now = time;
    },
    /** Replaces parts of what the operator allows. */
    allow: (changes: Partial<Policy>) => {
      policy = { ...policy, ...changes };
      replace();
    },
    /** Actions that the telephone system does not offer, by the verb that needs them. */
    lacks,
    views,
    deviceStates,
    sessions,
    models,
    /** Messages that events made, as they would go to the server. */
    sent,
    send,
    /** Sends one command element of a module. */
    ask: (from: string, module: string, payload: XmlElement) =>
      send(from, xml('cmd', { xmlns: CMD_NS, module }, [payload])),
    tell: (...changes: Change[]) => told(changes),
    /** Lets the models take an event in, with what the call model said of it. */
    happen: (event: PbxEvent, ...changes: CallChange[]) => {
      told(changes);
      for (const model of everyModel(models)) told(model.apply(event, changes));
    },
    /** What the telephone system answers from now on. */
    fail: (error: Error | undefined) => {
      failure = error;
    },
    /** Replaces people by others of the same name, or adds them. */
    change: (...changed: UserRecord[]) => {
      const names = new Set(changed.map((each) => each.name));
      present = [...people.filter((each) => !names.has(each.name)), ...changed];
      replace();
    },
  };
}
