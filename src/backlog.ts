/**
 * What could not be told yet, and what may not have arrived. Later states replace earlier ones, so that however long the
 * XMPP server is slow or away, no more waits than there are things to tell about. No I/O, no clock.
 */

/** What an event is about, where later events of the same thing make earlier ones needless. */
export interface About {
  /** The thing, e.g. a channel; unique among the things of all events. */
  readonly key: string;
  /** The side of the thing that the event tells of: a later event replaces an earlier one of the same side. */
  readonly facet: string;
  /** Takes back what the event before it on this side said: together they are needless. */
  readonly undoes?: boolean;
  /** Whether the thing ends with this event. Left out for what has no end, e.g. a mailbox. */
  readonly final?: boolean;
  /** Where the thing stands among others. */
  readonly row?: Row;
}

/**
 * Things that stand one behind the other, e.g. calls that wait: beginnings say at which place. What waits about those of one row is told
 * together, ends first and then from the front on: then each place counts those that were told of, and no others.
 */
export interface Row {
  /** Unique among the rows. */
  readonly name: string;
  /** Their keys in order, as they stand by now. */
  keys(): readonly string[];
}

/** Anything that is told. */
export interface Item {
  readonly about?: About | undefined;
}

/** Counters since the start. */
export interface BacklogCounters {
  /** Things, and events about nothing in particular, that wait now. */
  readonly waiting: number;
  /** Events told since the server last confirmed that it has all of them. */
  readonly unconfirmed: number;
  /** Events that a later one, or the end of what they were about, made needless. */
  readonly replaced: number;
  /** Events about nothing in particular, or about what has no end, that a bound pushed out. */
  readonly dropped: number;
}

export interface Backlog<T extends Item> {
  readonly counters: BacklogCounters;
  readonly isEmpty: boolean;
  /** Keeps an event until it can be told. */
  hold(item: T): void;
  /** Notes that an event was handed to the server; `rest`: the same for those who could not be told yet. */
  told(item: T, rest?: T): void;
  /** Notes that somebody was told of a thing before this backlog was made. */
  recall(key: string): void;
  /** Takes what waits longest: everything about one thing, or one row, in the order it is to be told. Empty where nothing waits. */
  take(): readonly T[];
  /** Begins to ask the server for a confirmation; call {@link answered} with the outcome. False: one is under way, or nothing to confirm. */
  ask(): boolean;
  answered(confirmed: boolean): void;
  /** The stream is gone, and nobody knows how far it got: what was not confirmed waits again. */
  lost(): void;
}

/** What {@link createBacklog} may keep. */
export interface BacklogLimits {
  /** Events about nothing in particular that wait; the oldest goes first. */
  readonly loose: number;
  /** Things without an end that wait, e.g. entries of journals; the oldest goes first. */
  readonly lasting: number;
  /** Events that wait for a confirmation; with more, those that later ones replaced are forgotten, then the oldest. */
  readonly unconfirmed: number;
}

/** What waits about one thing. */
interface Entry<T> {
  /** Nobody was told of it: its end makes all of it needless. */
  readonly untold: boolean;
  /** By facet, in the order of the last change. */
  readonly items: Map<string, T>;
  /** Facets of which some may know more than others: an event that was told may not have arrived. */
  readonly doubtful: Set<string>;
}

/** Who may know of the thing that an event is about: nobody, whom it concerns, or some of them the event itself. */
type Origin = 'untold' | 'told' | 'doubtful';

