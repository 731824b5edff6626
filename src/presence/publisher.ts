/**
 * States of telephones to those who watch them: gathered, so that a burst of events is one presence, and paced, so that
 * ten thousand telephones at once do not drown the server. One timer for all of it.
 */

import type { TelephoneState } from '../calls/presence.ts';
import type { User } from '../directory.ts';
import type { BareJid } from '../protocol/jid.ts';
import { type Audience, isOnline, type Watcher } from './audience.ts';
import { telephonePresence } from './stanza.ts';

/** A JID that a user's telephone speaks as. */
export interface Voice {
  /** Whom watchers watch. */
  readonly contact: BareJid;
  /** Where the presence comes from: the contact with a resource. */
  readonly from: string;
  /** Put into each available presence, e.g. a priority. */
  readonly more: string;
}

/** Whether these watchers watch the same. */
export function sameVoices(a: readonly Voice[], b: readonly Voice[]): boolean {
  return a.length === b.length && a.every(({ contact }, at) => contact === b[at]?.contact);
}

/** What {@link createPublisher} needs. */
export interface PublisherOptions {
  readonly audience: Audience;
  readonly users: () => readonly User[];
  readonly user: (jid: BareJid) => User | undefined;
  readonly voices: (user: User) => readonly Voice[];
  readonly stateOf: (user: User) => TelephoneState;
  /** Whether the server can be reached. While it cannot, nothing is said; {@link Publisher.sayAll} follows. */
  readonly online: () => boolean;
  /** Hands a stanza over; false where there is no room at present. */
  readonly send: (stanza: string) => boolean;
  /** Called for each watcher that was told something. */
  readonly onTold: (watcher: Watcher) => void;
  /** Called when a user's state was told that is not the one told before. */
  readonly onState: (user: User, state: TelephoneState) => void;
  /** Presence stanzas per second, on average. */
  readonly perSecond: number;
  /** How long events are gathered, milliseconds. */
  readonly gatherMs: number;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
}

/** The publisher. */
export interface Publisher {
  /** Stanzas handed over since the start. */
  readonly sent: number;
  /** Telephones that wait to be told of. */
  readonly waiting: number;
  /** The user's telephone may be in another state. Costs next to nothing; nothing is said where the state is the same. */
  changed(user: BareJid): void;
  /** Any telephone may be in another state. */
  changedAll(): void;
  /** Everybody is told everything, whatever was said before: nobody knows what arrived. */
  sayAll(): void;
  /** What a newcomer has to be told, so that newcomers and all others know the same. */
  present(user: User): TelephoneState;
  /** Says at once, to whoever watches this voice, what is known of the user. For a voice that others do not know yet. */
  introduce(user: User, voice: Voice): void;
  /** The user is no more, or speaks with other voices: whoever watched these voices is told. */
  withdraw(user: BareJid, voices: readonly Voice[]): void;
  /**
   * Says `unavailable` for every telephone, those first that would mislead most, as fast as the server takes it. Says
   * nothing afterwards. Resolves with the number of telephones that were not told of within `ms`; never rejects.
   */
  stop(ms: number): Promise<number>;
}

/** What is misleading for longer when nobody takes it back comes first. */
const misleading: readonly (TelephoneState | undefined)[] = [
  'busy',
  'dnd',
  'ringing',
  'free',
  undefined,
  'unknown',
];
/** Share of a second's stanzas that may go out at once. */
const burst = 0.25;

/** Makes it; nothing is said before something has changed. */
export function createPublisher(options: PublisherOptions): Publisher {
  const {
    audience,
    users,
    user: find,
    voices,
    stateOf,
    online,
    send,
    onTold,
    onState,
    perSecond,
    monotonic,
  } = options;
  /** What everybody who is online was told last. */
  const told = new Map<BareJid, TelephoneState>();
  const urgent = new Set<BareJid>();
  const bulk = new Set<BareJid>();
  const room = Math.max(perSecond * burst, 1);
  let tokens = room;
  let filledAt = monotonic();
  let timer: NodeJS.Timeout | undefined;
  let sent = 0;
  let stopped = false;

  function arm(): void {
    if (timer === undefined && !stopped) timer = setTimeout(flush, options.gatherMs);
  }

  function refill(): void {
    const now = monotonic();
    tokens = Math.min(room, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
  }

  function flush(): void {
    timer = undefined;
    if (!online()) return;
    refill();
    if (!drain()) arm();
  }

  /** Works off what waits; false where some of it has to wait longer. */
  function drain(): boolean {
    for (const queue of [urgent, bulk]) {
      for (const jid of queue) {
        if (tokens <= 0) return false;
        const user = find(jid);
        if (user !== undefined && !tell(user)) return false;
        queue.delete(jid);
      }
    }
    return true;
  }

  /** Tells what is new. False where the server takes no more: then it is said anew, for half of it may be out. */
  function tell(user: User): boolean {
    const state = stateOf(user);
    if (told.get(user.jid) === state) return true;
    for (const voice of voices(user)) if (!say(voice, state)) return false;
    told.set(user.jid, state);
    onState(user, state);
    return true;
  }

  function say({ contact, from, more }: Voice, state: TelephoneState): boolean {
    for (const watcher of audience.contact(contact)?.watchers ?? []) {
      if (!isOnline(watcher)) continue;
      // To the account: its server hands it to every resource that is available (RFC 6121 §8.5.2.1.2).
      if (!send(telephonePresence(from, watcher.jid, state, more))) return false;
      sent += 1;
      tokens -= 1;
      onTold(watcher);
    }
    return true;
  }

  return {
    get sent() {
      return sent;
    },
    get waiting() {
      return urgent.size + bulk.size;
    },
    changed(user) {
      if (stopped) return;
      bulk.delete(user);
      urgent.add(user);
      arm();
    },
    changedAll() {
      if (stopped) return;
      for (const { jid } of users()) if (!urgent.has(jid)) bulk.add(jid);
      arm();
    },
    sayAll() {
      if (stopped) return;
      told.clear();
      for (const { jid } of users()) if (!urgent.has(jid)) bulk.add(jid);
      arm();
    },
    present(user) {
      // Nobody would take back what is said now.
      if (stopped) return 'unavailable';
      // What was said to the others and not the very latest: when that is said, everybody hears it.
      return told.get(user.jid) ?? stateOf(user);
    },
    introduce(user, voice) {
      if (online() && !stopped) say(voice, told.get(user.jid) ?? stateOf(user));
    },
    withdraw(user, gone) {
      told.delete(user);
      for (const voice of gone) say(voice, 'unavailable');
    },
    async stop(ms) {
      stopped = true;
      clearTimeout(timer);
      const deadline = monotonic() + ms;
      const left = users().filter(({ jid }) => told.get(jid) !== 'unavailable');
      left.sort((a, b) => misleading.indexOf(told.get(a.jid)) - misleading.indexOf(told.get(b.jid)));
      for (const [index, user] of left.entries()) {
        for (const voice of voices(user)) {
          while (!say(voice, 'unavailable')) {
            if (!online() || monotonic() >= deadline) return left.length - index;
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        }
      }
      return 0;
    },
  };
}
