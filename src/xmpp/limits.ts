/** Times and sizes of the XMPP side, each with a value that fits Prosody and ejabberd as they come. */

/** What may be tuned. Times are milliseconds. */
export interface Limits {
  /** From the start of a connection until the handshake is accepted. */
  readonly openMs: number;
  /** Waits between attempts when the server is away: the first and the longest. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** The same when the server refuses us (secret, JID conflict, unknown host): only a person can change that. */
  readonly refusedMinMs: number;
  readonly refusedMaxMs: number;
  /** Between two pings, and how long one may take. */
  readonly pingEveryMs: number;
  readonly pingTimeoutMs: number;
  /** How long a server that was given up is still listened to: it may have been held up only. */
  readonly leaveMs: number;
  /** How long the next stream, once it is there, waits for the server to have read what it was told on the one that was given up. */
  readonly catchUpMs: number;
  /** From the arrival of an IQ to its answer. */
  readonly iqMs: number;
  /** IQs in the making, and IQs of ours that wait for answers. */
  readonly maxOpenIqs: number;
  readonly maxRequests: number;
  /** Bytes of stanzas that wait because the server does not keep up; answers have room of their own. */
  readonly eventBytes: number;
  readonly answerBytes: number;
  /** Bytes of waiting events from which on there is said to be no room: what happens meanwhile can still be summed up. */
  readonly eventMarkBytes: number;
  /** Bytes of events that may be on their way to a slow server, which it was not heard to have; see `window.ts`. */
  readonly windowBytes: number;
  /** How long the server has to say that it has them; then more is written all the same. Longer than a server that is slow needs. */
  readonly windowMs: number;
  /** Bytes of one outgoing stanza. */
  readonly stanzaBytes: number;
  /** Characters and nesting of one incoming stanza. */
  readonly maxChars: number;
  readonly maxDepth: number;
}

/** What holds where nothing else is said. */
export const defaultLimits: Limits = {
  openMs: 10_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 30_000,
  refusedMinMs: 10_000,
  refusedMaxMs: 120_000,
  pingEveryMs: 30_000,
  pingTimeoutMs: 20_000,
  leaveMs: 60_000,
  // The widest window of events, at 4000 a second, the slowest server known, takes half of it.
  catchUpMs: 1000,
  iqMs: 30_000,
  maxOpenIqs: 10_000,
  maxRequests: 10_000,
  eventBytes: 16 * 1024 * 1024,
  answerBytes: 4 * 1024 * 1024,
  // A quarter of a second for a server that routes 4000 stanzas a second, the slowest known.
  eventMarkBytes: 1024 * 1024,
  // A sixth of a second for such a server.
  windowBytes: 256 * 1024,
  windowMs: 60_000,
  // Prosody ends the stream above 512 KiB (component_stanza_size_limit in mod_component.lua).
  stanzaBytes: 500_000,
  // Above what the servers let clients and other servers send, or one large stanza of anybody would end the stream.
  maxChars: 2_000_000,
  maxDepth: 64,
};
