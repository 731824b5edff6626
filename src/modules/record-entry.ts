/** A recording as the API has it, for those who may have it. */

import { extname } from 'node:path/posix';
import type { User } from '../directory.ts';
import { fail } from '../errors.ts';
import type { CallRecord, Section } from '../monitor/record.ts';
import { attr, element, type Infer, many, one, optional } from '../protocol/codec.ts';
import { integer, oneOf, text } from '../protocol/value.ts';
import type { Context } from './define.ts';
import { journalEntry } from './journal.ts';
import { supervises } from './reach.ts';

const epoch = integer(0, Number.MAX_SAFE_INTEGER, 1_700_000_000_000);
const bytes = integer(0, Number.MAX_SAFE_INTEGER, 960_044);

/** A recording with its sections. */
export const recordEntry = element('RecordEntry', {
  id: attr(text('20261126T101500-00112233445566ff')),
  call: one(journalEntry),
  records: many(
    element('Record', {
      duration: attr(integer(0, 1_000_000_000, 60), 'seconds of sound, read from the file'),
      ruleId: attr(text('support'), 'the rule by which it was recorded'),
      file: attr(text('20261126T101500-00112233445566ff-1.wav')),
      state: attr(oneOf('finished', 'recording', 'missing'), '`missing`: the file is gone'),
      type: attr(oneOf('auto', 'manual')),
      timestamp: optional(epoch, 'when the section began, epoch milliseconds'),
      identity: optional(text('tweber'), 'user name of who started it, where it was manual'),
      audio: one(
        element('AudioFile', {
          format: attr(text('wav')),
          size: attr(bytes, 'bytes'),
        }),
      ),
    }),
  ),
});

/** For a store that cannot be read: says so in the log, and throws `Failure` `not-available`. */
export const unreadable =
  ({ log }: Context) =>
  (error: unknown): never => {
    log.warn({ reason: String(error) }, 'the list of recordings cannot be read');
    return fail('not-available', 'The recordings cannot be read at the moment: try again later.');
  };

/** What of a record the caller may have. Throws `Failure` `no-such-record`, `not-available`. */
export async function permittedRecord(recordId: string, context: Context): Promise<CallRecord> {
  const { caller, monitor } = context;
  const record = await monitor.find(recordId, caller.user.jid).catch(unreadable(context));
  // The same whether it is not there or not theirs: ids are not to be tried out.
  return (
    (record && permittedPart(record, context)) ??
    fail('no-such-record', 'There is no such recording, or it is not for you.')
  );
}

/** The sections that the caller may have; undefined where there are none. */
export function permittedPart(record: CallRecord, context: Context): CallRecord | undefined {
  const { caller, directory } = context;
  const audience = directory.policy.recording?.audience ?? new Set();
  const isTheirs = (section: Section) =>
    section.identity === caller.user.name ||
    (audience.has('participants') && section.heard.includes(caller.user.jid)) ||
    (audience.has('supervisors') &&
      section.heard.some((jid) => supervisesJid(directory.byJid(jid), context)));
  const sections = record.sections.filter(isTheirs);
  return sections.length === 0 ? undefined : { ...record, sections };
}

function supervisesJid(user: User | undefined, context: Context): boolean {
  return user !== undefined && supervises(user, context);
}

/** As {@link recordEntry} has it: the sections that are handed in, and the call. */
export async function describeRecord(record: CallRecord, context: Context) {
  const records = [];
  for (const section of record.sections) records.push(await describeSection(section, context));
  return { id: record.id, call: describeCall(record, context), records };
}

async function describeSection(section: Section, { monitor }: Context) {
  const audio = await monitor.shelf?.open(section.file);
  await audio?.handle.close();
  return {
    duration: Math.round(audio?.seconds ?? 0),
    ruleId: section.ruleId,
    file: section.file,
    state: audio === undefined ? 'missing' : section.to === 0 ? 'recording' : 'finished',
    type: section.identity === '' ? 'auto' : 'manual',
    timestamp: section.from,
    identity: section.identity === '' ? undefined : section.identity,
    audio: { format: extname(section.file).slice(1), size: audio?.size ?? 0 },
  } as const;
}

/** The call as it was for the caller, or for the first of those who were in it: as their journal has it, as far as the recording knows. */
function describeCall(record: CallRecord, { caller, directory }: Context): Infer<typeof journalEntry> {
  const leg = record.legs.find(({ jid }) => jid === caller.user.jid) ?? record.legs[0];
  const user = leg && directory.byJid(leg.jid);
  const place = user?.location ?? '';
  return {
    ...noCall,
    eventId: leg?.call ?? '',
    userId: user?.ids.user ?? 0,
    userName: user?.name ?? '',
    id: leg?.call ?? '',
    timestamp: leg?.since ?? record.at,
    inbound: leg?.inbound ?? false,
    internal: leg?.internal ?? false,
    connected: Math.round(talkMs(record) / 1000),
    duration: Math.round(talkMs(record) / 1000),
    deviceName: leg?.device ?? '',
    locationId: place,
    locationName: place,
    name: leg?.name ?? '',
    number: leg?.number ?? '',
    extension: user?.extension ?? '',
    recordId: record.id,
  };
}

/** How long sections ran, milliseconds. */
function talkMs({ sections }: CallRecord): number {
  return sections.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
}

const noCall = {
  eventType: 'new',
  deviceId: '',
  prefix: '',
  result: 'hangup',
  resultDetails: '',
  via: '',
  viaDetails: '',
} as const;
