/**
 * The telephone as a resource of the user's own JID, `tweber@example.org/phone`, as the original system shows it. The server
 * must let the component speak for its users, and read rosters: it does not know of the resource, so that who is to see it, and
 * when, is decided here.
 */

import type { Directory, User } from '../directory.ts';
import { StanzaError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import { escapeXml, xml } from '../protocol/xml.ts';
import type { Store } from '../store/store.ts';
import { PING_NS } from '../xmpp/namespaces.ts';
import type { Rosters } from '../xmpp/rosters.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import type { Audience } from './audience.ts';
import { PHONE } from './hosted.ts';
import type { Publisher, Voice } from './publisher.ts';
import { telephonePresence } from './stanza.ts';

/** What {@link createOwn} needs. */
export interface OwnOptions {
  /** False: only takes back what an earlier run with the option left behind. */
  readonly enabled: boolean;
  readonly xmpp: Pick<Xmpp, 'domain' | 'request' | 'send' | 'state'>;
  readonly directory: () => Directory;
  readonly audience: Audience;
  readonly publisher: () => Pick<Publisher, 'introduce' | 'present' | 'withdraw'>;
  readonly rosters: Rosters;
  readonly store: Pick<Store, 'loadFacts' | 'saveFact' | 'deleteFact'>;
  /** Who sees whom, hosted contacts included, at most. */
  readonly maxWatches: number;
  readonly log: Log;
}

/** The users' own resources. */
export interface Own {
  /** The user's voice as a resource; none where the server does not play along. */
  voices(user: User): readonly Voice[];
  /** After each connect: finds out whether the server lets us, and begins to read the rosters. Never rejects. */
  arrive(): Promise<void>;
  /** Somebody has come online: they are told of everybody that they may see, and their own roster is read again. */
  greet(watcher: BareJid, resource: string): void;
  /** The directory has changed, or some time has passed: reads the rosters again. Never rejects. */
  review(): Promise<void>;
  /** Everything was withdrawn in order. */
  stopped(): void;
}

/** The fact that something was said which the server will not take back by itself. */
const FACT = 'own-resource';
const timeoutMs = 20_000;
const atOnce = 8;
/** Nothing that is sent to this resource arrives: no client shall prefer it (RFC 6121 §4.7.2.3). */
const more = '<priority>-1</priority>';

/** Makes it. */
export function createOwn(options: OwnOptions): Own {
  const { enabled, xmpp, directory, audience, publisher, rosters, store, maxWatches, log } = options;
  let allowed = false;
  let forbidden = false;
  let leftOver = false;
  let complained = false;

  const voiceOf = ({ jid }: User): Voice => ({ contact: jid, from: `${jid}/${PHONE}`, more });

  /** One harmless stanza in a user's name: a server that minds ends the stream, which then happens once and not for ever. */
  async function mayImpersonate(user: User): Promise<boolean> {
    const address = `from='${escapeXml(`${user.jid}/${PHONE}`)}' to='${escapeXml(xmpp.domain)}'`;
    if (!xmpp.send(`<presence type='unavailable' ${address}/>`)) return false;
    try {
      await xmpp.request(`${xmpp.domain}/${PHONE}`, 'get', xml('ping', { xmlns: PING_NS }), timeoutMs);
      return true;
    } catch (error) {
      const away = error instanceof StanzaError && error.condition === 'remote-server-timeout';
      // The stream's end says why; anything else than that (a restart of the server, say) is no verdict.
      if (!away || !/accepts stanzas only from|invalid-from/.test(`${error.message} ${xmpp.state.reason}`))
        return !away;
      forbidden = true;
      log.error(
        'telephones cannot be shown as the users’ own resources: the server refuses stanzas in its users’ names; set validate_from_addresses = false (Prosody) or check_from: false (ejabberd), or turn PRESENCE_OWN_RESOURCE off',
      );
      return false;
    }
  }

  /** Whoever may see the user's presence by the user's roster, and the user. */
  async function load(user: User, quiet: boolean): Promise<void> {
    const wanted = new Set<BareJid>([user.jid]);
    for (const { jid, subscription } of await rosters.read(user.jid)) {
      const seen = subscription === 'from' || subscription === 'both';
      if (seen && parseJid(jid)?.domain !== xmpp.domain) wanted.add(jid);
    }
    const voice = voiceOf(user);
    for (const { jid } of [...(audience.contact(user.jid)?.watchers ?? [])]) {
      if (wanted.delete(jid)) continue;
      audience.delete(user.jid, jid);
      xmpp.send(telephonePresence(voice.from, jid, 'unavailable'));
    }
    for (const jid of wanted) {
      if (audience.size >= maxWatches && !audience.has(user.jid, jid))
        throw new Error(`no room for more than ${maxWatches} watchers`);
      audience.add(user.jid, jid);
      const state = publisher().present(user);
      if (!quiet && state !== 'unavailable') xmpp.send(telephonePresence(voice.from, jid, state, more));
    }
  }

  let again = false;
  let reading: Promise<void> | undefined;
  /** One reading of all rosters at a time; who asks meanwhile gets another one after it. */
  function reload(): Promise<void> {
    again = true;
    reading ??= readAgain();
    return reading;
  }

  async function readAgain(): Promise<void> {
    while (again) {
      again = false;
      await loadAll(false);
    }
    reading = undefined;
  }

  /** Reads all rosters. The server answers after it has handed out what it was sent: it sets the pace. */
  async function loadAll(quiet: boolean): Promise<void> {
    const queue = directory().users.values();
    const work = async () => {
      for (const user of queue) {
        if (xmpp.state.status !== 'online') return;
        await loadOrComplain(user, quiet);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  async function loadOrComplain(user: User, quiet: boolean): Promise<void> {
    try {
      await load(user, quiet);
    } catch (error) {
      log[complained ? 'debug' : 'warn'](
        { user: user.jid, reason: String(error) },
        'a roster cannot be taken in: not everybody sees the telephone as a resource',
      );
      complained = true;
      audience.add(user.jid, user.jid);
    }
  }

  async function takeBack(): Promise<void> {
    const [first] = directory().users;
    if (first === undefined) return;
    leftOver = false;
    // Before, so that a server that refuses it is asked once.
    store.deleteFact(FACT);
    if (!(await mayImpersonate(first))) {
      log.warn(
        'presence that an earlier run sent as users’ own resources stays until those clients log in again',
      );
      return;
    }
    await loadAll(true);
    for (const user of directory().users) {
      publisher().withdraw(user.jid, [voiceOf(user)]);
      for (const { jid } of [...(audience.contact(user.jid)?.watchers ?? [])]) audience.delete(user.jid, jid);
    }
    log.info('took back the presence that an earlier run sent as users’ own resources');
  }

  async function arrive(): Promise<void> {
    if (!enabled) {
      const known = await store.loadFacts().catch(() => new Map<string, string>());
      leftOver ||= known.has(FACT);
      if (leftOver) await takeBack();
      return;
    }
    const [first] = directory().users;
    allowed = false;
    if (forbidden || first === undefined || !(await mayImpersonate(first))) return;
    store.saveFact(FACT, 'shown');
    allowed = true;
    void reload();
  }

  return {
    voices: (user) => (allowed ? [voiceOf(user)] : []),
    arrive,
    greet(watcher, resource) {
      if (!allowed) return;
      const to = `${watcher}/${resource}`;
      for (const { jid } of audience.watcher(watcher)?.contacts ?? []) {
        const user = directory().byJid(jid);
        if (user === undefined) continue;
        const state = publisher().present(user);
        if (state !== 'unavailable') xmpp.send(telephonePresence(voiceOf(user).from, to, state, more));
      }
      const own = directory().byJid(watcher);
      if (own !== undefined) void loadOrComplain(own, false);
    },
    async review() {
      if (!allowed) await arrive();
      else await reload();
    },
    stopped() {
      if (allowed) store.deleteFact(FACT);
    },
  };
}
