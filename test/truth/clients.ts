/** What every user's client is told, and what it makes of that: it knows nothing but the events. */

import type { Calls } from '../../src/calls/calls.ts';
import type { CallChange } from '../../src/calls/changes.ts';
import { createInvariants } from '../../src/calls/invariants.ts';
import type { Directory } from '../../src/directory.ts';
import { emptyQueueing } from '../../src/modules/define.ts';
import { modules } from '../../src/modules/index.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import { emptyPhonebook } from '../../src/phonebook/model.ts';
import { elements, textOf, type XmlElement } from '../../src/protocol/xml.ts';

/** A call as its user sees it on the screen. */
export interface Belief {
  readonly channel: string;
  readonly outbound: boolean;
  readonly state: 'ringing' | 'busy';
  readonly number: string;
  readonly name: string;
  /** The user has the other party on hold. */
  readonly held: boolean;
  /** The other party has the user on hold. */
  readonly remoteHeld: boolean;
}

/** One user's client. */
export interface Client {
  /** ChannelEvents in order, one line each: `ringing -> 370`, `hold remote <- 340`, `ringing <- 340 from 310`. */
  readonly told: readonly string[];
  /** ChannelEvents with every field. */
  readonly events: readonly Readonly<Record<string, string>>[];
  /** PickupEvents: `ringing 340 <- 370`. */
  readonly pickups: readonly string[];
  /** Calls by eventId, oldest first. */
  readonly beliefs: ReadonlyMap<string, Belief>;
}

/** The clients of everybody in a directory. */
export interface Clients {
  /** To be given every event of the telephone system. */
  onEvent(event: PbxEvent): void;
  /** That a channel yet to come calls a number: {@link Calls.expect}. */
  expect(uniqueId: string, number: string): void;
  /** @throws Error where the directory has no such extension. */
  at(extension: string): Client;
  /** Sentences of what must not be, and exceptions. */
  readonly broken: readonly string[];
  /** Begins new lists of what was told; beliefs stay. */
  forget(): void;
}

interface Screen {
  told: string[];
  events: Record<string, string>[];
  pickups: string[];
  readonly beliefs: Map<string, Belief>;
}

/** Seats a client in front of every user; nothing was told yet. */
export function seatClients(directory: Directory, calls: Calls): Clients {
  const screens = new Map(directory.users.map((user) => [user.extension, blank()]));
  const invariants = createInvariants();
  const broken: string[] = [];
  const events = modules.flatMap((module) => [...module.events.values()]);
  const around = { directory, calls, phonebook: emptyPhonebook, queueing: emptyQueueing };
  const publish = (changes: readonly CallChange[]) => {
    for (const change of changes) {
      broken.push(...invariants.check(change));
      for (const event of events) {
        for (const { concerns, value } of event.from(change, around)) {
          for (const { extension } of concerns) {
            const screen = screens.get(extension);
            if (screen === undefined) broken.push(`${extension} is told, and nobody has it`);
            else show(screen, event.name, fieldsOf(event.payload.write(value)), broken, directory);
          }
        }
      }
    }
  };
  return {
    onEvent(event) {
      try {
        publish(calls.apply(event));
      } catch (error) {
        broken.push(`${event.type}: ${error instanceof Error ? error.stack : error}`);
      }
    },
    expect: (uniqueId, number) => calls.expect(uniqueId, number),
    at(extension) {
      const screen = screens.get(extension);
      if (screen === undefined) throw new Error(`nobody has ${extension}`);
      return screen;
    },
    broken,
    forget() {
      for (const screen of screens.values()) Object.assign(screen, { told: [], events: [], pickups: [] });
      broken.splice(0);
    },
  };
}

function blank(): Screen {
  return { told: [], events: [], pickups: [], beliefs: new Map() };
}

function fieldsOf(element: XmlElement): Record<string, string> {
  return Object.fromEntries(elements(element).map((child) => [child.name, textOf(child)]));
}

function show(
  screen: Screen,
  type: string,
  fields: Record<string, string>,
  broken: string[],
  directory: Directory,
): void {
  const field = (name: string) => fields[name] ?? '';
  if (type === 'PickupEvent') {
    screen.pickups.push(`${field('eventType')} ${field('target')} <- ${field('sourceNumber')}`);
    return;
  }
  if (type !== 'ChannelEvent') return;
  const outbound = field('outbound') === 'true';
  const [number, name] = outbound
    ? [field('targetNumber'), field('targetName')]
    : [field('sourceNumber'), field('sourceName')];
  const channel = field('eventId');
  const what = [field('eventType'), field('eventDetails')].filter(Boolean).join(' ');
  const from = field('fromNumber') === '' ? '' : ` from ${field('fromNumber')}`;
  const line = `${what} ${outbound ? '->' : '<-'} ${number}${from}`;
  screen.told.push(line);
  screen.events.push(fields);
  const user = directory.byExtension(number);
  if (field('internal') === 'true' && name !== user?.fullName) {
    broken.push(`${channel}: "${line}" is internal, and calls ${number} "${name}"`);
  }
  if (field('refChannel').startsWith('Local/'))
    broken.push(`${channel}: "${line}" refers to a Local channel`);
  believe(screen.beliefs, channel, what, { outbound, number, name }, broken);
}

function believe(
  beliefs: Map<string, Belief>,
  channel: string,
  what: string,
  now: Pick<Belief, 'outbound' | 'number' | 'name'>,
  broken: string[],
): void {
  const before = beliefs.get(channel);
  const [type] = what.split(' ');
  if (type === 'hangup') {
    if (!beliefs.delete(channel)) broken.push(`${channel} is told to have ended, and was not known`);
    return;
  }
  const state = type === 'ringing' ? 'ringing' : type === 'busy' ? 'busy' : (before?.state ?? 'busy');
  beliefs.set(channel, {
    channel,
    state,
    ...now,
    // Only the other side's hold is `remote`; the way back from a consultation says why it came to nothing.
    held: what === 'hold' || (!(type === 'unhold' && what !== 'unhold remote') && before?.held === true),
    remoteHeld: what === 'hold remote' || (what !== 'unhold remote' && before?.remoteHeld === true),
  });
}
