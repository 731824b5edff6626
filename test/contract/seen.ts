/** What the event road told so far, as tests ask for it. */
import type { PbxEvent, Snapshot } from '../../src/pbx/events.ts';

interface Seer {
  readonly events: readonly PbxEvent[];
}

/** The events that may have this type; some share a declaration. */
type Told<E, K> = E extends { type: infer T } ? (K extends T ? E : never) : never;

/** The events of one kind. */
export function of<K extends PbxEvent['type']>(events: readonly PbxEvent[], kind: K) {
  return events.filter((event): event is Told<PbxEvent, K> => event.type === kind);
}

/** The newest snapshot. @throws Error when there was none. */
export function lastSnapshot(on: Seer): Snapshot {
  const last = of(on.events, 'snapshot').at(-1);
  if (last === undefined) throw new Error('there was no snapshot');
  return last.snapshot;
}

/** A channel as last seen. */
export type Seen = Snapshot['channels'][number] | Extract<PbxEvent, { type: 'channel-new' }>['channel'];

/** Channels that are not hung up, as last seen, by unique id. */
export function live(events: readonly PbxEvent[]): Map<string, Seen> {
  const channels = new Map<string, Seen>();
  const apply = (event: PbxEvent) => {
    if (event.type === 'snapshot') {
      channels.clear();
      for (const channel of event.snapshot.channels) channels.set(channel.uniqueId, channel);
      for (const each of event.snapshot.meanwhile) apply(each);
    } else if (event.type === 'hangup') channels.delete(event.channel.uniqueId);
    else if (
      event.type === 'channel-new' ||
      event.type === 'channel-update' ||
      event.type === 'bridge-enter'
    ) {
      channels.set(event.channel.uniqueId, event.channel);
    }
  };
  for (const event of events) apply(event);
  return channels;
}

/** The newest state of a telephone's only channel. */
export function channelOf(events: readonly PbxEvent[], number: string): Seen {
  const own = [...live(events).values()].filter(({ name }) => name.startsWith(`PJSIP/${number}-`));
  if (own.length !== 1 || own[0] === undefined) throw new Error(`${number} has ${own.length} channels`);
  return own[0];
}

/** Whether the two telephones are in one bridge. */
export function together(events: readonly PbxEvent[], a: string, b: string): boolean {
  const inside = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'bridge-enter') inside.set(event.channel.uniqueId, event.bridge.id);
    else if (event.type === 'bridge-leave' || event.type === 'hangup') inside.delete(event.channel.uniqueId);
  }
  const bridges = [a, b].map((number) =>
    [...live(events).values()].find(
      ({ name, uniqueId }) => name.startsWith(`PJSIP/${number}-`) && inside.has(uniqueId),
    ),
  );
  const [x, y] = bridges.map((channel) => (channel === undefined ? undefined : inside.get(channel.uniqueId)));
  return x !== undefined && x === y;
}
