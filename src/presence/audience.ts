/**
 * Who watches whom, and which watchers are online: an index over pairs of JIDs, so that a state costs as many stanzas as
 * there are people to see it.
 */

import type { BareJid } from '../protocol/jid.ts';

/** A JID whose presence is watched: a telephone's. */
export interface Contact {
  readonly jid: BareJid;
  readonly watchers: ReadonlySet<Watcher>;
}

/** Somebody who watches telephones. */
export interface Watcher {
  readonly jid: BareJid;
  readonly contacts: ReadonlySet<Contact>;
  /** Resources that are known to be online, each with when it was last heard of, milliseconds of the clock in use. */
  readonly resources: ReadonlyMap<string, number>;
  /**
   * Whether {@link resources} is all there is. Servers tell a component of logins, but not of who was there before; until
   * that is known, the watcher has to count as online.
   */
  readonly sure: boolean;
}

/** Whether somebody is to be told. */
export function isOnline({ sure, resources }: Watcher): boolean {
  return !sure || resources.size > 0;
}

/** The index. */
export interface Audience {
  /** Pairs of contact and watcher. */
  readonly size: number;
  contact(jid: BareJid): Contact | undefined;
  watcher(jid: BareJid): Watcher | undefined;
  /** Every contact that somebody watches. */
  contacts(): Iterable<Contact>;
  watchers(): Iterable<Watcher>;
  has(contact: BareJid, watcher: BareJid): boolean;
  /** False where the pair was there already. */
  add(contact: BareJid, watcher: BareJid): boolean;
  /** False where there was no such pair. */
  delete(contact: BareJid, watcher: BareJid): boolean;
  /** A resource is online. True where it was not known to be; nothing happens where nobody of that name watches. */
  arrived(watcher: BareJid, resource: string, at: number): boolean;
  /** A resource has gone; `''`: all of them. */
  left(watcher: BareJid, resource: string): void;
  /** Nobody is sure to be offline any more: the server was away, and we do not know who came meanwhile. */
  doubtAll(): void;
  /** Of this domain everybody who is online was heard of since then: the rest is offline. */
  settle(domain: string, since: number): void;
}

interface ContactEntry extends Contact {
  readonly watchers: Set<WatcherEntry>;
}

interface WatcherEntry extends Watcher {
  readonly contacts: Set<ContactEntry>;
  resources: Map<string, number>;
  sure: boolean;
}

/** Kept for one watcher; the one heard of longest ago makes room. Where no presence flows, nobody says that one has gone. */
const maxResources = 32;
/** Shared by all who have no resource: most watchers, most of the time. */
const none = new Map<string, number>();

/** Makes an empty index. */
export function createAudience(): Audience {
  const contacts = new Map<BareJid, ContactEntry>();
  const watchers = new Map<BareJid, WatcherEntry>();
  let size = 0;

  function contactOf(jid: BareJid): ContactEntry {
    const known = contacts.get(jid);
    if (known !== undefined) return known;
    const made: ContactEntry = { jid, watchers: new Set() };
    contacts.set(jid, made);
    return made;
  }

  function watcherOf(jid: BareJid): WatcherEntry {
    const known = watchers.get(jid);
    if (known !== undefined) return known;
    const made: WatcherEntry = { jid, contacts: new Set(), resources: none, sure: false };
    watchers.set(jid, made);
    return made;
  }

  return {
    get size() {
      return size;
    },
    contact: (jid) => contacts.get(jid),
    watcher: (jid) => watchers.get(jid),
    contacts: () => contacts.values(),
    watchers: () => watchers.values(),
    has(contact, watcher) {
      const [known, who] = [contacts.get(contact), watchers.get(watcher)];
      return known !== undefined && who !== undefined && known.watchers.has(who);
    },
    add(contact, watcher) {
      const [known, who] = [contactOf(contact), watcherOf(watcher)];
      if (known.watchers.has(who)) return false;
      known.watchers.add(who);
      who.contacts.add(known);
      size += 1;
      return true;
    },
    delete(contact, watcher) {
      const [known, who] = [contacts.get(contact), watchers.get(watcher)];
      if (known === undefined || who === undefined || !known.watchers.delete(who)) return false;
      who.contacts.delete(known);
      if (known.watchers.size === 0) contacts.delete(contact);
      if (who.contacts.size === 0) watchers.delete(watcher);
      size -= 1;
      return true;
    },
    arrived(watcher, resource, at) {
      const who = watchers.get(watcher);
      if (who === undefined || resource === '') return false;
      if (who.resources === none) who.resources = new Map();
      const isNew = !who.resources.has(resource);
      // Put back last: the first is the one that was silent longest.
      who.resources.delete(resource);
      who.resources.set(resource, at);
      const [oldest] = who.resources.keys();
      if (who.resources.size > maxResources && oldest !== undefined) who.resources.delete(oldest);
      return isNew;
    },
    left(watcher, resource) {
      const who = watchers.get(watcher);
      if (who === undefined) return;
      if (resource === '') {
        who.resources = none;
        // The server speaks for the account (RFC 6121 §4.3.2): there is no resource at all.
        who.sure = true;
      } else if (who.resources.delete(resource) && who.resources.size === 0) who.resources = none;
    },
    doubtAll() {
      for (const who of watchers.values()) who.sure = false;
    },
    settle(domain, since) {
      for (const who of watchers.values()) {
        if (!who.jid.endsWith(`@${domain}`)) continue;
        const present = [...who.resources].filter(([, at]) => at >= since);
        who.resources = present.length === 0 ? none : new Map(present);
        who.sure = true;
      }
    },
  };
}
