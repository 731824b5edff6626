/** Telephone presence: what the telephone system tells on one side, who watches on the other. */

import { type Bounded, createBound } from '../bounds.ts';
import type { Calls } from '../calls/calls.ts';
import type { CallChange } from '../calls/changes.ts';
import { type TelephoneState, telephoneState } from '../calls/presence.ts';
import type { Deflections } from '../deflections.ts';
import type { Directory, DirectorySource, User } from '../directory.ts';
import type { Log } from '../log.ts';
import type { PbxEvent } from '../pbx/events.ts';
import type { Pbx } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { Store } from '../store/store.ts';
import { createAsking } from '../xmpp/alive.ts';
import type { DiscoSources } from '../xmpp/disco.ts';
import type { PrivilegeWatch } from '../xmpp/privilege.ts';
import type { Rosters } from '../xmpp/rosters.ts';
import type { Stanza, Xmpp } from '../xmpp/xmpp.ts';
import { createActivity } from './activity.ts';
import { createAudience } from './audience.ts';
import { answerCards, hostedInfo, hostedItems, VCARD_NS } from './cards.ts';
import { createDoubts } from './doubts.ts';
import { createFill } from './fill.ts';
import { createFollow } from './follow.ts';
import { createHere, type ListConnected } from './here.ts';
import { createHosted, hostedVoices } from './hosted.ts';
import { createOwn } from './own.ts';
import { createPublisher, sameVoices, type Voice } from './publisher.ts';
import { createVisibility, type VisibilityOptions } from './visibility.ts';

/** What the operator has decided. Times are milliseconds. */
export interface PresenceSettings {
  /** Whether there are hosted contacts. */
  readonly contacts: boolean;
  /** Whether telephones show as resources of the users' own JIDs, too. */
  readonly ownResource: boolean;
  /** Whether who talks has the activity `on_the_phone`. */
  readonly activity: boolean;
  readonly visibility: Omit<VisibilityOptions, 'domains'>;
  /** Whether this user's telephone follows the chat status. */
  readonly follows: (user: User) => boolean;
  /** Presence stanzas per second, on average. */
  readonly perSecond: number;
  /** Granted subscriptions, at most. */
  readonly maxWatches: number;
  /** How long events are gathered. */
  readonly gatherMs: number;
  /** How long the telephone system may be away before its telephones count as unknown. */
  readonly lossMs: number;
  /** How often, for own resources, rosters are read again. */
  readonly rostersEveryMs: number;
}

/** What {@link createPresence} needs. */
export interface PresenceOptions {
  readonly settings: PresenceSettings;
  readonly xmpp: Xmpp;
  readonly privileges: PrivilegeWatch;
  readonly pbx: Pbx;
  readonly calls: Calls;
  readonly doNotDisturb: Pick<Deflections, 'of' | 'onDoNotDisturb' | 'readDoNotDisturb' | 'setDoNotDisturb'>;
  readonly directory: DirectorySource;
  readonly store: Store;
  readonly domains: readonly string[];
  /** Reads rosters, for own resources. */
  readonly rosters: Rosters;
  /** Where telephones are put into rosters; undefined where nobody does that. */
  readonly fillRosters: Rosters | undefined;
  /** Where the server can be asked for who is connected; undefined where it cannot. */
  readonly connected: ListConnected | undefined;
  readonly log: Log;
  readonly monotonic: () => number;
}

/** Telephone presence. */
export interface Presence extends Partial<Bounded> {
  /** Takes an event of the telephone system, after the call model has: `changes` are what it made of it. */
  apply(event: PbxEvent, changes: readonly CallChange[]): void;
  /** Reads the store; says nothing before the server and the telephone system are there. Never rejects. */
  start(): Promise<void>;
  /** Says `unavailable` for every telephone, within `ms` milliseconds. Never rejects. */
  stop(ms: number): Promise<void>;
  /** What the hosted contacts are, for discovery. */
  readonly disco: DiscoSources;
  /** For metrics: stanzas sent, telephones that wait, granted subscriptions and roster relations. */
  readonly counters: { readonly sent: number; readonly waiting: number; readonly watches: number };
}

