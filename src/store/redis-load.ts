/** Reads all sessions back at start: a hundred thousand in a second or two, without holding Redis up. */

import type { Redis } from 'ioredis';
import type { Log } from '../log.ts';
import type { FullJid } from '../protocol/jid.ts';
import type { StoredSession } from './store.ts';
import { decodeSession } from './value.ts';

/** Fields that HSCAN is asked for at a time. */
const scanCount = 2000;

/**
 * The sessions of a hash. Values that cannot be read (a newer bridge's, somebody else's) are left where they are and
 * told in one log line. Rejects with the client's error.
 */
export async function readSessions(
  client: Redis,
  key: string,
  log: Log,
): Promise<Map<FullJid, StoredSession>> {
  const sessions = new Map<FullJid, StoredSession>();
  let skipped = 0;
  let example = '';
  let cursor = '0';
  do {
    const [next, items] = await client.hscan(key, cursor, 'COUNT', scanCount);
    cursor = next;
    for (let at = 0; at + 1 < items.length; at += 2) {
      const [field = '', value = ''] = [items[at], items[at + 1]];
      const session = decodeSession(field, value);
      if (session) sessions.set(session.jid, session);
      else {
        skipped += 1;
        example ||= field;
      }
    }
  } while (cursor !== '0');
  if (skipped > 0) log.warn({ key, skipped, example }, 'store: skipped values that this version cannot read');
  return sessions;
}
