import type { Message } from './client.ts';

const told = [
  'ChannelState',
  'CallerIDNum',
  'CallerIDName',
  'ConnectedLineNum',
  'ConnectedLineName',
  'Context',
  'Exten',
  'DialString',
  'DialStatus',
  'BridgeNumChannels',
  'Cause',
  'Cause-txt',
  'TechCause',
  'MusicClass',
  'Class',
  'Result',
  'Extension',
  'IsExternal',
  'State',
  'StatusText',
  'Reason',
  'Application',
  'Data',
  'Response',
  'Queue',
  'Position',
  'Count',
  'DestChannelState',
  'DestConnectedLineNum',
  'DestExten',
];

/** What differs between two recordings of the same call, because two threads of Asterisk race for it. */
function races(event: string | undefined, header: string, value: string): boolean {
  if (header === 'DestChannelState') return event === 'DialBegin' || event === 'DialState';
  return event === 'HangupRequest' && header === 'Cause' && value === '16';
}

/** Events told beside the others: their order among those of the channel varies. */
const aside = /^(Agent|QueueCaller)/;

/**
 * What a stream of events tells of each channel and device, in order: lines such as
 * `Newstate ChannelState=5 …` under the keys `340#1`, `device PJSIP/340`. Names and ids that differ from run to run
 * are replaced by the endpoint and a count. Asterisk's order between channels varies, that of one channel does not.
 */
export function sequences(messages: readonly Message[]): Readonly<Record<string, readonly string[]>> {
  const roles = new Map<string, string>();
  const ids = new Map<string, string>();
  const counts = new Map<string, number>();
  const found: Record<string, string[]> = {};

  for (const message of messages) {
    for (const prefix of ['', 'Dest', 'Transferer', 'Transferee']) learn(message, prefix);
    const key = keyOf(message);
    if (key === undefined) continue;
    const parts = [message.get('Event')];
    for (const header of told) {
      const value = message.get(header);
      if (value !== undefined && !races(message.get('Event'), header, value))
        parts.push(`${header}=${value}`);
    }
    for (const header of ['DestChannel', 'TransfererChannel', 'TransfereeChannel']) {
      const role = roles.get(message.get(header) ?? '');
      if (role !== undefined) parts.push(`${header}=${role}`);
    }
    for (const header of ['Uniqueid', 'Linkedid', 'DestLinkedid']) {
      const role = ids.get(message.get(header) ?? '');
      if (role !== undefined) parts.push(`${header}=${role}`);
    }
    const line = parts.join(' ');
    const list = found[key];
    if (list === undefined) found[key] = [line];
    else list.push(line);
  }
  return found;

  function learn(message: Message, prefix: string): void {
    const name = message.get(`${prefix}Channel`);
    const id = message.get(`${prefix}Uniqueid`);
    const endpoint = /^PJSIP\/(.+)-[0-9a-f]{8}$/.exec(name ?? '')?.[1];
    if (name === undefined || endpoint === undefined) return;
    if (!roles.has(name)) {
      const count = (counts.get(endpoint) ?? 0) + 1;
      counts.set(endpoint, count);
      roles.set(name, `${endpoint}#${count}`);
    }
    if (id !== undefined) ids.set(id, roles.get(name) ?? name);
  }

  function keyOf(message: Message): string | undefined {
    if (message.get('Event') === 'OriginateResponse') return 'originate';
    const device = message.get('Device') ?? message.get('Hint');
    if (device?.startsWith('PJSIP/') === true) return `${message.get('Event')} ${device}`;
    const name = message.get('Channel') ?? message.get('TransfererChannel') ?? message.get('DestChannel');
    const role = roles.get(name ?? '');
    return role !== undefined && aside.test(message.get('Event') ?? '') ? `queue ${role}` : role;
  }
}

/** The keys of every event in order, by event: what a client may rely on. `text` is a stream. */
export function headerOrders(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const orders = new Map<string, Set<string>>();
  for (const block of text.split('\r\n\r\n')) {
    const keys = block.split('\r\n').map((line) => line.slice(0, line.indexOf(':')));
    const event = /^Event: (.*)$/m.exec(block)?.[1]?.trim();
    if (event === undefined) continue;
    const known = orders.get(event) ?? new Set();
    const optional = event === 'HangupRequest' ? ['', 'TechCause', 'Cause'] : ['', 'TechCause'];
    known.add(keys.filter((key) => !optional.includes(key)).join(','));
    orders.set(event, known);
  }
  return orders;
}
