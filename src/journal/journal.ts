/** The journal: an entry for each call and user, written when the call ends for that user. */

import type { CallChange } from '../calls/changes.ts';
import type { DirectorySource } from '../directory.ts';
import type { Log } from '../log.ts';
import type { Model } from '../models.ts';
import type { BareJid } from '../protocol/jid.ts';
import { readPicked } from '../store/page.ts';
import type { Keep, Page, Store } from '../store/store.ts';
import type { CdrSource } from './cdr.ts';
import { createCompletion } from './completion.ts';
import { describePart, type Names } from './describe.ts';
import { decodeEntry, type Entry, encodeEntry, type JournalChange, type Result } from './entry.ts';
import { createParts, type Finished } from './parts.ts';

/** What the journal needs. */
export interface JournalOptions {
  readonly store: Pick<Store, 'ledger' | 'loadFacts' | 'saveFact' | 'deleteFact'>;
  readonly directory: Pick<DirectorySource, 'current'>;
  readonly recordOf: Names['recordOf'];
  /** Whose number it is, of those that are no users; undefined where nobody's. Asked in the middle of an event. */
  readonly nameOf: (number: string) => string | undefined;
  readonly settings: JournalSettings;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What of the configuration the journal needs. */
export interface JournalSettings {
  /** For each user; a count of 0: no journal is kept. */
  readonly keep: Keep;
  /** Put in front of outside numbers; may be empty. */
  readonly outsidePrefix: string;
  /** Asterisk's call records, to complete the journal from; undefined where the bridge cannot read them. */
  readonly cdr?: CdrSource | undefined;
}

/** Which entries are asked for. */
export interface JournalPage extends Page {
  readonly result?: Result | undefined;
}

/** Everybody's journal. */
export interface Journal extends Model {
  /** Parts in calls that are not over. */
  readonly open: number;
  /** Calls that are remembered. */
  readonly calls: number;
  /** A user's entries, newest first. Rejects while the store cannot be read. */
  find(user: BareJid, page: JournalPage): Promise<readonly Entry[]>;
}

const nothing: readonly JournalChange[] = Object.freeze([]);

/** How often it is noted that the bridge lives, milliseconds: calls whose end nobody saw are known to have lasted until then. */
const aliveEveryMs = 30_000;
const aliveFact = 'journal-alive';

/** Makes the journal. */
export function createJournal(options: JournalOptions): Journal {
  const { store, directory, nameOf, recordOf, settings, log, now } = options;
  const book = store.ledger('journal', settings.keep);
  const parts = createParts((extension) => directory.current.byExtension(extension)?.jid);
  /** When the telephone system was heard last, while it is not; by an earlier bridge at first. */
  let heard: number | undefined;
  /** When it was heard first by this bridge. */
  let since: number | undefined;
  /** When the bridge before this one was alive last, where that is known. */
  let before: number | undefined;
  let restored = false;
  let tell: (changes: readonly JournalChange[]) => void = () => {};
  const { cdr, outsidePrefix } = settings;
  const names = () => ({ directory: directory.current, nameOf, recordOf, outsidePrefix });
  const completion =
    cdr && createCompletion({ book, store, source: cdr, names, tell: (changes) => tell(changes), log, now });
  let timer: NodeJS.Timeout | undefined;

  function write(part: Finished, at: number): readonly JournalChange[] {
    const user = directory.current.byJid(part.user);
    if (user === undefined) return nothing;
    const entry = describePart(part, user, names());
    const text = encodeEntry(entry);
    book.append(user.jid, { id: entry.id, at: entry.timestamp, text });
    if (!part.isNew) book.replace(user.jid, entry.id, text);
    return [{ kind: 'journal', type: part.isNew ? 'new' : 'update', owner: user.jid, entry, at }];
  }

  /** What has ended is entered; `end`: when it had at the latest, where nobody saw it. */
  function enter(changes: readonly CallChange[], end?: number): readonly JournalChange[] {
    let told = nothing;
    for (const change of changes) {
      const owner =
        change.kind === 'channel' ? directory.current.byDevice(change.view.device)?.user : undefined;
      if (owner === undefined || change.kind !== 'channel') continue;
      for (const part of parts.take(owner.jid, change, end)) told = [...told, ...write(part, change.at)];
    }
    return told;
  }

  function alive(): void {
    // What the bridge before this one left must be read first.
    if (restored && heard === undefined) store.saveFact(aliveFact, String(now()));
  }

  return {
    bounds: parts.bounds,
    get open() {
      return parts.open;
    },
    get calls() {
      return parts.calls;
    },
    onChange(listener) {
      tell = listener;
    },
    async restore() {
      // An entry owes nothing: it is told when its call is over.
      if (settings.keep.count === 0) return [];
      const facts = await store.loadFacts();
      if (restored) return [];
      restored = true;
      const last = Number(facts.get(aliveFact) ?? 0);
      before = last > 0 ? last : undefined;
      completion?.resume(facts);
      // Where there was no bridge before this one, a mistake in how records are read shows at once, too.
      if (since === undefined) heard = Math.min(before ?? now(), heard ?? Number.POSITIVE_INFINITY);
      else completion?.gap(before ?? since, since);
      return [];
    },
    async start() {
      if (settings.keep.count > 0) timer = setInterval(alive, aliveEveryMs);
    },
    async stop() {
      clearInterval(timer);
      completion?.stop();
      if (timer !== undefined) alive();
    },
    apply(event, changes) {
      if (event.type === 'feed-down') heard ??= event.at;
      if (settings.keep.count === 0) return nothing;
      if (event.type !== 'snapshot') return enter(changes);
      const told = enter(changes, heard);
      if (heard !== undefined) completion?.gap(heard, event.at);
      heard = undefined;
      since ??= event.at;
      return told;
    },
    recall: (ends) => enter(ends, before ?? since),
    find: (user, { result, ...page }) =>
      readPicked(book, user, page, ({ id, at, text }) => {
        const entry = decodeEntry(id, at, text);
        return result === undefined || entry?.result === result ? entry : undefined;
      }),
  };
}
