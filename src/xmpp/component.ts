/** The XMPP port on an external component (XEP-0114): keeps one stream up and hands its stanzas around. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackoff } from '../backoff.ts';
import type { Bounded } from '../bounds.ts';
import type { Log } from '../log.ts';
import { parseJid } from '../protocol/jid.ts';
import { xml } from '../protocol/xml.ts';
import { createAnswering } from './answering.ts';
import { createIncoming, notify } from './incoming.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { watchLiveness } from './liveness.ts';
import { PING_NS } from './namespaces.ts';
import { createOutbox, type Lane } from './outbox.ts';
import type { StreamEnd } from './refusal.ts';
import { createRequests } from './requests.ts';
import { parseService } from './service.ts';
import { openStream, type Stream } from './stream.ts';
import { createWindow } from './window.ts';
import type { IqRequest, Xmpp, XmppState, XmppStatus } from './xmpp.ts';

/** What {@link createComponent} needs. */
export interface ComponentOptions {
  /** `xmpp://host[:5347]`, or `xmpps://host[:port]` for TLS from the first byte. */
  readonly service: string;
  /** The component's JID: a domain that the server is configured with. */
  readonly domain: string;
  readonly secret: string;
  /** PEM certificates that the server's may be signed by; the system's authorities where left out. Only for `xmpps:`. */
  readonly ca?: string | undefined;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
  /** Whether somebody may ask this now, or is told `resource-constraint`; default: always. */
  readonly admits?: (request: IqRequest) => boolean;
  /** Jitter of reconnects: uniform in [0, 1). */
  readonly random?: () => number;
  /** When what is sent now was learned, `performance.now()` milliseconds; for {@link onWritten}. Default: when it is sent. */
  learned?(): number | undefined;
  /** Called with each write that holds events: age of the oldest when the socket got it, milliseconds. */
  onWritten?(ms: number): void;
}

/** Numbers for metrics; counts run from the start of the process. */
export interface XmppCounters {
  /** Stanzas handed to the socket, refused by `send` and the like, lost with a stream. */
  readonly sent: number;
  readonly refused: number;
  readonly dropped: number;
  /** Bytes that wait to be written. */
  readonly buffered: number;
  /** Stanzas that came in. */
  readonly received: number;
  /** Handshakes that succeeded. */
  readonly connects: number;
  /** IQs in the making, and IQs of ours without an answer so far. */
  readonly openIqs: number;
  readonly openRequests: number;
}

/** The adapter. */
export interface Component extends Xmpp, Bounded {
  readonly counters: XmppCounters;
}

/** How long a stream has to last for the next loss to count as the first of a row, milliseconds. */
const stableMs = 30_000;
/** How long the server has for a last ping, and the least time that the closing of the stream gets, milliseconds. */
const closeMs = 500;

/**
 * Makes the adapter; nothing happens before `start`.
 *
 * Throws TypeError where `service` is no component port or `domain` no domain. Nothing else is ever thrown: what goes
 * wrong later is in the state's reason and in the log.
 */
