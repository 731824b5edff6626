/**
 * The contacts that the component hosts: `tweber@pbx.example.org` and `340@pbx.example.org`, each with the resource `phone`.
 * Users subscribe to them as to anybody (RFC 6121 §3); who may is decided here, and kept in the store.
 */

import type { Directory, User } from '../directory.ts';
import type { Log } from '../log.ts';
import { type BareJid, type Jid, parseJid } from '../protocol/jid.ts';
import { createRateLimit } from '../rate.ts';
import type { Store, StoredWatch } from '../store/store.ts';
import type { Stanza } from '../xmpp/xmpp.ts';
import type { Audience } from './audience.ts';
import type { Publisher, Voice } from './publisher.ts';
import { subscribed, telephonePresence, unsubscribed } from './stanza.ts';
import type { Visibility } from './visibility.ts';

/** The resource of every telephone. */
export const PHONE = 'phone';

/** How many strangers are refused; more of them get no answer, so that they cannot crowd out anybody's events. */
const strangerRate = { perSecond: 20, burst: 100 };
/** The same for each who belongs here: a server asks for everybody in the roster when a client comes. */
const askerRate = { perSecond: 200, burst: 20_000, keys: 10_000 };

/** Finds the user behind a hosted JID, whatever its resource: by user name, then by extension. */
export function hostedUser(
  domain: string,
  { domain: at, local }: Jid,
  directory: Directory,
): User | undefined {
  if (at !== domain || local === '') return undefined;
  return directory.byName(local) ?? directory.byExtension(local);
}

/** The voices of a user's telephone: one by name, one by extension, where these can be local parts (RFC 7622 §3.3). */
export function hostedVoices(domain: string, user: User): readonly Voice[] {
  const jids = [user.name, user.extension].flatMap((local) => parseJid(`${local}@${domain}`)?.bare ?? []);
  return [...new Set(jids)].map((contact) => ({ contact, from: `${contact}/${PHONE}`, more: '' }));
}

/** What clients may call the contact. */
export function nickname({ fullName, extension }: User): string {
  return fullName === extension ? extension : `${fullName} (${extension})`;
}

/** What {@link createHosted} needs. */
export interface HostedOptions {
  /** The component's domain. */
  readonly domain: string;
  readonly directory: () => Directory;
  readonly audience: Audience;
  readonly publisher: Pick<Publisher, 'present'>;
  readonly visibility: Visibility;
  readonly store: Pick<Store, 'saveWatch' | 'deleteWatch'>;
  readonly send: (stanza: string) => boolean;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  /** Granted subscriptions that are kept, at most. */
  readonly maxWatches: number;
  /** Called with each that there is no room for. */
  readonly onFull?: () => void;
  readonly log: Log;
}

/** The hosted contacts. */
export interface Hosted {
  /** Takes a presence stanza to one of them. */
  take(stanza: Stanza): void;
  /** Takes over what the store held. */
  restore(stored: readonly StoredWatch[]): void;
  /** Makes a store true that was away, or is another. */
  reconcile(stored: readonly StoredWatch[]): void;
  /** Grants without having been asked, as for an entry that was put into a roster; false where there is no room. */
  grant(contact: BareJid, watcher: BareJid): boolean;
  /** Takes back what is no longer allowed; says `unsubscribed` for it. */
  review(): void;
}

