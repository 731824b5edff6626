/** Changes in, messages out: what happened, in whose words, to whom. The only sender of events. */

import { type BacklogCounters, type BacklogLimits, createBacklog, type Item } from './backlog.ts';
import type { Change } from './changes.ts';
import { type Directory, emptyDirectory, type User } from './directory.ts';
import type { Event, Module, Telling, World } from './modules/define.ts';
import { type EventFrame, EventWriter, eventFrame } from './protocol/envelope.ts';
import type { BareJid, FullJid } from './protocol/jid.ts';
import { elements, textOf, type XmlElement } from './protocol/xml.ts';
import { hears } from './rules/rules.ts';
import type { Matchable, SubscriptionIndex } from './subscriptions/index.ts';
import type { Subscription } from './subscriptions/subscription.ts';

/** What publishing needs. */
export interface PublishOptions {
  readonly modules: readonly Module[];
  readonly index: SubscriptionIndex;
  /** The component's JID: the sender of every event. */
  readonly from: string;
  /**
   * Hands a serialized stanza to the server, UTF-8 that is valid during the call only; false where it was refused.
   * `bulk`: for one who hears of everybody, after those whom it concerns.
   */
  readonly send: (stanza: Uint8Array, lane: 'event' | 'bulk') => boolean;
  /** Whether the server takes events now. Where it does not, they wait and are told as they are by then. Default: always. */
  readonly hasRoom?: () => boolean;
  readonly limits?: BacklogLimits;
  /**
   * Called when a change was told to whom it concerns as far as there was room, or is not to be told since nobody wants it; not where all of them must
   * wait. `heard`: somebody was told.
   */
  onTold?(change: Change, heard: boolean): void;
}

/** Counters of one kind of event, since the start. */
export interface PublishCounters {
  readonly module: string;
  readonly event: string;
  /** How often it happened, whether or not anybody wanted it. */
  occurred: number;
  /** Messages handed over. */
  sent: number;
  /** Messages that the XMPP side refused; they are sent again when there is room. */
  refused: number;
}

/** Tells the sessions that want to know. */
export interface Publish {
  (changes: readonly Change[], world: World): void;
  /** Takes these things, by {@link About.key}, as told of by an earlier bridge: their ends must be told. */
  recall(keys: readonly string[]): void;
  /** There is room again: tells what waits, as far as there is. */
  catchUp(directory: Directory): void;
  /** The stream is gone: what may not have arrived is told again when there is another. */
  lost(): void;
  /** Asks by `confirm`, which resolves once the server has everything that was sent before, how far the stream has got. */
  settle(confirm: () => Promise<unknown>): Promise<void>;
  /** By module and event. */
  readonly counters: readonly Readonly<PublishCounters>[];
  readonly backlog: BacklogCounters;
}

/** One kind of event. */
interface Source {
  readonly module: string;
  readonly event: Event;
  readonly frame: EventFrame;
  readonly counters: PublishCounters;
}

/** Something that happened, with who has not heard of it: everybody, or those for whom there was no room. */
interface Told extends Item {
  readonly telling: Telling;
  readonly source: Source;
  readonly change: Change;
  readonly only: ReadonlySet<FullJid> | undefined;
}

/** A minute of a busy system; further ones are memory that nobody gets anything for. */
const defaultLimits: BacklogLimits = { loose: 1000, lasting: 10_000, unconfirmed: 50_000 };

