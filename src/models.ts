/** What follows the telephone world beside the calls, each model in a file or folder of its own. */

import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { About } from './backlog.ts';
import type { Bounded } from './bounds.ts';
import type { Calls } from './calls/calls.ts';
import type { CallChange } from './calls/changes.ts';
import type { Change, Tell } from './changes.ts';
import type { Deflections } from './deflections.ts';
import type { DirectorySource } from './directory.ts';
import { createJournal, type Journal, type JournalSettings } from './journal/journal.ts';
import { createMailboxes, type Mailboxes } from './mailboxes.ts';
import type { Keeping, Monitor } from './monitor/monitor.ts';
import { createMonitor } from './monitor/recorder.ts';
import { createParked } from './parked.ts';
import type { PbxEvent } from './pbx/events.ts';
import type { Pbx } from './pbx/pbx.ts';
import { directoryPersons } from './phonebook/directory.ts';
import { createPhonebook, type PhonebookOptions } from './phonebook/model.ts';
import type { Phonebook } from './phonebook/phonebook.ts';
import type { Places } from './places/places.ts';
import { createQueueing, type Queueing } from './queueing.ts';
import { createRooms, type Rooms } from './rooms.ts';
import type { Keep, Store } from './store/store.ts';

/** A part of the telephone world that has things of its own to tell. */
export interface Model extends Partial<Bounded> {
  /**
   * Takes in an event, and what the call model made of it; returns what is to be told, often nothing. On the hot road: called for every
   * event, in order, and never waits.
   */
  apply(event: PbxEvent, changes: readonly CallChange[]): readonly Change[];
  /**
   * Takes up what an earlier bridge left in the store. Called before {@link Model.start} where the store is there by then, else when it comes;
   * perhaps more than once. Rejects as the store does, and is called again then. Resolves with what was told of by then and has not ended,
   * by {@link About.key}: each owes an end.
   */
  restore?(): Promise<readonly string[]>;
  /**
   * Takes in what the call model says without an event: the store came after the state of the telephone system, and these calls, which an earlier
   * bridge told of, had ended before. Called after {@link Model.restore}; returns what is to be told.
   */
  recall?(ends: readonly CallChange[]): readonly Change[];
  /** Notes that a change was told as far as there was room, for the next bridge to know; `heard`: to anybody. Not called for channels. */
  told?(change: Change, heard: boolean): void;
  /**
   * The server is asked what has arrived. Returns what to call when it has everything that was told until now, and nothing waits to be told to
   * others.
   */
  ask?(): () => void;
  /** Says where changes go that no event brought. Called once, before {@link Model.start}. */
  onChange?(tell: Tell): void;
  /** Called before the telephone system is connected. Never rejects: what cannot be had yet is asked for again. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** The models by name, as handlers know them. */
export interface Models {
  readonly journal: Journal;
  readonly mailboxes: Mailboxes;
  readonly queueing: Queueing;
  readonly deflections: Deflections;
  readonly places: Places;
  readonly monitor: Monitor;
  readonly phonebook: Phonebook;
  readonly rooms: Rooms;
  readonly parked: Model;
}

/** The ports that models are made from, and the models that others use besides. */
export interface ModelsOptions {
  readonly pbx: Pbx;
  readonly store: Store;
  readonly calls: Calls;
  readonly directory: Pick<DirectorySource, 'current' | 'onChange'>;
  /** The directory is among the sources by itself, as the first one. */
  readonly phonebook: Pick<PhonebookOptions, 'sources' | 'numbers' | 'visibleTo'>;
  readonly journal: JournalSettings;
  /** How much is kept of the missed calls of a queue. Left out: a thousand for thirty days. */
  readonly missed?: Keep | undefined;
  /** Dialplan context of what is played to users. */
  readonly context: string;
  /** Where recordings are kept; undefined: there are none. */
  readonly recordings?: Keeping | undefined;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly deflections: Deflections;
  readonly places: Places;
}

const MISSED_KEEP: Keep = { count: 1000, ageMs: 30 * 24 * 3600_000 };

/** Recordings that a user finds in a list; all others by their ids. */
const RECORDS_PER_USER = 1000;
const LONGEST_KEPT_MS = 10 * 365 * 24 * 3600_000;

/** Makes the models, with nothing in them. */
export function createModels(options: ModelsOptions): Models {
  const { directory, phonebook, log } = options;
  const sources = [directoryPersons(options.places.people, phonebook.numbers.key), ...phonebook.sources];
  const book = createPhonebook({
    ...phonebook,
    sources,
    isExtension: (number) => directory.current.byExtension(number) !== undefined,
    log,
  });
  const monitor = createMonitor({
    ...options,
    directory: () => directory.current,
    keeping: options.recordings,
    book: options.store.ledger('records', {
      count: RECORDS_PER_USER,
      ageMs: options.recordings?.keepMs ?? LONGEST_KEPT_MS,
    }),
    onStoreBack: (listener) => options.store.onState(({ usable }) => usable && listener()),
    random: () => randomBytes(8).toString('hex'),
  });
  return {
    // Before the monitor: a call's end is entered while its recording is known.
    journal: createJournal({
      ...options,
      settings: options.journal,
      nameOf: book.nameOf,
      recordOf: monitor.recordOf,
    }),
    mailboxes: createMailboxes(options),
    queueing: createQueueing({
      ...options,
      directory: () => directory.current,
      numbers: phonebook.numbers,
      keep: options.missed ?? MISSED_KEEP,
    }),
    rooms: createRooms(options),
    parked: createParked({
      ...options,
      deviceOf: (channel) => directory.current.deviceOfChannel(channel),
    }),
    deflections: options.deflections,
    places: options.places,
    phonebook: book,
    monitor,
  };
}

/** The models in the order in which they are told of an event. */
export function everyModel(models: Models): readonly Model[] {
  return Object.values(models);
}
