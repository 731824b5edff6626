/** Three colleagues on a telephone system, each with a client: the whole bridge but for the XMPP server. */
import { pino } from 'pino';
import { createBridge } from '../../src/bridge.ts';
import { callsOf } from '../../src/directory/calls.ts';
import { parseDirectory } from '../../src/directory/parse.ts';
import type { ModelsOptions } from '../../src/models.ts';
import type { Settings } from '../../src/modules/define.ts';
import { modules } from '../../src/modules/index.ts';
import type { Keeping } from '../../src/monitor/monitor.ts';
import type { Account } from '../../src/pbx/login.ts';
import { CMD_NS } from '../../src/protocol/envelope.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { serialize, xml } from '../../src/protocol/xml.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import type { IqHandler } from '../../src/xmpp/xmpp.ts';
import { deflectionsOver, fixed, idlePresence, idleXmpp, placesOver } from '../idle.ts';
import { adapter } from '../pbx/adapter.ts';
import { until } from '../servers/until.ts';
import { journal, phonebook, settings } from '../settings.ts';

const users = `
users:
  - { name: anna, extension: 340, fullName: Anna, devices: [{ name: Anna, device: PJSIP/340, capabilities: [dial, hangup, hold, offhook] }], pickupGroups: [a], callGroups: [a] }
  - { name: bernd, extension: 370, fullName: Bernd, devices: [{ name: Bernd, device: PJSIP/370, capabilities: [dial, hangup, hold, offhook] }], pickupGroups: [a], callGroups: [a] }
  - { name: carla, extension: 320, fullName: Carla, devices: [{ name: Carla, device: PJSIP/320 }], pickupGroups: [a], callGroups: [a], roles: [xmpp.supervisor] }
rules:
  listen: { modes: [listen] }
  conferences: { "800": "800" }
`;

export type Name = 'anna' | 'bernd' | 'carla';

/** What may be another than usual. */
export interface OfficeOptions {
  /** The directory file. */
  readonly users?: string;
  /** More of it, behind the rules. */
  readonly rules?: string;
  readonly recordings?: Keeping;
  readonly store?: Store;
  readonly journal?: Partial<ModelsOptions['journal']>;
  readonly settings?: Partial<Settings>;
  readonly phonebook?: Partial<ModelsOptions['phonebook']>;
  /** How often deflections are read again, milliseconds. */
  readonly everyMs?: number;
}

/** The office at work. */
export interface Office {
  /** Sends a command; resolves with the answer's text. */
  ask(who: Name, module: string, command: string, attributes?: Record<string, string>): Promise<string>;
  /** What somebody was told of calls: `ringing 340>370`, details in brackets. */
  told(who: Name): readonly string[];
  /** Other events somebody got, as XML. */
  events(who: Name, type: string): readonly string[];
  /** Everything somebody got, as XML. */
  stanzas(who: Name): readonly string[];
  /** `eventId` of somebody's newest call. */
  call(who: Name): string;
  /** Waits until the last thing somebody was told is this. */
  hears(who: Name, last: string | RegExp): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the bridge, and opens everybody's session. */
export async function openOffice(
  port: number,
  accounts: { control: Account; feed: Account },
  options: OfficeOptions = {},
): Promise<Office> {
  const parsed = parseDirectory(`${options.users ?? users}${options.rules ?? ''}`, ['example.org']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  let handler: IqHandler | undefined;
  const got = new Map<string, string[]>();
  const component = parseJid('pbx.example.org');
  if (component === undefined) throw new Error('no JID');
  const xmpp = idleXmpp({
    domain: 'pbx.example.org',
    onIq: (namespace, serve) => {
      if (namespace === CMD_NS) handler = serve;
    },
    send(head, body) {
      const stanza = head + Buffer.from(body ?? []).toString();
      const to = /to='(\w+)@/.exec(stanza)?.[1] ?? '';
      got.set(to, [...(got.get(to) ?? []), stanza]);
      return true;
    },
    request: async () => xml('iq'),
  });
  const pbx = adapter(port, accounts);
  const store = options.store ?? createMemoryStore();
  const places = placesOver(fixed(parsed.directory), pbx, store);
  const calls = callsOf(() => places.directory.current);
  const bridge = createBridge({
    modules,
    xmpp,
    pbx,
    store,
    calls,
    directory: places.directory,
    domains: ['example.org'],
    journal: { ...journal, ...options.journal },
    phonebook: { ...phonebook, ...options.phonebook },
    settings: { ...settings, ...options.settings },
    recordings: options.recordings,
    limits: {
      sessions: 10,
      perUser: 5,
      subscriptions: 20,
      perSecond: 1000,
      burst: 1000,
      inFlight: 100,
      commandMs: 8000,
      graceMs: 100,
      pingEveryMs: 3_600_000,
      pingsPerSecond: 10,
    },
    presence: idlePresence(),
    deflections: deflectionsOver(pbx, () => places.directory.current, options.everyMs),
    places,
    askPresence: false,
    audit: () => {},
    webhook: async () => {},
    log: pino({ level: 'silent' }),
    now: Date.now,
    monotonic: () => performance.now(),
  });
  await bridge.start();

  const office: Office = {
    async ask(who, module, command, attributes = {}) {
      const from = parseJid(`${who}@example.org/client`);
      if (handler === undefined || from === undefined) throw new Error('nobody serves');
      const subscribe = [xml('AddSubscription', {}, [xml('Subscription', { module: '*', type: '*' })])];
      const payload = xml('cmd', { xmlns: CMD_NS, module }, [
        xml(command, attributes, command === 'ClientInfo' ? subscribe : []),
      ]);
      const answer = await handler({ type: 'set', id: 'a', from, to: component, payload });
      if ('error' in answer) return `${answer.error.condition}: ${answer.error.message}`;
      return answer.result === undefined ? '' : serialize(answer.result);
    },
    told: (who) => office.events(who, 'ChannelEvent').map(line),
    events: (who, type) => (got.get(who) ?? []).filter((stanza) => new RegExp(`<${type}[ >]`).test(stanza)),
    stanzas: (who) => got.get(who) ?? [],
    call: (who) => text(office.events(who, 'ChannelEvent').at(-1) ?? '', 'eventId'),
    async hears(who, last) {
      const fits = () => {
        const said = office.told(who).at(-1) ?? '';
        return typeof last === 'string' ? said === last : last.test(said);
      };
      await until(`${who} hears ${last}`, fits).catch((error: unknown) => {
        throw new Error(`${who} heard: ${office.told(who).join(', ')}`, { cause: error });
      });
    },
    async stop() {
      await bridge.stop();
    },
  };
  for (const who of parsed.directory.users.map(({ name }) => name as Name))
    await office.ask(who, 'xmppuser', 'ClientInfo');
  return office;
}

function text(stanza: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(stanza)?.[1] ?? '';
}

function line(stanza: string): string {
  const details = text(stanza, 'eventDetails');
  const who = `${text(stanza, 'sourceNumber')}>${text(stanza, 'targetNumber')}`;
  return `${text(stanza, 'eventType')} ${who}${details === '' ? '' : ` (${details})`}`;
}
