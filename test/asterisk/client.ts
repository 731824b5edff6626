import { connect } from 'node:net';

/** One message from the server: its headers, first value of each. */
export type Message = ReadonlyMap<string, string>;

/** A bare AMI client for tests of the simulator: it sends, collects and waits, and knows nothing else. */
export interface Client {
  /** Everything received. */
  text(): string;
  messages(): readonly Message[];
  events(name?: string): readonly Message[];
  write(raw: string | Buffer): void;
  /** Sends an action with an ActionID of its own; resolves with the response to it. */
  action(name: string, headers?: Readonly<Record<string, string>>): Promise<Message>;
  /** Resolves when the condition holds; asked again whenever something comes. */
  until(condition: () => boolean, what?: string): Promise<void>;
  readonly closed: boolean;
  close(): void;
}

/** Connects; the banner is awaited. */
export async function connectClient(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  let closed = false;
  let next = 1;
  const checks = new Set<() => void>();
  const changed = () => {
    for (const check of checks) check();
  };
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    received += chunk;
    changed();
  });
  socket.on('close', () => {
    closed = true;
    changed();
  });

  const client: Client = {
    text: () => received,
    messages: () => parse(received),
    events: (name) =>
      parse(received).filter((one) => (name === undefined ? one.has('Event') : one.get('Event') === name)),
    write: (raw) => {
      socket.write(raw);
    },
    async action(name, headers = {}) {
      const id = `t${next++}`;
      const all = Object.entries({ Action: name, ActionID: id, ...headers });
      socket.write(`${all.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
      const answer = () => parse(received).find((one) => one.get('ActionID') === id && one.has('Response'));
      await client.until(() => answer() !== undefined, `the response to ${name}`);
      return answer() ?? new Map();
    },
    until(condition, what = 'the condition') {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          checks.delete(check);
          reject(new Error(`waited in vain for ${what}; received so far:\n${received.slice(-2000)}`));
        }, 10_000);
        const check = () => {
          if (!condition()) return;
          clearTimeout(timer);
          checks.delete(check);
          resolve();
        };
        checks.add(check);
        check();
      });
    },
    get closed() {
      return closed;
    },
    close: () => {
      socket.destroy();
    },
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => changed());
  return client;
}

/** Splits a stream into messages. */
export function parse(text: string): readonly Message[] {
  const messages: Message[] = [];
  for (const block of text.split('\r\n\r\n')) {
    const message = new Map<string, string>();
    for (const line of block.split('\r\n')) {
      const colon = line.indexOf(':');
      const key = line.slice(0, colon);
      if (colon > 0 && !message.has(key)) message.set(key, line.slice(colon + 1).replace(/^ /, ''));
    }
    if (message.size > 0) messages.push(message);
  }
  return messages;
}
