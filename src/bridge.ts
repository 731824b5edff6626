/** The bridge: commands one way, events the other, wired from ports. No I/O of its own. */

import type { Logger } from 'pino';
import type { Archive } from './archive/archive.ts';
import type { Bounded } from './bounds.ts';
import type { Calls } from './calls/calls.ts';
import type { Memory } from './calls/memory.ts';
import type { Change } from './changes.ts';
import { createConfirming } from './confirming.ts';
import type { Deflections } from './deflections.ts';
import type { Directory, DirectorySource } from './directory.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { StanzaError } from './errors.ts';
import { handOver } from './handover.ts';
import { createIntake } from './intake.ts';
import { createLiveness } from './liveness.ts';
import { createModels, everyModel, type ModelsOptions } from './models.ts';
import type { Context, Module, Settings } from './modules/define.ts';
import { watchOffer } from './modules/offer.ts';
import type { Keeping } from './monitor/monitor.ts';
import type { Pbx } from './pbx/pbx.ts';
import { serveSearch } from './phonebook/search.ts';
import type { Places } from './places/places.ts';
import { createQueueMoves } from './places/queues.ts';
import type { Presence } from './presence/presence.ts';
import { createPresenceRequest, refuseWatchers } from './presence-request.ts';
import { CMD_NS } from './protocol/envelope.ts';
import type { BareJid } from './protocol/jid.ts';
import { createPublish, type Publish } from './publish.ts';
import { boundOfKeys, createRateLimit } from './rate.ts';
import type { Audit } from './rules/audit.ts';
import { createRules } from './rules/rules.ts';
import { createSessions, type SessionLimits, type Sessions } from './sessions.ts';
import type { Store } from './store/store.ts';
import { createSubscriptionIndex } from './subscriptions/index.ts';
import { createTold, keysOf, type Told } from './told.ts';
import { createTransfer } from './transfer/transfer.ts';
import type { Webhook } from './webhook.ts';
import type { Xmpp } from './xmpp/xmpp.ts';

/** Bounds and times of a bridge. */
export interface BridgeLimits extends SessionLimits {
  /** Requests per second and JID on average, and at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Commands under way at once. */
  readonly inFlight: number;
  /** How long a command may take, milliseconds. */
  readonly commandMs: number;
  /** How long shutting down may wait for what is in flight, milliseconds. */
  readonly graceMs: number;
  /** Each session is asked whether it is still there once in this time, milliseconds, and so many per second at the most. */
  readonly pingEveryMs: number;
  readonly pingsPerSecond: number;
  /**
   * How often the server is asked whether the events have arrived, milliseconds; what was told since is told again after a loss of the stream.
   * Default: 1000.
   */
  readonly confirmEveryMs?: number;
}

/** The ports and settings that make a bridge. */
export interface BridgeOptions {
  readonly modules: readonly Module[];
  readonly xmpp: Xmpp;
  readonly pbx: Pbx;
  readonly store: Store;
  readonly calls: Calls;
  /** With everybody where they sit. */
  readonly directory: DirectorySource;
  readonly presence: Presence;
  readonly deflections: Deflections;
  readonly places: Places;
  /** XMPP domains whose users are served. */
  readonly domains: readonly string[];
  readonly phonebook: ModelsOptions['phonebook'];
  readonly journal: ModelsOptions['journal'];
  readonly missed?: ModelsOptions['missed'];
  readonly settings: Settings;
  /** Whether to ask users for their presence, to learn of the end of their sessions at once. */
  readonly askPresence: boolean;
  /** JID of the server's upload service (XEP-0363); undefined: files are not sent as links. */
  readonly uploadService?: string | undefined;
  /** The chat archive; undefined: there is none. */
  readonly archive?: Archive | undefined;
  /** Where recordings are kept; undefined: there are none. */
  readonly recordings?: Keeping | undefined;
  readonly limits: BridgeLimits;
  readonly audit: Audit;
  readonly webhook: Webhook;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  /** Puts a stopwatch around the dispatcher. */
  readonly timed?: (dispatch: Dispatch) => Dispatch;
}

/** A bridge that can be started and stopped once. */
export interface Bridge extends Bounded {
  /** Resolves when the store has been asked and both neighbours were reached once; never rejects. */
  start(): Promise<void>;
  /** Answers what is in flight, tells nobody more, closes every connection. */
  stop(): Promise<void>;
  /** Answers a command whatever road it came by; who hands it over vouches for the sender. */
  readonly dispatch: Dispatch;
  readonly sessions: Sessions;
  readonly publish: Pick<Publish, 'counters' | 'backlog'>;
  /** XMPP is up, the telephone system tells and acts, the store is usable. */
  readonly isReady: boolean;
  /** Subscriptions of all sessions together. */
  readonly subscriptions: number;
  /** Events that wait until a snapshot of the telephone system is taken in. */
  readonly waiting: number;
  /** Channels of users that are there now. */
  readonly calls: number;
  /** Channels that somebody was told of, as the next bridge will know. */
  readonly told: Pick<Told, 'size' | 'waiting'>;
  /** Entries of the phonebook. */
  readonly persons: number;
  /** Recordings that run now. */
  readonly recordings: number;
  /** Files on their way to clients. */
  readonly transfers: number;
}

