/** `offhook replay`: what users would have been told of recorded calls. Offline, and the same every time. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { callsOf } from '../directory/calls.ts';
import { DirectoryFileError } from '../directory/file.ts';
import { parseDirectory } from '../directory/parse.ts';
import type { Directory } from '../directory.ts';
import { createJournal } from '../journal/journal.ts';
import { modules } from '../modules/index.ts';
import { parseJid } from '../protocol/jid.ts';
import { createQueues } from '../queues/model.ts';
import { readRecording } from '../replay/file.ts';
import { RECORDED_DOMAIN, recordedPeople } from '../replay/people.ts';
import { tell } from '../replay/told.ts';
import { createRoomWorld } from '../rooms/model.ts';
import { createMemoryStore } from '../store/memory.ts';
import { UsageError } from './usage.ts';

/**
 * Prints one JSON line for each event that each user would receive, then a summary on `report`. Returns the exit code: 1 where
 * an invariant was violated. Throws {@link UsageError}, `DirectoryFileError`, and Error where a recording cannot be read.
 */
export function replayCommand(
  args: readonly string[],
  print: (line: string) => void,
  report: (line: string) => void,
): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { directory: { type: 'string' }, as: { type: 'string' } },
  });
  if (positionals.length === 0) throw new UsageError('replay: name at least one recording');
  const recordings = positionals.map((path) => ({ path, ...readRecording(path) }));
  const directory =
    values.directory === undefined ? recordedPeople(recordings) : readDirectory(values.directory);
  const only = values.as === undefined ? undefined : whom(values.as, directory);
  let events = 0;
  let violated = 0;
  for (const { path, ...recording } of recordings) {
    // Each recording is a life of its own: what one left open is not the next one's.
    const calls = callsOf(() => directory);
    const following = [createQueues(), createRoomWorld(), journalOf(directory)];
    const violations = tell(recording, { modules, directory, calls, following }, (told) => {
      if (only !== undefined && told.to !== only) return;
      events += 1;
      print(JSON.stringify(told));
    });
    violated += violations.length;
    for (const text of violations) report(`${path}: ${text}`);
  }
  const files = recordings.length === 1 ? '1 recording' : `${recordings.length} recordings`;
  report(`${files}, ${events} events, ${violated} violated invariants`);
  return violated === 0 ? 0 : 1;
}

/** A journal that ends with the recording. */
function journalOf(directory: Directory) {
  return createJournal({
    store: createMemoryStore(() => 0),
    directory: { current: directory },
    nameOf: () => undefined,
    recordOf: () => '',
    settings: { keep: { count: 1, ageMs: Number.MAX_SAFE_INTEGER }, outsidePrefix: '' },
    log: pino({ level: 'silent' }),
    now: () => 0,
  });
}

function readDirectory(path: string): Directory {
  const parsed = parseDirectory(readFileSync(path, 'utf8'), undefined);
  if (parsed.ok) return parsed.directory;
  throw new DirectoryFileError(
    parsed.mistakes.map(({ line, column, text }) => `${path}:${line}:${column}: ${text}`),
  );
}

/** The bare JID that `--as` means: a JID, a user name or an extension. */
function whom(text: string, directory: Directory): string {
  const jid = text.includes('@') ? parseJid(text) : undefined;
  const user =
    jid === undefined ? (directory.byName(text) ?? directory.byExtension(text)) : directory.byJid(jid.bare);
  if (user !== undefined) return user.jid;
  const known = directory.users.slice(0, 10).map((each) => each.jid);
  throw new UsageError(
    `replay: nobody is called ${text} (${RECORDED_DOMAIN} is the domain where no directory says); there are ${known.join(', ')}`,
  );
}
