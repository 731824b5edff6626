/** The server's side of XEP-0114, small and disobedient on demand: for faults that no real server produces when asked. */

import { createHash, randomBytes } from 'node:crypto';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { freePort, loopback } from '../servers/ports.ts';
import { until } from '../servers/until.ts';
import { reader, type Tree } from './tree.ts';

/** What happens to connections that come in. */
export type Behavior =
  /** Checks the handshake and serves; stanzas to the component's own domain go back to it, as real servers route them. */
  | 'serve'
  /** Accepts TCP and says nothing. */
  | 'mute'
  /** Opens the stream and never answers the handshake. */
  | 'undecided'
  /** Refuses with a stream error in place of accepting the handshake. */
  | { readonly condition: string; readonly text?: string; readonly content?: string }
  /** Sends this in place of a stream. */
  | { readonly garbage: string }
  /** Sends this in the same segment as the accepted handshake, then serves. */
  | { readonly withHandshake: string };

/** One connection of the component. */
export interface Accepted {
  /** What came after the handshake. */
  readonly stanzas: Tree[];
  /** The handshake was accepted. */
  readonly online: boolean;
  /** `</stream:stream>` came. */
  readonly ended: boolean;
  readonly closed: boolean;
  write(text: string): void;
  /** Writes the UTF-8 bytes in pieces of the given size, each on its own. */
  writeInPieces(text: string, bytes: number): Promise<void>;
  /** Takes everything and reacts to nothing, as a peer behind a dead link seems to. */
  freeze(): void;
  /** Stops reading, so that what the component writes piles up. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface AcceptServer {
  readonly port: number;
  /** All connections so far, oldest first. */
  readonly connections: readonly Accepted[];
  behave(behavior: Behavior): void;
  /** The newest connection once it is online. */
  online(): Promise<Accepted>;
  stop(): Promise<void>;
}

export interface AcceptOptions {
  readonly domain: string;
  readonly secret: string;
  /** PEM texts; TLS where given. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Called with each stanza as it comes, besides its being kept in {@link Accepted.stanzas}. */
  readonly onStanza?: (stanza: Tree) => void;
}

const streamNs = "xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'";

/** Starts one on a free port of loopback. */
export async function startAcceptServer(options: AcceptOptions): Promise<AcceptServer> {
  const connections: Accepted[] = [];
  let behavior: Behavior = 'serve';
  const listener = (socket: Socket) => void connections.push(accept(socket, behavior, options));
  const server: Server = options.tls ? createTlsServer(options.tls, listener) : createTcpServer(listener);
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  return {
    port,
    connections,
    behave(next) {
      behavior = next;
    },
    online: () => until('the component is online', () => connections.at(-1)?.online && connections.at(-1)),
    async stop() {
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function accept(
  socket: Socket,
  behavior: Behavior,
  { domain, secret, onStanza: told }: AcceptOptions,
): Accepted {
  const id = randomBytes(6).toString('hex');
  const stanzas: Tree[] = [];
  const is = { online: false, ended: false, closed: false, frozen: false };
  const write = (text: string) => {
    if (!is.frozen && !socket.destroyed) socket.write(text);
  };
  const refuse = (condition: string, text = '', content = '') => {
    const ns = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'";
    write(
      `<stream:error><${condition} ${ns}>${content}</${condition}><text ${ns}>${text}</text></stream:error></stream:stream>`,
    );
    socket.end();
  };
  const onHandshake = (stanza: Tree) => {
    if (behavior === 'undecided') return;
    if (typeof behavior === 'object' && 'condition' in behavior) {
      refuse(behavior.condition, behavior.text, behavior.content);
      return;
    }
    const expected = createHash('sha1')
      .update(id + secret, 'utf8')
      .digest('hex');
    if (stanza.name !== 'handshake' || stanza.children.join('') !== expected) {
      refuse('not-authorized', 'Given token does not match calculated token');
      return;
    }
    is.online = true;
    write(
      `<handshake/>${typeof behavior === 'object' && 'withHandshake' in behavior ? behavior.withHandshake : ''}`,
    );
  };
  const onStanza = (stanza: Tree) => {
    if (!is.online) return onHandshake(stanza);
    stanzas.push(stanza);
    told?.(stanza);
    if ((stanza.attrs.to ?? '').split('/')[0] === domain) write(writeTree(stanza));
  };
  const read = reader({
    start: () => {
      if (behavior === 'mute') return;
      if (typeof behavior === 'object' && 'garbage' in behavior) write(behavior.garbage);
      else write(`<?xml version='1.0'?><stream:stream ${streamNs} from='${domain}' id='${id}'>`);
    },
    stanza: onStanza,
    end: () => {
      is.ended = true;
      write('</stream:stream>');
      socket.end();
    },
  });
  socket.setEncoding('utf8').setNoDelay(true);
  socket.on('data', (text: string) => {
    if (!is.frozen) read(text);
  });
  // The component may cut the connection at any moment; that is its good right here.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    is.closed = true;
  });
  return {
    stanzas,
    get online() {
      return is.online;
    },
    get ended() {
      return is.ended;
    },
    get closed() {
      return is.closed;
    },
    write,
    async writeInPieces(text, bytes) {
      const whole = Buffer.from(text);
      for (let at = 0; at < whole.length; at += bytes) {
        await new Promise((resolve) => socket.write(whole.subarray(at, at + bytes), resolve));
        await turn();
      }
    },
    freeze() {
      is.frozen = true;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}

function writeTree({ name, attrs, children }: Tree): string {
  const encode = (text: string) => text.replace(/[&<>'"]/g, (char) => `&#${char.charCodeAt(0)};`);
  const pairs = Object.entries(attrs).map(([key, value]) => ` ${key}='${encode(value)}'`);
  const inner = children.map((node) => (typeof node === 'string' ? encode(node) : writeTree(node)));
  return `<${name}${pairs.join('')}>${inner.join('')}</${name}>`;
}