const trustMs = 5 * 60_000;
const pingTimeoutMs = 20_000;
const pingsAtOnce = 50;
const maxOffers = 500;

/** Wires it. */
export function createPresence(options: PresenceOptions): Presence {
  const {
    settings,
    xmpp,
    privileges,
    pbx,
    calls,
    doNotDisturb,
    directory,
    store,
    domains,
    rosters,
    log,
    monotonic,
  } = options;
  const audience = createAudience();
  const visibility = createVisibility({ ...settings.visibility, domains });
  const current = () => directory.current;
  const userOf = (jid: BareJid) => directory.current.byJid(jid);

  /** Whether the telephone system can be asked. */
  let known = false;
  /** Whether it was there once, or was waited for long enough. */
  let settled = false;
  /** Whether it is known who is online since the last connect. */
  let greeted = false;
  let connects = 0;
  let restored = false;
  let loss: NodeJS.Timeout | undefined;
  let rereading: NodeJS.Timeout | undefined;

  doNotDisturb.onDoNotDisturb((extension) => {
    const user = directory.current.byExtension(extension);
    if (user !== undefined) publisher.changed(user.jid);
  });

  function stateOf(user: User): TelephoneState {
    if (!known) return 'unknown';
    const devices = user.devices.map(({ device }) => device);
    return telephoneState(devices, calls, doNotDisturb.of(user.extension).doNotDisturb);
  }

  function voices(user: User): readonly Voice[] {
    const hosts = settings.contacts ? hostedVoices(xmpp.domain, user) : [];
    return [...hosts, ...own.voices(user)];
  }

  const asking = createAsking(xmpp);
  const publisher = createPublisher({
    audience,
    users: () => directory.current.users,
    user: userOf,
    voices,
    stateOf,
    online: () => xmpp.state.status === 'online' && settled && greeted,
    send: (stanza) => xmpp.send(stanza),
    onTold: createDoubts({
      xmpp,
      asking,
      audience,
      trustMs,
      timeoutMs: pingTimeoutMs,
      atOnce: pingsAtOnce,
      monotonic,
    }),
    onState: (user, state) => {
      if (settings.activity) activity.show(user, state);
    },
    perSecond: settings.perSecond,
    gatherMs: settings.gatherMs,
    monotonic,
  });
  const watches = createBound('presence_watches', settings.maxWatches, () => audience.size);
  const hosted = createHosted({
    domain: xmpp.domain,
    directory: current,
    audience,
    publisher,
    visibility,
    store,
    send: (stanza) => xmpp.send(stanza),
    monotonic,
    maxWatches: settings.maxWatches,
    onFull: watches.exceed,
    log,
  });
  const own = createOwn({
    enabled: settings.ownResource,
    xmpp,
    directory: current,
    audience,
    publisher: () => publisher,
    rosters,
    store,
    maxWatches: settings.maxWatches,
    log,
  });
  const activity = createActivity({ xmpp, privileges, log });
  const follow = createFollow({
    follows: settings.follows,
    directory: current,
    asking,
    pbx,
    doNotDisturb,
    log,
  });
  const here = createHere({
    xmpp,
    privileges,
    audience,
    domains,
    connected: options.connected,
    monotonic,
    log,
  });
  const fill =
    options.fillRosters === undefined || !settings.contacts
      ? undefined
      : createFill({
          rosters: options.fillRosters,
          directory: current,
          visibility,
          voice: (user) => hostedVoices(xmpp.domain, user)[0],
          hosted,
          publisher,
          store,
          maxOffers,
          log,
        });

  function onPresence(stanza: Stanza): void {
    const { type, from, to } = stanza;
    if (type === 'available' && audience.arrived(from.bare, from.resource, monotonic()))
      own.greet(from.bare, from.resource);
    if (type === 'unavailable') audience.left(from.bare, from.resource);
    follow.take(stanza);
    if (to.local !== '' && settings.contacts) hosted.take(stanza);
  }

  /** The stream is up: who is there, and then how things are. */
  async function arrive(): Promise<void> {
    const since = monotonic();
    connects += 1;
    const connect = connects;
    greeted = false;
    if (!restored) await restore();
    const sure = await here(since);
    if (connect === connects) await own.arrive();
    // The stream may be another one by now, which has an arrival of its own.
    if (connect !== connects || xmpp.state.status !== 'online') return;
    greeted = true;
    publisher.sayAll();
    if (known) follow.review(sure);
    await fill?.();
  }

  async function restore(): Promise<void> {
    try {
      const stored = await store.loadWatches();
      if (restored) return hosted.reconcile(stored);
      restored = true;
      hosted.restore(stored);
      log.info({ watches: stored.length }, 'presence subscriptions restored');
    } catch (error) {
      log.warn({ reason: String(error) }, 'stored presence subscriptions cannot be read yet');
    }
  }

  function settle(isKnown: boolean): void {
    clearTimeout(loss);
    loss = undefined;
    known = isKnown;
    settled = true;
    publisher.changedAll();
  }

  const waitForTelephones = () => {
    loss ??= setTimeout(() => settle(false), settings.lossMs);
  };

  function onDirectory(now: Directory, before: Directory): void {
    // Somebody sits elsewhere: other telephones, the same people.
    if (now.basis === before.basis) {
      publisher.changedAll();
      return;
    }
    const spoken = new Set(now.users.flatMap((user) => voices(user).map(({ contact }) => contact)));
    for (const user of before.users) {
      const was = voices(user);
      const is = now.byJid(user.jid);
      if (is !== undefined && sameVoices(was, voices(is))) continue;
      // What passed from one user to another is told anew, what nobody has any more is taken back.
      publisher.withdraw(
        user.jid,
        was.filter(({ contact }) => !spoken.has(contact)),
      );
    }
    hosted.review();
    publisher.changedAll();
    if (!greeted) return;
    void own.review();
    void fill?.();
  }

  xmpp.onPresence(onPresence);
  xmpp.onState(({ status }) => {
    if (status === 'online') void arrive();
    else greeted = false;
  });
  store.onState(({ usable }) => {
    if (!usable || !greeted) return;
    const first = !restored;
    void restore().then(() => {
      if (first) publisher.sayAll();
    });
  });
  directory.onChange(onDirectory);
  const cards = { domain: xmpp.domain, directory: current, visibility };
  if (settings.contacts) xmpp.onIq(VCARD_NS, answerCards(cards), 'vCard');

  return {
    bounds: [watches],
    disco: settings.contacts
      ? { info: [hostedInfo(cards)], items: [hostedItems(cards)] }
      : { info: [], items: [] },
    counters: {
      get sent() {
        return publisher.sent;
      },
      get waiting() {
        return publisher.waiting;
      },
      get watches() {
        return audience.size;
      },
    },
    apply(event, changes) {
      for (const change of changes) {
        if (change.kind !== 'channel' && change.kind !== 'device') continue;
        const device = change.kind === 'channel' ? change.view.device : change.device;
        const owner = directory.current.byDevice(device);
        if (owner !== undefined) publisher.changed(owner.user.jid);
      }
      if (event.type === 'snapshot') {
        settle(true);
        if (greeted) follow.review(new Set());
      } else if (event.type === 'feed-down') waitForTelephones();
    },
    async start() {
      await restore();
      if (!known) waitForTelephones();
      if (xmpp.state.status === 'online') void arrive();
      if (settings.ownResource) {
        rereading = setInterval(() => void own.review(), settings.rostersEveryMs).unref();
      }
    },
    async stop(ms) {
      clearTimeout(loss);
      clearInterval(rereading);
      const [left] = await Promise.all([publisher.stop(ms), activity.stop(ms)]);
      if (left > 0)
        log.warn({ telephones: left }, 'the XMPP server did not take the end of all telephones in time');
      else own.stopped();
    },
  };
}
