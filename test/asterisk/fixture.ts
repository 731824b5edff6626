import { afterEach, expect } from 'vitest';
import { type AmiUser, type Asterisk, type AsteriskOptions, startAsterisk } from './asterisk.ts';
import { type Client, connectClient } from './client.ts';

const users: readonly AmiUser[] = [
  { username: 'lab', secret: 'labpass', read: ['all'], write: ['all'] },
  { username: 'callonly', secret: 'labpass', read: ['call'], write: ['call'] },
  { username: 'quiet', secret: 'labpass', read: ['all'], write: [], filters: ['!Event: VarSet'] },
];

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A simulator that ends with the test. */
export async function start(options: AsteriskOptions = {}): Promise<Asterisk> {
  const asterisk = await startAsterisk({ users, systemName: 'lab', ...options });
  cleanups.push(() => asterisk.stop());
  return asterisk;
}

/** A connection that ends with the test. */
export async function open(asterisk: Asterisk): Promise<Client> {
  const client = await connectClient(asterisk.port);
  cleanups.push(() => client.close());
  return client;
}

/** A connection that has logged in. */
export async function login(asterisk: Asterisk, username = 'lab', events = 'on'): Promise<Client> {
  const client = await open(asterisk);
  const answer = await client.action('Login', { Username: username, Secret: 'labpass', Events: events });
  expect(answer.get('Message')).toBe('Authentication accepted');
  return client;
}

/** Everything the PBX has told so far has arrived once the answer to a Ping has. */
export async function drain(client: Client): Promise<void> {
  await client.action('Ping');
}

/** Resolves when so many channels have ended. */
export function hungUp(client: Client, channels: number): Promise<void> {
  return client.until(() => client.events('Hangup').length === channels, `${channels} Hangup events`);
}