/** Makes an empty one. */
export function createBacklog<T extends Item>(limits: BacklogLimits): Backlog<T> {
  const held = new Map<string, Entry<T>>();
  const loose: T[] = [];
  /** Those held that have no end, oldest first. */
  const lasting = new Set<string>();
  /** Keys of those held that stand in rows, by row. */
  const rows = new Map<string, Set<string>>();
  /** Things that were told of and have not ended. */
  const open = new Set<string>();
  let recent: T[] = [];
  /** The part of the unconfirmed that a confirmation under way is about. */
  let asked: T[] | undefined;
  const counters = { replaced: 0, dropped: 0 };

  function keep(entries: Map<string, Entry<T>>, about: About, item: T, from: Origin): void {
    const entry: Entry<T> = entries.get(about.key) ?? {
      untold: from === 'untold',
      items: new Map(),
      doubtful: new Set(),
    };
    entries.set(about.key, entry);
    if (from === 'doubtful') entry.doubtful.add(about.facet);
    if (about.final === true) {
      counters.replaced += entry.items.size;
      entry.items.clear();
      if (entry.untold) entries.delete(about.key);
      else entry.items.set(about.facet, item);
      return;
    }
    const earlier = entry.items.get(about.facet);
    // Put back at the end: what changed last is told last.
    if (earlier !== undefined && entry.items.delete(about.facet)) counters.replaced += 1;
    const undone = earlier !== undefined && (earlier.about?.undoes ?? false) !== (about.undoes ?? false);
    // Where some may have heard the earlier one, all must hear the later.
    if (!undone || entry.doubtful.has(about.facet)) entry.items.set(about.facet, item);
    else if (entry.items.size === 0 && !entry.untold) entries.delete(about.key);
  }

  function holdAbout(about: About, item: T, from: Origin): void {
    keep(held, about, item, from);
    if (about.row !== undefined) lineUp(about.row, about.key);
    if (about.final !== undefined || !held.has(about.key)) return;
    lasting.add(about.key);
    if (lasting.size <= limits.lasting) return;
    for (const oldest of lasting) {
      lasting.delete(oldest);
      counters.dropped += held.get(oldest)?.items.size ?? 0;
      held.delete(oldest);
      return;
    }
  }

  /** Notes that a thing of a row is held, or is not any more. */
  function lineUp({ name }: Row, key: string): void {
    const row = rows.get(name);
    if (!held.has(key)) {
      if (row?.delete(key) === true && row.size === 0) rows.delete(name);
    } else if (row === undefined) rows.set(name, new Set([key]));
    else row.add(key);
  }

  function takeOut(key: string): T[] {
    const items = [...(held.get(key)?.items.values() ?? [])];
    held.delete(key);
    lasting.delete(key);
    return items;
  }

  /** Takes everything about things of a row. */
  function takeRow(row: Row): T[] {
    const items = [...(rows.get(row.name) ?? [])].flatMap(takeOut);
    rows.delete(row.name);
    const places = new Map(row.keys().map((key, place) => [key, place]));
    const placeOf = ({ about }: T) =>
      about?.final === true ? -1 : (places.get(about?.key ?? '') ?? places.size);
    return items.sort((a, b) => placeOf(a) - placeOf(b));
  }

  function keepLoose(item: T): void {
    if (loose.push(item) <= limits.loose) return;
    loose.shift();
    counters.dropped += 1;
  }

  /** The same events without those that later ones replaced. */
  function folded(items: readonly T[]): T[] {
    const entries = new Map<string, Entry<T>>();
    const others: T[] = [];
    for (const item of items) {
      if (item.about === undefined) others.push(item);
      else keep(entries, item.about, item, 'doubtful');
    }
    return [...others, ...[...entries.values()].flatMap((entry) => [...entry.items.values()])];
  }

  const backlog: Backlog<T> = {
    counters: {
      get waiting() {
        return held.size + loose.length;
      },
      get unconfirmed() {
        return recent.length + (asked?.length ?? 0);
      },
      get replaced() {
        return counters.replaced;
      },
      get dropped() {
        return counters.dropped;
      },
    },
    get isEmpty() {
      return held.size === 0 && loose.length === 0;
    },
    hold(item) {
      const { about } = item;
      if (about === undefined) keepLoose(item);
      else holdAbout(about, item, about.final !== undefined && !open.has(about.key) ? 'untold' : 'told');
    },
    told(item, rest) {
      const { about } = item;
      if (about?.final === false) open.add(about.key);
      if (rest?.about !== undefined) holdAbout(rest.about, rest, 'doubtful');
      else if (rest !== undefined) keepLoose(rest);
      if (about?.final === true) open.delete(about.key);
      if (recent.push(item) <= limits.unconfirmed) return;
      recent = folded(recent);
      // Still half full of things that live: the oldest are the likeliest to have arrived.
      if (recent.length > limits.unconfirmed / 2) recent = recent.slice(-limits.unconfirmed / 2);
    },
    recall: (key) => void open.add(key),
    take() {
      const first = loose.shift();
      if (first !== undefined) return [first];
      for (const [key, { items }] of held) {
        const [item] = items.values();
        const row = item?.about?.row;
        if (row !== undefined) return takeRow(row);
        const taken = takeOut(key);
        if (taken.length > 0) return taken;
      }
      return [];
    },
    ask() {
      if (asked !== undefined || recent.length === 0) return false;
      asked = recent;
      recent = [];
      return true;
    },
    answered(confirmed) {
      if (!confirmed && asked !== undefined) recent = [...asked, ...recent];
      asked = undefined;
    },
    lost() {
      const later = [...held];
      held.clear();
      rows.clear();
      for (const item of [...(asked ?? []), ...recent]) {
        if (item.about === undefined) keepLoose(item);
        // It may have arrived: its end must be told.
        else holdAbout(item.about, item, 'doubtful');
      }
      asked = undefined;
      recent = [];
      for (const [key, entry] of later) {
        if (!held.has(key)) held.set(key, entry);
        else for (const item of entry.items.values()) if (item.about) keep(held, item.about, item, 'told');
        for (const { about } of entry.items.values()) if (about?.row !== undefined) lineUp(about.row, key);
      }
    },
  };
  return backlog;
}
