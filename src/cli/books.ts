/** `offhook erase` and `offhook journal export`: what the store keeps of people, without a bridge. */

import { parseArgs } from 'node:util';
import { csvHeader, csvLine, exportJournals, rowOf } from '../journal/export.ts';
import { forgetInMissed } from '../missed.ts';
import { strike } from '../monitor/notes.ts';
import { eraseRecordings } from '../monitor/retention.ts';
import type { Shelf } from '../monitor/shelf.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import { books, type Store } from '../store/store.ts';
import { UsageError } from './usage.ts';

const FLUSH_MS = 30_000;

/** Connects to the store of the configuration for as long as `use` takes. */
export type WithStore = <T>(use: (store: Store) => Promise<T>) => Promise<T>;

/** Removes every recording in which one user is heard, and all that the books hold of them; prints how much that was. Throws {@link UsageError}. */
export async function eraseCommand(
  args: readonly string[],
  withStore: WithStore,
  shelf: () => Shelf | undefined,
  print: (line: string) => void,
): Promise<void> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [who, ...more] = positionals;
  if (who === undefined || more.length > 0) throw new UsageError('erase: offhook erase JID');
  const user = userOf(who);
  const recordings = shelf();
  // Before the books: what fails here leaves the list of what is left.
  const erased = recordings === undefined ? [] : await eraseRecordings(recordings, user);
  if (recordings !== undefined) print(`recordings: ${erased.length} with ${user} erased`);
  await withStore(async (store) => {
    // The others' lists name whom they talked to.
    for (const record of erased) strike(store.ledger('records'), record);
    for (const book of books) {
      const count = await store.ledger(book).erase(user);
      print(`${book}: ${count} ${count === 1 ? 'entry' : 'entries'} of ${user} erased`);
    }
    const calls = await forgetInMissed(store.ledger('missed'), user);
    await store.flush(FLUSH_MS);
    print(`missed: ${user} taken out of ${calls} ${calls === 1 ? 'call' : 'calls'} of queues`);
  });
}

const usage = 'journal: offhook journal export [--format csv|json] [JID …]';

/** Prints the journals of these users, or of everybody who has one. Throws {@link UsageError}. */
export async function journalCommand(
  args: readonly string[],
  withStore: WithStore,
  print: (line: string) => void,
): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: 'string', default: 'csv' } },
  });
  const [verb, ...who] = positionals;
  const { format } = values;
  if (verb !== 'export' || (format !== 'csv' && format !== 'json')) throw new UsageError(usage);
  const named = who.map(userOf);
  await withStore(async (store) => {
    const book = store.ledger('journal');
    const users = named.length > 0 ? named : [...(await book.owners())].sort();
    if (format === 'csv') print(csvHeader);
    let before = '[';
    for await (const exported of exportJournals(book, users)) {
      if (format === 'csv') print(csvLine(exported));
      else print(before + JSON.stringify(rowOf(exported)));
      before = ',';
    }
    if (format === 'json') print(before === '[' ? '[]' : ']');
  });
}

function userOf(text: string): BareJid {
  const jid = text.includes('@') ? parseJid(text) : undefined;
  return jid?.bare ?? refuse(text);
}

function refuse(text: string): never {
  throw new UsageError(`${text} is not a JID: name the user as user@domain`);
}