/** Makes the publisher. */
export function createPublish(options: PublishOptions): Publish {
  const { modules, index, from, send, hasRoom = () => true, limits = defaultLimits } = options;
  const { onTold = () => {} } = options;
  const sources = modules.flatMap((module) =>
    [...module.events.values()].map((event): Source => {
      const counters = { module: module.name, event: event.name, occurred: 0, sent: 0, refused: 0 };
      return { module: module.name, event, frame: eventFrame(from, module.name), counters };
    }),
  );
  const byKind = new Map<Change['kind'], Source[]>();
  for (const source of sources) {
    const { on } = source.event;
    byKind.set(on, [...(byKind.get(on) ?? []), source]);
  }
  const backlog = createBacklog<Told>(limits);
  const writer = new EventWriter();
  const asked = new Asked();
  const supervises = (jid: BareJid) => asked.isHeardBy(jid);

  /** Shows every session that wants it, as things are by now. */
  function forEachWanting(
    { telling, source, only }: Told,
    directory: Directory,
    visit: (session: FullJid, scope: Subscription['scope']) => void,
  ): void {
    asked.beAbout(telling, source, directory);
    if (only === undefined) index.forEach(asked, supervises, visit);
    else index.forEach(asked, supervises, (session, scope) => only.has(session) && visit(session, scope));
  }

  /** Whether anybody wants it as things are: what has no end to be told need not wait for nobody. */
  function isWanted(told: Told, directory: Directory): boolean {
    let wanted = false;
    forEachWanting(told, directory, () => {
      wanted = true;
    });
    return wanted;
  }

  /** Sends to everybody who wants it, and keeps it for those for whom there was no room. */
  function tell(told: Told, directory: Directory): void {
    const { source, telling, change } = told;
    let isWritten = false;
    let missed: Set<FullJid> | undefined;
    let heard = false;
    forEachWanting(told, directory, (session, scope) => {
      if (!isWritten) writer.write(source.frame, source.event.payload, telling.value);
      isWritten = true;
      if (send(writer.addressed(session), scope === 'user' ? 'event' : 'bulk')) {
        source.counters.sent += 1;
        heard = true;
        return;
      }
      source.counters.refused += 1;
      missed ??= new Set();
      missed.add(session);
    });
    // Refused though there is room: it is of a kind that never fits.
    const rest = missed !== undefined && !hasRoom() ? { ...told, only: missed } : undefined;
    if (heard || rest === undefined) onTold(change, heard);
    backlog.told(told, rest);
  }

  const publish = (changes: readonly Change[], world: World) => {
    for (const change of changes) {
      for (const source of byKind.get(change.kind) ?? []) {
        for (const telling of source.event.from(change, world)) {
          source.counters.occurred += 1;
          const told: Told = { about: telling.about, telling, source, change, only: undefined };
          // In order: while something waits, everything waits.
          if (backlog.isEmpty && hasRoom()) tell(told, world.directory);
          else if (told.about?.final !== undefined || isWanted(told, world.directory)) backlog.hold(told);
          else if (told.about !== undefined) onTold(change, false);
        }
      }
    }
  };
  return Object.assign(publish, {
    counters: sources.map(({ counters }) => counters),
    backlog: backlog.counters,
    recall(keys: readonly string[]) {
      for (const key of keys) backlog.recall(key);
    },
    catchUp(directory: Directory) {
      while (hasRoom() && !backlog.isEmpty)
        for (const told of backlog.take()) tell({ ...told, telling: later(told.telling) }, directory);
    },
    lost: backlog.lost,
    async settle(confirm: () => Promise<unknown>) {
      if (!backlog.ask()) return;
      const confirmed = await confirm().then(
        () => true,
        () => false,
      );
      backlog.answered(confirmed);
    },
  });
}

/** The same, as it is to be told now that it is told later than it happened. */
function later(telling: Telling): Telling {
  return telling.late === undefined ? telling : { ...telling, value: telling.late() };
}

/** What the index is asked about: one event at a time, in an object for all of them. */
class Asked implements Matchable {
  module = '';
  type = '';
  concerns: readonly User[] = [];
  #value: unknown;
  #event: Event | undefined;
  #directory: Directory = emptyDirectory;
  #payload: XmlElement | undefined;

  beAbout({ concerns, value }: Telling, { module, event }: Source, directory: Directory): void {
    this.module = module;
    this.type = event.name;
    this.concerns = concerns;
    this.#value = value;
    this.#event = event;
    this.#directory = directory;
    this.#payload = undefined;
  }

  values(filter: string): readonly string[] {
    this.#payload ??= this.#event?.payload.write(this.#value);
    if (this.#payload === undefined) return [];
    return valuesOf(this.#payload, this.#event?.filterAliases.get(filter), filter);
  }

  /** Whether who hears of everybody may hear this. */
  isHeardBy(jid: BareJid): boolean {
    const user = this.#directory.byJid(jid);
    return user?.roles.has('xmpp.supervisor') === true && hears(user, this.concerns, this.#directory.policy);
  }
}

/** What a filter of that name is compared with: the payload's attribute and child elements so named, and the alias's. */
function valuesOf(payload: XmlElement, ...names: (string | undefined)[]): string[] {
  const values: string[] = [];
  for (const name of names) {
    if (name === undefined) continue;
    const attribute = payload.attrs.get(name);
    if (attribute !== undefined) values.push(attribute);
    for (const child of elements(payload)) if (child.name === name) values.push(textOf(child));
  }
  return values;
}