const STORE_START_MS = 2000;
const PING_TIMEOUT_MS = 10_000;
const PING_LEAST_MS = 5000;
const RETURN_MS = 120_000;
/** What is not confirmed within this time before a stop is told again by the next bridge. */
const LAST_CONFIRM_MS = 1000;

/** Wires a bridge. */
export function createBridge(options: BridgeOptions): Bridge {
  const { modules, xmpp, pbx, store, calls, directory, presence, limits, log, now } = options;
  const index = createSubscriptionIndex();
  const sessions = createSessions(store, index, limits, now);
  const models = createModels({
    pbx,
    store,
    calls,
    directory,
    phonebook: options.phonebook,
    journal: options.journal,
    missed: options.missed,
    deflections: options.deflections,
    places: options.places,
    context: options.settings.context,
    recordings: options.recordings,
    log,
    now,
  });
  const following = everyModel(models);
  const transfer = createTransfer({ xmpp, uploadService: options.uploadService, log });
  const rules = createRules(options.monotonic);
  const publish = createPublish({
    modules,
    index,
    from: xmpp.domain,
    send: xmpp.send,
    hasRoom: () => xmpp.hasRoom,
    onTold(change, heard) {
      told.note(change, heard);
      // Channels are most of what is told.
      if (change.kind !== 'channel') for (const model of following) model.told?.(change, heard);
    },
  });
  const told = createTold({
    store,
    calls,
    // The journal has an entry of every call, whether or not anybody watches it.
    unheard: options.journal.keep.count > 0,
    caughtUp: () => publish.backlog.waiting === 0,
    log,
  });
  const liveness = createLiveness({
    xmpp,
    sessions,
    log,
    intervalMs: limits.pingEveryMs,
    leastMs: PING_LEAST_MS,
    timeoutMs: PING_TIMEOUT_MS,
    perSecond: limits.pingsPerSecond,
    returnMs: RETURN_MS,
    now,
    monotonic: options.monotonic,
  });
  refuseWatchers(xmpp, options.monotonic);
  if (options.askPresence) sessions.onOpen(createPresenceRequest(xmpp, limits.sessions));

  const context = (): Omit<Context, 'caller'> => ({
    directory: directory.current,
    calls,
    pbx,
    sessions,
    ...models,
    settings: options.settings,
    rules,
    webhook: options.webhook,
    transfer,
    archive: options.archive,
    log,
    now,
  });
  const rateLimit = () =>
    createRateLimit<BareJid>({
      perSecond: limits.perSecond,
      burst: limits.burst,
      keys: limits.sessions,
      monotonic: options.monotonic,
    });
  const [rate, searchRate] = [rateLimit(), rateLimit()];
  const dispatching = createDispatch({
    modules,
    context,
    directory: () => directory.current,
    domains: new Set(options.domains.map((domain) => domain.toLowerCase())),
    rate,
    maxInFlight: limits.inFlight,
    timeoutMs: limits.commandMs,
    show: options.settings.showNumber,
    audit: options.audit,
    log,
  });
  const { timed = (dispatch) => dispatch } = options;
  const dispatch = timed(dispatching);

  const { phonebook, queueing } = models;
  const world = () => ({ directory: directory.current, calls, phonebook, queueing });
  function tell(changes: readonly Change[]): void {
    if (changes.length > 0) publish(changes, world());
  }

  const intake = createIntake({
    calls,
    isOpen: isKnown(directory.current),
    onLost: () => pbx.reread(),
    onChanges: tell,
    onTaken(event, changes) {
      for (const model of following) tell(model.apply(event, changes));
      presence.apply(event, changes);
      if (event.type !== 'snapshot') return;
      tell(told.again(changes, event.at));
      for (const memories of late.splice(0)) recall(memories);
    },
    log,
    monotonic: options.monotonic,
  });

  /** What waits until a snapshot is taken in whole. */
  const late: (readonly Memory[])[] = [];
  /** Takes in what an earlier bridge has told of calls. */
  function recall(memories: readonly Memory[]): void {
    publish.recall(memories.flatMap(keysOf));
    const ends = calls.restore(memories);
    tell(ends);
    for (const model of following) tell(model.recall?.(ends) ?? []);
    if (connected) tell(told.again(ends, now()));
  }
  const moveQueues = createQueueMoves({ pbx, queues: () => models.queueing.queues(), log });
  directory.onChange((current, previous) => {
    if (isKnown(current)) intake.open();
    if (calls.overlooks()) pbx.reread();
    // What an earlier bridge has told while this one knew nobody is nobody's news.
    if (!isKnown(previous)) return;
    moveQueues(current, previous);
    const { before, after } = handOver(calls, current, previous, now());
    if (before.length > 0) publish(before, { ...world(), directory: previous });
    tell(after);
  });

  let restored = false;
  /** The neighbors were turned to: events may have been told. */
  let connected = false;
  /** Takes over what the store holds; later on, when the store was away, sees that it holds what is here. */
  async function restore(): Promise<void> {
    const first = !restored;
    try {
      if (first) {
        const owed = await Promise.all(following.map((model) => model.restore?.() ?? []));
        publish.recall(owed.flat());
      }
      const stored = await store.loadSessions();
      // Last: it gives what an earlier bridge told once.
      const memories = await told.load(connected);
      if (!first) return sessions.reconcile(stored);
      restored = true;
      sessions.restore(stored);
      if (intake.isBusy) late.push(memories);
      else recall(memories);
      // They may have ended while we were away.
      liveness.suspectAll();
      log.info({ sessions: stored.length }, 'sessions restored');
    } catch (error) {
      log.warn({ reason: String(error) }, 'stored sessions cannot be read yet');
    }
  }

  xmpp.onIq(CMD_NS, ({ from, to, payload }) => {
    if (to.bare !== xmpp.domain || to.resource !== '') {
      return { error: new StanzaError('service-unavailable', `Send commands to ${xmpp.domain}.`) };
    }
    return dispatch(from, payload);
  });
  serveSearch(xmpp, {
    phonebook: models.phonebook,
    directory: () => directory.current,
    rate: searchRate,
    answerBytes: options.settings.answerBytes,
  });
  // What the stream held when it broke may have been lost: it is told again, as it is by then.
  let online = false;
  xmpp.onState(({ status }) => {
    if (online && status !== 'online') publish.lost();
    online = status === 'online';
    if (online) publish.catchUp(directory.current);
  });
  const confirming = createConfirming({
    publish,
    confirm: xmpp.confirm,
    told,
    models: following,
    everyMs: limits.confirmEveryMs,
  });
  xmpp.onRoom(() => publish.catchUp(directory.current));
  pbx.onEvent(intake.take);
  watchOffer(modules, pbx, log);
  for (const model of following) model.onChange?.(tell);
  store.onState((state) => {
    if (state.usable) void restore();
  });

  let stopped = false;

  const parts: readonly Partial<Bounded>[] = [
    dispatching,
    calls,
    ...following,
    presence,
    liveness,
    transfer,
    options.archive ?? {},
    store,
  ];

  return {
    bounds: [
      boundOfKeys('commanding_users', limits.sessions, rate),
      boundOfKeys('searching_users', limits.sessions, searchRate),
      ...parts.flatMap(({ bounds = [] }) => bounds),
    ],
    dispatch,
    sessions,
    publish,
    get isReady() {
      const { control, feed } = pbx.state;
      return xmpp.state.status === 'online' && control && feed && store.state.usable;
    },
    get subscriptions() {
      return index.size;
    },
    get waiting() {
      return intake.waiting;
    },
    get calls() {
      return calls.channels().length;
    },
    told,
    get persons() {
      return models.phonebook.size;
    },
    get recordings() {
      return models.monitor.running;
    },
    get transfers() {
      return transfer.running;
    },
    async start() {
      await directory.start();
      if (isKnown(directory.current)) intake.open();
      await store.start(STORE_START_MS);
      await restore();
      // Stopped meanwhile: nothing may connect behind the back of who waited for the end.
      if (stopped) return;
      liveness.start();
      confirming.start();
      connected = true;
      await Promise.all(following.map((model) => model.start?.()));
      await presence.start();
      await Promise.all([pbx.start(), xmpp.start()]);
    },
    async stop() {
      stopped = true;
      liveness.stop();
      await confirming.stop(Math.min(limits.graceMs, LAST_CONFIRM_MS));
      transfer.stop();
      await presence.stop(limits.graceMs);
      await Promise.all(following.map((model) => model.stop?.()));
      await xmpp.stop(limits.graceMs);
      told.stop();
      await Promise.all([pbx.stop(), store.stop(limits.graceMs), options.archive?.stop(), directory.stop()]);
      intake.stop();
    },
  };
}

/** Before the first discovery there is nobody: whose channels count is not known then. */
function isKnown(directory: Directory): boolean {
  return directory.users.length > 0;
}
