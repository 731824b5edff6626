/** Books in Redis (`keys.ts`). A script writes: what it adds and what is too much for it go in one step. */

import type { Redis } from 'ioredis';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import type { Keys } from './keys.ts';
import { inOrder, oldest, type Placed, pageOf } from './page.ts';
import { type EntryWrite, isEntry, type Write } from './pending.ts';
import type { BookName, Keep, LedgerEntry, Page } from './store.ts';

/** Whose book. */
export interface Account {
  readonly book: BookName;
  readonly owner: BareJid;
}

/** Owners whose books are seen to at a time. */
const sweepCount = 100;
/** Entries that go in one step, for which Redis lets everybody wait: there are more where the bounds were made narrower. */
const mostGone = 1000;
const scanCount = 1000;

// KEYS: entries, order, owners. ARGV: owner, entries to keep (-1: all), oldest time to keep, most to remove, then mode, id, time and text of each entry.
// Returns how many were removed.
const writeScript = `
local entries, order, owners = KEYS[1], KEYS[2], KEYS[3]
for i = 5, #ARGV, 4 do
  local mode, id, at, text = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local there = redis.call('HEXISTS', entries, id) == 1
  if there and mode ~= 'append' or not there and mode ~= 'replace' then redis.call('HSET', entries, id, text) end
  if not there and mode ~= 'replace' then redis.call('ZADD', order, at, id) end
end
local most = tonumber(ARGV[4])
local gone = redis.call('ZRANGEBYSCORE', order, '-inf', '(' .. ARGV[3], 'LIMIT', 0, most)
local count = #gone
for _, id in ipairs(gone) do redis.call('HDEL', entries, id) redis.call('ZREM', order, id) end
local surplus = tonumber(ARGV[2]) < 0 and 0 or redis.call('ZCARD', order) - ARGV[2]
surplus = math.min(surplus, most - count)
gone = surplus > 0 and redis.call('ZRANGE', order, 0, surplus - 1) or {}
for _, id in ipairs(gone) do redis.call('HDEL', entries, id) redis.call('ZREM', order, id) end
redis.call(redis.call('EXISTS', order) == 1 and 'SADD' or 'SREM', owners, ARGV[1])
return count + #gone`;

// KEYS as above. ARGV: owner.
const eraseScript = `
local count = redis.call('ZCARD', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SREM', KEYS[3], ARGV[1])
return count`;

function keysOf(keyOf: Keys, { book, owner }: Account): [string, string, string] {
  return [keyOf(`entries:${book}:${owner}`), keyOf(`order:${book}:${owner}`), keyOf(`owners:${book}`)];
}

/** Writes entries of one book and owner, perhaps none, and removes what is not to be kept. */
export async function writeEntries(
  client: Redis,
  keyOf: Keys,
  account: Account,
  writes: readonly EntryWrite[],
  keep: Keep | undefined,
  now: number,
): Promise<void> {
  const rows = writes.flatMap(({ mode, field, at, value }) => [mode, field, String(at), value]);
  const keys = keysOf(keyOf, account);
  const bounds = [keep?.count ?? -1, oldest(keep, now), mostGone].map(String);
  const write = (some: readonly string[]) =>
    client.eval(writeScript, 3, ...keys, account.owner, ...bounds, ...some);
  for (let gone = await write(rows); gone === mostGone; ) gone = await write([]);
}

/** Removes what an owner has in a book; resolves with the number of entries. */
export async function eraseEntries(client: Redis, keyOf: Keys, account: Account): Promise<number> {
  return Number(await client.eval(eraseScript, 3, ...keysOf(keyOf, account), account.owner));
}

/** A page of a book. `latest`: what is not durable yet, by id. */
export async function readEntries(
  client: Redis,
  keyOf: Keys,
  account: Account,
  latest: ReadonlyMap<string, Write>,
  page: Page,
  since: number,
): Promise<LedgerEntry[]> {
  const [entriesKey, orderKey] = keysOf(keyOf, account);
  const pairs = await client.zrange(orderKey, '0', '-1', 'WITHSCORES');
  const placed: Placed[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2)
    placed.push({ id: pairs[at] ?? '', at: Number(pairs[at + 1]) });
  const stored = new Set(placed.map(({ id }) => id));
  for (const write of latest.values()) {
    if (isEntry(write) && write.mode !== 'replace' && !stored.has(write.field))
      placed.push({ id: write.field, at: write.at });
  }
  const part = pageOf(placed.filter(({ at }) => at >= since).sort(inOrder), page);
  if (part.length === 0) return [];
  const texts = await client.hmget(entriesKey, ...part.map(({ id }) => id));
  return part.flatMap(({ id, at }, index) => {
    const text = textOf(texts[index], latest.get(id));
    return text === undefined ? [] : [{ id, at, text }];
  });
}

/** An entry of a book. `write`: what is not durable of it yet. */
export async function readEntry(
  client: Redis,
  keyOf: Keys,
  account: Account,
  write: Write | undefined,
  id: string,
): Promise<LedgerEntry | undefined> {
  const [entriesKey, orderKey] = keysOf(keyOf, account);
  const [kept, score] = await Promise.all([client.hget(entriesKey, id), client.zscore(orderKey, id)]);
  const fresh = write !== undefined && isEntry(write) && write.mode !== 'replace' ? write.at : undefined;
  const at = score === null ? fresh : Number(score);
  const text = textOf(kept, write);
  return at === undefined || text === undefined ? undefined : { id, at, text };
}

/** An `append` leaves alone what is there; any other text is newer than what Redis has. */
function textOf(kept: string | null | undefined, write: Write | undefined): string | undefined {
  if (write === undefined || !isEntry(write)) return kept ?? undefined;
  return write.mode === 'append' ? (kept ?? write.value) : write.value;
}

/** Everybody who has entries in Redis. */
export async function readOwners(client: Redis, keyOf: Keys, book: BookName): Promise<Set<BareJid>> {
  const found = new Set<BareJid>();
  for await (const owners of scanOwners(client, keyOf, book, scanCount))
    for (const owner of owners) found.add(owner);
  return found;
}

/** Removes what is not to be kept, of everybody, some owners at a time. Rejects with the client's error. */
export async function sweepBook(
  client: Redis,
  keyOf: Keys,
  book: BookName,
  keep: Keep,
  now: number,
): Promise<void> {
  for await (const owners of scanOwners(client, keyOf, book, sweepCount)) {
    const swept = owners.map((owner) => writeEntries(client, keyOf, { book, owner }, [], keep, now));
    await Promise.all(swept);
  }
}

async function* scanOwners(client: Redis, keyOf: Keys, book: BookName, count: number) {
  let cursor = '0';
  do {
    const [next, owners] = await client.sscan(keyOf(`owners:${book}`), cursor, 'COUNT', count);
    yield owners.flatMap((owner) => parseJid(owner)?.bare ?? []);
    cursor = next;
  } while (cursor !== '0');
}