/** Makes them. */
export function createHosted(options: HostedOptions): Hosted {
  const { domain, directory, audience, publisher, visibility, store, send, monotonic, maxWatches, log } =
    options;

  // Everybody of the world may ask; one bucket for all of them, for domains are cheap.
  const strangers = createRateLimit<''>({ ...strangerRate, keys: 1, monotonic });
  const askers = createRateLimit<BareJid>({ ...askerRate, monotonic });
  let full = false;

  function grant(contact: BareJid, watcher: BareJid): boolean {
    if (audience.has(contact, watcher)) return true;
    if (audience.size >= maxWatches) {
      options.onFull?.();
      log[full ? 'debug' : 'warn'](
        { contact, watcher, maxWatches },
        'no room for another presence subscription',
      );
      full = true;
      return false;
    }
    full = false;
    audience.add(contact, watcher);
    store.saveWatch({ contact, watcher });
    return true;
  }

  function revoke(contact: BareJid, watcher: BareJid): boolean {
    if (!audience.delete(contact, watcher)) return false;
    store.deleteWatch({ contact, watcher });
    return true;
  }

  const say = (contact: BareJid, to: string, user: User | undefined) =>
    send(telephonePresence(`${contact}/${PHONE}`, to, user ? publisher.present(user) : 'unavailable'));

  function subscribe(contact: BareJid, from: Jid, user: User | undefined): void {
    // A directory that is not there yet refuses nobody for good.
    if (directory().users.length === 0) return;
    if (user === undefined || !visibility.mayWatch(user, from, directory()) || !grant(contact, from.bare)) {
      revoke(contact, from.bare);
      send(unsubscribed(contact, from.bare));
      log.debug({ contact, watcher: from.bare }, 'presence subscription refused');
      return;
    }
    send(subscribed(contact, from.bare, nickname(user)));
    say(contact, from.bare, user);
  }

  function probe(contact: BareJid, from: Jid, user: User | undefined): void {
    const to = from.resource === '' ? from.bare : `${from.bare}/${from.resource}`;
    if (user !== undefined && !visibility.mayWatch(user, from, directory())) {
      // Who was never allowed learns no more than of an address where nobody is (RFC 6120 §13.11).
      if (revoke(contact, from.bare)) send(unsubscribed(contact, from.bare));
      else say(contact, to, undefined);
      return;
    }
    // Servers probe whom the roster has: a subscription that we know nothing of was put there by the operator, or we forgot it.
    if (user !== undefined) grant(contact, from.bare);
    audience.arrived(from.bare, from.resource, monotonic());
    // Who is in nobody's directory may be so by mistake: away, and not `unsubscribed`, which would change the roster.
    say(contact, to, user);
  }

  return {
    grant,
    take({ type, from, to }) {
      if (!visibility.mayAsk(from)) {
        if ((type === 'probe' || type === 'subscribe') && strangers.take(''))
          send(unsubscribed(to.bare, from.bare));
        return;
      }
      const asks = type === 'probe' || type === 'subscribe' || type === 'unsubscribe';
      if (asks && !askers.take(from.bare)) {
        if (type === 'unsubscribe') revoke(to.bare, from.bare);
        return;
      }
      const user = hostedUser(domain, to, directory());
      if (type === 'probe') probe(to.bare, from, user);
      else if (type === 'subscribe') subscribe(to.bare, from, user);
      else if (type === 'unsubscribe') {
        revoke(to.bare, from.bare);
        // RFC 6121 §3.3.3: who unsubscribes is told that the contact is unavailable.
        send(telephonePresence(`${to.bare}/${PHONE}`, from.bare, 'unavailable'));
      }
    },
    restore(stored) {
      for (const { contact, watcher } of stored) {
        if (audience.size >= maxWatches) {
          log.warn({ maxWatches, stored: stored.length }, 'not every stored presence subscription has room');
          return;
        }
        if (parseJid(contact)?.domain === domain) audience.add(contact, watcher);
      }
    },
    reconcile(stored) {
      const missing = new Map(
        [...audience.contacts()]
          .filter(({ jid }) => parseJid(jid)?.domain === domain)
          .map(({ jid, watchers }) => [jid, new Set([...watchers].map((watcher) => watcher.jid))]),
      );
      for (const { contact, watcher } of stored) {
        if (missing.get(contact)?.delete(watcher) !== true) store.deleteWatch({ contact, watcher });
      }
      for (const [contact, watchers] of missing)
        for (const watcher of watchers) store.saveWatch({ contact, watcher });
    },
    review() {
      if (directory().users.length === 0) return;
      // Few people watch many telephones: each is looked at once.
      const known = new Map([...audience.watchers()].map(({ jid }) => [jid, parseJid(jid)]));
      for (const { jid: contact, watchers } of [...audience.contacts()]) {
        const parsed = parseJid(contact);
        const user = parsed && hostedUser(domain, parsed, directory());
        if (user === undefined) continue;
        for (const { jid: watcher } of [...watchers]) {
          const who = known.get(watcher);
          if (who !== undefined && visibility.mayWatch(user, who, directory())) continue;
          revoke(contact, watcher);
          send(telephonePresence(`${contact}/${PHONE}`, watcher, 'unavailable'));
          send(unsubscribed(contact, watcher));
        }
      }
    },
  };
}
