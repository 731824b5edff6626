import type { AsteriskOptions, Behaviour, ExtensionSpec, Party, QueueSpec } from '../api.ts';
import type { Bridge } from './bridge.ts';
import type { Channel } from './channel.ts';
import { publishDevice } from './device.ts';
import { lines, type Outgoing } from './event.ts';

/** A SIP contact: one device that can ring. */
export interface Line {
  readonly endpoint: Endpoint;
  /** From 1. */
  readonly device: number;
  registered: boolean;
  behaviour: Behaviour;
  readonly port: number;
  /** `Event` of each SIP NOTIFY that it was sent. */
  readonly notified: string[];
}

/** A PJSIP endpoint with its devices, hint and mailbox. */
export interface Endpoint {
  readonly number: string;
  readonly callerId: Party | undefined;
  readonly context: string;
  readonly lines: Line[];
  readonly mailbox: Mailbox | undefined;
  /** Whether there is a hint, so that ExtensionStatus is sent. */
  readonly hint: boolean;
  /** Device state last told. */
  told: string;
}

/** A voicemail box. */
export interface Mailbox {
  readonly number: string;
  readonly name: string;
  unread: number;
  read: number;
}

/** A queue and who waits in it. */
export interface Queue extends Omit<QueueSpec, 'members'> {
  /** Extension numbers, dynamic members at the end. */
  readonly members: string[];
  /** Members that came by QueueAdd: the name and the penalty that they were given. */
  readonly dynamic: Map<string, { readonly name: string; readonly penalty: number }>;
  readonly waiting: Channel[];
  /** Callers whose priority was raised; the others have 0. */
  readonly priorities: Map<Channel, number>;
  completed: number;
  abandoned: number;
  /** Members (extension numbers) on a break, and why. */
  readonly paused: Map<string, string>;
  /** Whether a member was free, as last told. */
  available: boolean;
}

/** A parked call. */
export interface Parked {
  readonly channel: Channel;
  readonly parker: string;
  readonly since: number;
}

/** The exchange: everything that lives, and the one door through which events leave. */
export interface Pbx {
  readonly systemName: string;
  readonly noise: boolean;
  readonly started: number;
  readonly channels: Map<string, Channel>;
  readonly bridges: Map<string, Bridge>;
  readonly endpoints: Map<string, Endpoint>;
  readonly queues: Map<string, Queue>;
  readonly mailboxes: Map<string, Mailbox>;
  /** AstDB; keys are `family/key`. */
  readonly database: Map<string, string>;
  readonly globals: Map<string, string>;
  /** Parked channels by their space. */
  readonly parked: Map<string, Parked>;
  /** Channels made since the start. */
  readonly calls: number;
  log(line: string): void;
  /** A number never given before; channel names and unique ids are made of it. */
  serial(): number;
  uniqueid(serial: number): string;
  /** Sends an event; `body` is lines each ended by CR LF. */
  publish(name: string, privilege: string, body: string): void;
  /** Marks an endpoint whose device state may have changed. */
  touch(endpoint: Endpoint): void;
  /** Tells the device states that changed since the last time. */
  settle(): void;
  /** Runs `work` after `ms`, unless the PBX has stopped. Returns what calls it off. */
  later(ms: number, work: () => void): () => void;
  stop(): void;
}

/** setTimeout fires at once for more than this, ms. */
const longestTimer = 2 ** 31 - 1;

/** The telephones of the default PBX. */
export const defaultExtensions: readonly ExtensionSpec[] = [
  { number: '310', name: 'Emil Extra', registered: false },
  { number: '320', name: 'Carla Österreich' },
  { number: '330', name: 'Dora Forward', registered: false },
  { number: '340', name: 'Anna Müller', devices: 2 },
  { number: '370', name: 'Bernd Schmidt', mailboxName: 'Bernd "Bär" Schmidt' },
];

/** The queues of the default PBX. */
export const defaultQueues: readonly QueueSpec[] = [
  { name: 'Support', number: '500', members: ['340'] },
  { name: 'Sales', number: '501', members: ['370'] },
];