export function createComponent(options: ComponentOptions): Component {
  const { log, random = Math.random } = options;
  const target = parseService(options.service);
  const jid = parseJid(options.domain);
  if (jid === undefined || jid.local !== '' || jid.resource !== '') {
    throw new TypeError(`"${options.domain}" is no domain: the component's JID looks like pbx.example.org`);
  }
  const { domain } = jid;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const away = createBackoff({ minMs: limits.reconnectMinMs, maxMs: limits.reconnectMaxMs, random });
  const refused = createBackoff({ minMs: limits.refusedMinMs, maxMs: limits.refusedMaxMs, random });

  let state: XmppState = { status: 'offline', reason: '' };
  let stream: Stream | undefined;
  /** The one before it, if it was given up: the server may still have something to say there, and something to read. */
  let former: { readonly stream: Stream; readonly gone: Promise<void> } | undefined;
  let onlineSince: number | undefined;
  let reconnect: NodeJS.Timeout | undefined;
  let unwatch = () => {};
  /** Serves the present stream, if it waits for the server to read the former one. */
  let serveNow = () => {};
  let stopping: Promise<void> | undefined;
  let connects = 0;
  const stateListeners = new Set<(state: XmppState) => void>();
  const first = deferred();
  let roomListener = () => {};

  const window = createWindow({
    bytes: limits.windowBytes,
    ask: () => ping(limits.windowMs),
    onOpen: () => outbox.opened(),
    monotonic: () => performance.now(),
  });
  const outbox = createOutbox({
    ...limits,
    window,
    unwritten: () => stream?.socket.writableLength ?? 0,
    learned: () => options.learned?.(),
    onWritten: (ms) => options.onWritten?.(ms),
    onRoom: () => roomListener(),
  });
  const requests = createRequests({
    from: domain,
    max: limits.maxRequests,
    send: outbox.push,
  });
  const answering = createAnswering({
    domain,
    deadlineMs: limits.iqMs,
    max: limits.maxOpenIqs,
    maxBytes: limits.stanzaBytes,
    ...(options.admits && { admits: options.admits }),
    log,
    send: (stanza) => outbox.push(stanza, 'answer'),
  });
  // A full JID of our own: goes through the server and comes back to us, with no need to know the server's domain.
  // COMPAT: ejabberd 24.12 with mod_privilege drops a component's IQs to addresses without resource.
  const pingTarget = `${domain}/alive-${randomBytes(6).toString('hex')}`;
  const ping = (timeoutMs: number, lane?: Lane) =>
    requests.request(pingTarget, 'get', xml('ping', { xmlns: PING_NS }), timeoutMs, lane);

  const incoming = createIncoming({
    domain,
    pingTarget,
    maxDepth: limits.maxDepth,
    answering,
    requests,
    answer: (stanza) => void outbox.push(stanza, 'answer'),
    log,
  });

  function setState(status: XmppStatus, reason: string): void {
    if (state.status === status && state.reason === reason) return;
    state = { status, reason };
    notify(stateListeners, state, log);
  }

  function connect(): void {
    const { openMs, maxChars } = limits;
    const { ca, secret } = options;
    /** Stanzas that came on this stream. */
    let heard = 0;
    const opened = openStream({
      ...target,
      ca,
      domain,
      secret,
      openMs,
      maxChars,
      onOnline,
      onStanza(raw) {
        heard += 1;
        incoming.take(raw);
      },
      onOversized: (raw) => incoming.refuse(raw, `stanzas may have ${maxChars} characters`),
      onDrain: outbox.drained,
      onEnd,
    });
    stream = opened;

    function onOnline(): void {
      onlineSince = performance.now();
      connects += 1;
      if (former === undefined) serve();
      else {
        serveNow = serve;
        void caughtUp(former.gone).then(serve);
      }
    }

    /** COMPAT: ejabberd reads several connections side by side: it shall hear nothing that is newer than what it has yet to read. */
    function caughtUp(gone: Promise<void>): Promise<void> {
      return Promise.race([gone, sleep(limits.catchUpMs, undefined, { ref: false })]);
    }

    function serve(): void {
      if (stream !== opened || stopping !== undefined) return;
      serveNow = () => {};
      const { pingEveryMs: intervalMs, pingTimeoutMs: timeoutMs } = limits;
      const vitals = {
        // Stanzas, not bytes: after broken XML the parser may wait for ever for the end of an element, whatever comes in.
        get received() {
          return heard;
        },
        get accepted() {
          return opened.socket.accepted;
        },
        get confirmed() {
          return window.confirmed;
        },
        get writableLength() {
          return opened.socket.writableLength;
        },
        get isFull() {
          return !window.isOpen;
        },
      };
      unwatch = watchLiveness({ intervalMs, timeoutMs, vitals, ping, onDead: leave });
      window.reset();
      outbox.attach(opened.socket);
      log.info({ domain, service: options.service }, 'connected to the XMPP server');
      setState('online', '');
      first.resolve();
    }

    function leave(reason: string): void {
      // One that was left before has had its time.
      former?.stream.destroy(reason);
      const gone = opened.leave(reason, limits.leaveMs).then(() => {
        if (former === mine) former = undefined;
      });
      const mine = { stream: opened, gone };
      former = mine;
    }
  }

  function onEnd({ reason, refused: isRefused }: StreamEnd): void {
    const lasted = onlineSince === undefined ? 0 : performance.now() - onlineSince;
    onlineSince = undefined;
    stream = undefined;
    serveNow = () => {};
    unwatch();
    outbox.detach();
    requests.failAll(`the connection to the XMPP server was lost: ${reason}`);
    if (stopping !== undefined) {
      setState('offline', '');
      return;
    }
    if (lasted > stableMs) {
      away.reset();
      refused.reset();
    }
    // The server may take the one that we left for the one that it wants no other beside.
    if (isRefused) former?.stream.destroy(reason);
    const waitMs = (isRefused ? refused : away).next();
    const level = reason === state.reason ? 'debug' : isRefused ? 'error' : 'warn';
    log[level]({ reason, waitMs }, 'not connected to the XMPP server, trying again');
    reconnect = setTimeout(connect, waitMs);
    setState('connecting', reason);
  }

  async function shutDown(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs;
    const left = () => Math.max(0, deadline - performance.now());
    clearTimeout(reconnect);
    // There are answers to give, and no time to wait.
    serveNow();
    unwatch();
    await answering.finish(state.status === 'online' ? graceMs : 0);
    // What the server had sent before this comes back has been refused by then; nothing can be answered after the closing tag.
    if (state.status === 'online') await ping(Math.min(closeMs, left())).catch(() => undefined);
    await outbox.flushed(left());
    outbox.detach();
    former?.stream.destroy('stopped');
    await stream?.close(Math.max(closeMs, left()));
    setState('offline', '');
    first.resolve();
  }

  return {
    domain,
    bounds: window.bounds,
    get state() {
      return state;
    },
    counters: {
      get sent() {
        return outbox.counters.sent;
      },
      get refused() {
        return outbox.counters.refused;
      },
      get dropped() {
        return outbox.counters.dropped;
      },
      get buffered() {
        return outbox.counters.buffered + (stream?.socket.writableLength ?? 0);
      },
      get received() {
        return incoming.count;
      },
      get connects() {
        return connects;
      },
      get openIqs() {
        return answering.size;
      },
      get openRequests() {
        return requests.size;
      },
    },
    start() {
      if (state.status === 'offline' && stopping === undefined) {
        setState('connecting', '');
        connect();
      }
      return first.promise;
    },
    stop(graceMs) {
      stopping ??= shutDown(graceMs);
      return stopping;
    },
    onState(listener) {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    onIq: answering.handle,
    onPresence: incoming.onPresence,
    onMessage: incoming.onMessage,
    send: (stanza, lane = 'event') => outbox.push(stanza, lane),
    get hasRoom() {
      return outbox.hasRoom;
    },
    onRoom(listener) {
      roomListener = listener;
    },
    // Behind all that waits.
    confirm: (timeoutMs) => ping(timeoutMs, 'bulk'),
    request: (to, type, payload, timeoutMs) => requests.request(to, type, payload, timeoutMs),
  };
}

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
