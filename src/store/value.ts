/**
 * Entries as Redis fields and values. A session is JSON without field names, a version number in front; a watch is all in
 * its field. Restarts read hundreds of thousands of them.
 */

import { fullJid, parseJid } from '../protocol/jid.ts';
import type { StoredSession, StoredSubscription, StoredWatch } from './store.ts';

const version = 1;

/** `[1, since, client, [[module, type, scope, [[name, equals], …]], …]]`. */
export function encodeSession({ since, client, subscriptions }: StoredSession): string {
  const rows = subscriptions.map(({ module, type, scope, filters }) => [
    module,
    type,
    scope,
    filters.map(({ name, equals }) => [name, equals]),
  ]);
  return JSON.stringify([version, since, client, rows]);
}

/** The session behind a field and its value; undefined where another version, or no bridge at all, wrote them. */
export function decodeSession(field: string, value: string): StoredSession | undefined {
  const parsed = parseJid(field);
  const jid = parsed && fullJid(parsed);
  const row = parseJson(value);
  if (jid === undefined || jid !== field || !Array.isArray(row)) return undefined;
  const [found, since, client, rows]: unknown[] = row;
  if (found !== version || typeof since !== 'number' || !isTexts(client) || !Array.isArray(rows))
    return undefined;
  const subscriptions: StoredSubscription[] = [];
  for (const item of rows) {
    const subscription = decodeSubscription(item);
    if (subscription === undefined) return undefined;
    subscriptions.push(subscription);
  }
  return { jid, since, client, subscriptions };
}

/** `contact watcher`: neither JID can hold a blank (RFC 7622 §3.3). */
export function watchField({ contact, watcher }: StoredWatch): string {
  return `${contact} ${watcher}`;
}

/** The watch behind a field; undefined where no bridge wrote it. */
export function decodeWatch(field: string): StoredWatch | undefined {
  const [contact, watcher, ...rest] = field.split(' ').map((text) => parseJid(text));
  if (contact === undefined || watcher === undefined || rest.length > 0) return undefined;
  if (contact.resource !== '' || watcher.resource !== '') return undefined;
  return { contact: contact.bare, watcher: watcher.bare };
}

function decodeSubscription(row: unknown): StoredSubscription | undefined {
  if (!Array.isArray(row)) return undefined;
  const [module, type, scope, pairs]: unknown[] = row;
  if (typeof module !== 'string' || typeof type !== 'string' || !Array.isArray(pairs)) return undefined;
  if (scope !== 'user' && scope !== 'supervisor') return undefined;
  const filters: { name: string; equals: string }[] = [];
  for (const pair of pairs) {
    const [name, equals]: unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof name !== 'string' || typeof equals !== 'string') return undefined;
    filters.push({ name, equals });
  }
  return { module, type, scope, filters };
}

function isTexts(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === 'string');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Told apart from a session by the caller.
  }
}