/** Makes the exchange. `send` is called for every event, `changed` after anything a condition may wait for. */
export function createPbx(options: AsteriskOptions, send: (event: Outgoing) => void): Pbx {
  const systemName = options.systemName ?? 'sim';
  const prefix = systemName === '' ? '' : `${systemName}-`;
  const system = systemName === '' ? '' : `SystemName: ${systemName}\r\n`;
  const touched = new Set<Endpoint>();
  const timers = new Set<NodeJS.Timeout>();
  const mailboxes = new Map<string, Mailbox>();
  const endpoints = new Map<string, Endpoint>();
  let serials = 0;
  let stopped = false;

  for (const spec of options.extensions ?? defaultExtensions) {
    if (!/^3\d\d$/.test(spec.number))
      throw new Error(`extension ${spec.number}: use three digits from 300 to 399`);
    const endpoint = createEndpoint(spec);
    endpoints.set(spec.number, endpoint);
    if (endpoint.mailbox !== undefined) mailboxes.set(spec.number, endpoint.mailbox);
  }
  endpoints.set('trunk', createTrunk());

  const queues = new Map<string, Queue>();
  for (const spec of options.queues ?? defaultQueues) {
    queues.set(spec.name, {
      ...spec,
      members: [...spec.members],
      dynamic: new Map(),
      waiting: [],
      priorities: new Map(),
      completed: 0,
      abandoned: 0,
      paused: new Map(),
      available: true,
    });
  }

  const pbx: Pbx = {
    systemName,
    noise: options.noise ?? true,
    started: Date.now(),
    channels: new Map(),
    bridges: new Map(),
    endpoints,
    queues,
    mailboxes,
    database: new Map(),
    globals: new Map(),
    parked: new Map(),
    get calls() {
      return serials;
    },
    log: options.log ?? (() => {}),
    serial: () => serials++,
    uniqueid: (serial) => `${prefix}${Math.floor(Date.now() / 1000)}.${serial}`,
    publish(name, privilege, body) {
      const text = `Event: ${name}\r\nPrivilege: ${privilege},all\r\n${system}${body}\r\n`;
      send({ name, privilege, text });
    },
    touch: (endpoint) => {
      touched.add(endpoint);
    },
    settle() {
      if (touched.size === 0) return;
      const changed = [...touched];
      touched.clear();
      for (const endpoint of changed) publishDevice(pbx, endpoint);
    },
    later(ms, work) {
      if (stopped) return () => {};
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          work();
        },
        Math.min(ms, longestTimer),
      );
      timer.unref();
      timers.add(timer);
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
  return pbx;
}

function createEndpoint(spec: ExtensionSpec): Endpoint {
  const devices = spec.devices ?? 1;
  if (devices < 1 || devices > 2) throw new Error(`extension ${spec.number}: devices must be 1 or 2`);
  const registered = spec.registered ?? true;
  const endpoint: Endpoint = {
    number: spec.number,
    callerId: { number: spec.number, name: spec.name },
    context: 'internal',
    lines: [],
    mailbox:
      spec.mailboxName === null
        ? undefined
        : { number: spec.number, name: spec.mailboxName ?? spec.name, unread: 0, read: 0 },
    hint: true,
    told: registered ? 'NOT_INUSE' : 'UNAVAILABLE',
  };
  for (let device = 1; device <= devices; device++) {
    // Only the first device is there at the start, so that an ordinary PBX rings one telephone per user.
    endpoint.lines.push(createLine(endpoint, device, registered && device === 1));
  }
  return endpoint;
}

function createTrunk(): Endpoint {
  const trunk: Endpoint = {
    number: 'trunk',
    callerId: undefined,
    context: 'from-trunk',
    lines: [],
    mailbox: undefined,
    hint: false,
    told: 'NOT_INUSE',
  };
  trunk.lines.push(createLine(trunk, 1, true));
  return trunk;
}

/** An endpoint without hint or mailbox, as the load generator uses by the hundred. */
export function createLoadEndpoint(number: string): Endpoint {
  const endpoint: Endpoint = {
    number,
    callerId: { number, name: `Load ${number}` },
    context: 'internal',
    lines: [],
    mailbox: undefined,
    hint: false,
    told: 'NOT_INUSE',
  };
  endpoint.lines.push(createLine(endpoint, 1, true));
  return endpoint;
}

let nextPort = 41_000;

function createLine(endpoint: Endpoint, device: number, registered: boolean): Line {
  return { endpoint, device, registered, behaviour: 'ring', port: nextPort++, notified: [] };
}

/** A device registers or goes away: the four events of a registration. */
export function register(pbx: Pbx, line: Line, registered: boolean): void {
  if (line.registered === registered) return;
  const others = line.endpoint.lines.some((other) => other !== line && other.registered);
  line.registered = registered;
  pbx.touch(line.endpoint);
  pbx.settle();
  const { number } = line.endpoint;
  if (!others) {
    pbx.publish(
      'PeerStatus',
      'system',
      lines([
        ['ChannelType', 'PJSIP'],
        ['Peer', `PJSIP/${number}`],
        ['PeerStatus', registered ? 'Reachable' : 'Unreachable'],
      ]),
    );
  }
  pbx.publish(
    'ContactStatus',
    'system',
    lines([
      ['URI', contactUri(line)],
      ['ContactStatus', registered ? 'NonQualified' : 'Removed'],
      ['AOR', number],
      ['EndpointName', number],
      ['RoundtripUsec', 0],
    ]),
  );
}

/** SIP address of a device. */
export function contactUri(line: Line): string {
  return `sip:${line.endpoint.number}@127.0.0.1:${line.port}`;
}
