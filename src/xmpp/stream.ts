/** One stream to the server, from the first SYN to the end: a fresh instance of the library each time. */

import { component, type LtxElement } from '@xmpp/component';
import { guardParser } from './parser.ts';
import { failureEnd, type StreamEnd, streamErrorEnd } from './refusal.ts';
import { showTarget, type Target } from './service.ts';
import { ServerSocket, type SocketOptions } from './socket.ts';

/** What one stream needs. */
export interface StreamOptions extends SocketOptions {
  readonly domain: string;
  readonly secret: string;
  /** From the start until the handshake is accepted, milliseconds. */
  readonly openMs: number;
  /** Characters of one incoming stanza. */
  readonly maxChars: number;
  /** The handshake is done. */
  onOnline(): void;
  /** A stanza came; also in the same chunk as the handshake. Must not throw. */
  onStanza(stanza: LtxElement): void;
  /** A stanza came that has more than `maxChars` characters; the rest of it is missing. Must not throw. */
  onOversized(stanza: LtxElement): void;
  /** The kernel has taken what was written: more may follow. */
  onDrain(): void;
  /** The stream is over, or never came to be. Exactly once; nothing follows but stanzas, where it was {@link Stream.leave | left}. */
  onEnd(end: StreamEnd): void;
}

/** A stream that is open, or on the way. */
export interface Stream {
  readonly socket: ServerSocket;
  /** Ends it now; {@link StreamOptions.onEnd} is called before this returns, unless it was before. */
  destroy(reason: string): void;
  /**
   * Gives it up: {@link StreamOptions.onEnd} is called before this returns. We say no more there, but hear what the server has to say until it
   * ends the stream, too, or `ms` are over; then this resolves. A server that was only held up has then read all that we said. If we
   * closed the connection in both directions, its first word would reset it, and with the reset it would lose what it has not read yet.
   */
  leave(reason: string, ms: number): Promise<void>;
  /** Says goodbye and waits for the server to do so; destroys after `ms`. */
  close(ms: number): Promise<void>;
}

/** Begins to connect. Whatever happens is told through the callbacks; nothing is thrown or rejected, ever. */
export function openStream(options: StreamOptions): Stream {
  const { domain, onOnline, onStanza, onOversized, onDrain, onEnd } = options;
  const where = showTarget(options);
  const socket = new ServerSocket(options);
  let phase: 'connecting' | 'opening' | 'authenticating' | 'online' | 'left' | 'ended' = 'connecting';
  const isHeard = () => phase === 'online' || phase === 'left';

  // The library hashes the secret as Latin-1; given UTF-8 bytes as characters it hashes what the servers hash.
  const password = Buffer.from(options.secret, 'utf8').toString('latin1');
  const entity = component({ service: `xmpp://${where}`, domain, password });
  entity.reconnect.stop();
  // Its middleware answers what nobody handles, and answers with an error what a server needs a result for.
  entity.removeAllListeners('element');
  entity.timeout = options.openMs;
  entity.socketParameters = () => undefined;
  // The library makes its socket by `new`; a constructor that returns an object gives it ours.
  entity.Socket = class {
    constructor() {
      // biome-ignore lint/correctness/noConstructorReturn: the library's override point
      return socket;
    }
  } as typeof entity.Socket;
  entity.Parser = guardParser(entity.Parser, options.maxChars, {
    onStreamError: (error) => end(streamErrorEnd(error, domain)),
    onBroken: (error) => end(failureEnd(error, options)),
    onOversized(stanza) {
      if (isHeard()) onOversized(stanza);
      else end({ reason: `${where} sends more than ${options.maxChars} characters`, refused: false });
    },
  });

  const watchdog = setTimeout(() => {
    end({ reason: `${unanswered(phase, options)} (waited ${options.openMs} ms)`, refused: false });
  }, options.openMs);

  let goodbye: NodeJS.Timeout | undefined;

  function end(how: StreamEnd): void {
    if (phase === 'ended') return;
    const isNews = phase !== 'left';
    phase = 'ended';
    clearTimeout(watchdog);
    clearTimeout(goodbye);
    socket.destroy();
    // Settles whatever the library still waits for, and its timers with it.
    entity.emit('error', new Error(how.reason));
    if (isNews) onEnd(how);
  }

  /** RFC 6120 §4.4: no more from us; the server answers with its own closing tag, or is taken at its silence after `ms`. */
  function sayGoodbye(ms: number): Promise<void> {
    goodbye = setTimeout(end, ms, { reason: 'stopped', refused: false });
    socket.write('</stream:stream>');
    socket.end();
    return new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }

  socket.once('connect', () => {
    if (phase === 'connecting') phase = 'opening';
  });
  entity.on('open', () => {
    if (phase === 'opening') phase = 'authenticating';
  });
  socket.on('drain', () => {
    if (phase === 'online') onDrain();
  });
  entity.on('error', (error: unknown) =>
    end(failureEnd(error instanceof Error ? error : new Error(String(error)), options)),
  );
  entity.on('close', () => end({ reason: 'the server closed the stream', refused: false }));
  entity.on('disconnect', () => end({ reason: `the connection to ${where} was closed`, refused: false }));
  entity.on('element', (element: LtxElement) => {
    if (isHeard()) onStanza(element);
    // Here and not on the library's `online`, which comes later than the stanzas of the same chunk.
    else if (phase === 'authenticating' && element.name === 'handshake') {
      phase = 'online';
      clearTimeout(watchdog);
      onOnline();
    }
  });
  // Not `start`, which leaves a rejected promise behind when the stream does not open.
  const opened = entity.connect('').then(() => entity.open({ domain }));
  opened.catch((error: unknown) => entity.emit('error', error));

  return {
    socket,
    destroy: (reason) => end({ reason, refused: false }),
    leave(reason, ms) {
      if (phase !== 'online') {
        end({ reason, refused: false });
        return Promise.resolve();
      }
      phase = 'left';
      const gone = sayGoodbye(ms);
      onEnd({ reason, refused: false });
      return gone;
    },
    close(ms) {
      if (phase === 'online') return sayGoodbye(ms);
      end({ reason: 'stopped', refused: false });
      return Promise.resolve();
    },
  };
}

function unanswered(phase: string, target: Target): string {
  const where = showTarget(target);
  if (phase === 'connecting') return `${where} does not answer${target.tls ? ', or not with TLS' : ''}`;
  if (phase === 'authenticating') return `${where} does not answer the handshake`;
  return `${where} accepts connections but opens no stream: is it the component port (XEP-0114)?`;
}
