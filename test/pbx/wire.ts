/** A bare AMI peer for what no real Asterisk can be made to do: it logs in, records every byte, and answers as the test says. */
import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

/** An action as it came in. */
export interface Sent {
  readonly user: string;
  readonly name: string;
  /** Keys in lower case: Asterisk does not tell them apart either (manager.c, strcasecmp). */
  readonly headers: ReadonlyMap<string, string>;
  readonly raw: string;
}

/** One connection. */
export interface Peer {
  readonly socket: Socket;
  readonly user: string;
  /** Everything received on it. */
  readonly received: () => string;
  say(...lines: string[]): void;
}

export interface Wire {
  readonly port: number;
  readonly peers: readonly Peer[];
  /** Actions after the login, in order. */
  readonly sent: readonly Sent[];
  stop(): Promise<void>;
}

/** What to do with an action; undefined for the usual answer, which is success and empty lists. */
export type Answer = (action: Sent, peer: Peer) => 'answered' | undefined;

/** The secret of both accounts. */
export const secret = 'correct horse battery staple';

export async function startWire(
  answer: Answer = () => undefined,
  greeting = 'Asterisk Call Manager/11.0.0',
): Promise<Wire> {
  const peers: Peer[] = [];
  const sent: Sent[] = [];
  const server = createServer((socket) => {
    let received = '';
    let rest = '';
    let user = '';
    const challenge = `${Math.random()}`.slice(2);
    const peer: Peer = {
      socket,
      get user() {
        return user;
      },
      received: () => received,
      say: (...lines) => void socket.write(`${lines.join('\r\n')}\r\n\r\n`),
    };
    peers.push(peer);
    socket.on('error', () => socket.destroy());
    if (greeting !== '') socket.write(`${greeting}\r\n`);
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
      const parts = (rest + text).split('\r\n\r\n');
      rest = parts.pop() ?? '';
      for (const part of parts) take(part);
    });

    function login(headers: ReadonlyMap<string, string>, id: string): string[] {
      if (user !== '') return ['Response: Success', id, 'Message: Already authenticated'];
      const key = createHash('md5').update(`${challenge}${secret}`).digest('hex');
      if (headers.get('key') !== key) return ['Response: Error', id, 'Message: Authentication failed'];
      user = headers.get('username') ?? '';
      return ['Response: Success', id, 'Message: Authentication accepted'];
    }

    function take(part: string): void {
      const headers = new Map(
        part.split('\r\n').map((line): [string, string] => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
        }),
      );
      const name = headers.get('action') ?? '';
      const id = `ActionID: ${headers.get('actionid') ?? ''}`;
      const action = { user, name, headers, raw: part };
      if (user !== '' && name.toLowerCase() !== 'login') sent.push(action);
      if (answer(action, peer) === 'answered') return;
      switch (name.toLowerCase()) {
        case 'challenge':
          peer.say('Response: Success', id, `Challenge: ${challenge}`);
          return;
        case 'login':
          peer.say(...login(headers, id));
          return;
        case 'coreshowchannels':
        case 'bridgelist':
        case 'devicestatelist':
          peer.say('Response: Success', id, 'EventList: start', 'Message: will follow');
          peer.say(`Event: ${name}Complete`, id, 'EventList: Complete', 'ListItems: 0');
          return;
        default:
          peer.say('Response: Success', id);
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    peers,
    sent,
    async stop() {
      for (const { socket } of peers) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
