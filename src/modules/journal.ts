/** Module `journal`: recent calls. */

import type { User } from '../directory.ts';
import { fail } from '../errors.ts';
import { type Entry, results } from '../journal/entry.ts';
import { attr, attrOr, element, type Infer, many, optional, sizeOf, textElement } from '../protocol/codec.ts';
import { flag, integer, oneOf, text, word } from '../protocol/value.ts';
import { type Context, command, defineModule, event } from './define.ts';
import { identified, supervises } from './reach.ts';

const whole = (example: number) => integer(0, Number.MAX_SAFE_INTEGER, example);

/** A call as its user saw it. */
export const journalEntry = element(
  'JournalEntry',
  {
    eventId: attrOr(text('1764158400.12'), '', 'the same as `id`'),
    eventType: attrOr(
      oneOf('new', 'update'),
      'new',
      '`update`: an entry that was told before has become another: the telephone rang again for the same call',
    ),
    userId: attrOr(whole(1042), 0, 'whose entry it is: `db_003use_id`'),
    userName: attrOr(text('tweber'), ''),
    id: textElement(text('1764158400.12'), '', 'unique among the user’s entries'),
    timestamp: textElement(whole(1764158400000), 0, 'epoch ms of the start'),
    inbound: textElement(flag(true), false, 'the user was called'),
    internal: textElement(flag(true), false, 'the other party is one of our extensions'),
    duration: textElement(whole(75), 0, 'seconds from the first ring to the end; 0: never answered'),
    connected: textElement(whole(63), 0, 'seconds of talk'),
    deviceId: textElement(text('PJSIP/340'), '', 'the device as the telephone system names it'),
    deviceName: textElement(text('Desk phone'), '', 'the one that talked, or that rang first'),
    locationId: textElement(text('Office 2.14'), ''),
    locationName: textElement(text('Office 2.14'), '', 'where the device stands'),
    name: textElement(text('Max Meyer'), '', 'the other party'),
    number: textElement(text('370'), '', 'the other party’s; of calls that the user made, what was dialled'),
    prefix: textElement(text(''), '', 'outside prefix that was dialled in front of the number'),
    result: textElement(oneOf(...results), 'hangup', '`hangup`: they talked'),
    resultDetails: textElement(
      text(''),
      '',
      '`to`: the call went on to somebody else; `from`: it came on from somebody else; else the cause, where it says more than the result',
    ),
    via: textElement(
      text('Support'),
      '',
      'the queue that the call came through, or the number of who sent it on',
    ),
    viaDetails: textElement(text('queue'), '', 'what `via` is: `queue`, `redirect` or `transfer`'),
    extension: textElement(text('340'), '', 'the user’s own'),
    recordId: textElement(text(''), '', 'the recording, where there is one'),
  },
  'A call that is over, as its user saw it.',
);

type JournalEntry = Infer<typeof journalEntry>;

const list = element('JournalList', {
  next: optional(
    text('1764158400.12'),
    'there are further entries: ask again with this as `before`; as `after`, where `after` was given. Absent: these were the last',
  ),
  entries: many(journalEntry),
});

const page = {
  limit: optional(
    integer(1, 10_000, 30),
    'how many calls at the most; default: 100, and what fits into one stanza',
  ),
  before: optional(text('1764158400.12', 256), 'only calls older than the one of this id'),
  after: optional(
    text('1764158400.12', 256),
    'only calls newer than the one of this id, beginning with the one next to it',
  ),
  result: optional(oneOf(...results), 'only calls that ended so'),
};

type Request = {
  readonly limit: number | undefined;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly result: Entry['result'] | undefined;
};

/** Module `journal`. */
export const journal = defineModule({
  name: 'journal',
  doc: 'Recent calls: one entry for each call and user, newest first, written when the call ends for that user.',
  commands: [
    command({
      doc: 'The user’s own recent calls.',
      access: 'user',
      request: element('FindOwn', page),
      response: { codec: list },
      handle: (request, context) => find(context.caller.user, request, context),
    }),
    command({
      doc: 'The recent calls of a user.',
      access: 'supervisor',
      request: element('FindByIdentity', {
        identity: attr(word('mmeyer', 256), 'user name or JID'),
        ...page,
      }),
      response: { codec: list },
      handle({ identity, ...request }, context) {
        const user = identified(identity, context);
        if (user.jid !== context.caller.user.jid && !supervises(user, context))
          fail('not-permitted', `${user.fullName} is in none of your groups.`);
        return find(user, request, context);
      },
    }),
  ],
  events: [
    event({
      doc: 'A call of the user is over.',
      on: 'journal',
      payload: journalEntry,
      from({ type, owner, entry }, { directory }) {
        const user = directory.byJid(owner);
        if (user === undefined) return [];
        const about = { key: `journal ${owner} ${entry.id}`, facet: 'entry' };
        return [{ concerns: [user], value: describeEntry(entry, user, type), about }];
      },
    }),
  ],
});

/** Entries until there are enough, or until one more would not fit into the answer. */
async function find(user: User, { limit = 100, ...request }: Request, context: Context) {
  // One more than is asked for tells whether there are further ones.
  const found = await context.journal
    .find(user.jid, { ...request, limit: limit + 1 })
    .catch((error: unknown) => {
      context.log.warn({ reason: String(error) }, 'a journal cannot be read');
      return fail('not-available', 'The journal cannot be read at the moment: try again later.');
    });
  const forward = request.after !== undefined;
  const all = found.map((entry) => describeEntry(entry, user, 'new'));
  if (forward) all.reverse();
  const entries: JournalEntry[] = [];
  let room = context.settings.answerBytes;
  for (const entry of all) {
    room -= sizeOf(journalEntry, entry);
    if (entries.length === limit || room < 0) break;
    entries.push(entry);
  }
  const next = entries.length < all.length ? entries.at(-1)?.id : undefined;
  return { next, entries: forward ? entries.reverse() : entries };
}

function describeEntry(entry: Entry, user: User, eventType: 'new' | 'update'): JournalEntry {
  return {
    eventId: entry.id,
    eventType,
    userId: user.ids.user,
    userName: user.name,
    id: entry.id,
    timestamp: entry.timestamp,
    inbound: entry.inbound,
    internal: entry.internal,
    duration: entry.duration,
    connected: entry.connected,
    deviceId: entry.device,
    deviceName: entry.deviceName,
    locationId: entry.location,
    locationName: entry.location,
    name: entry.name,
    number: entry.number,
    prefix: entry.prefix,
    result: entry.result,
    resultDetails: entry.details,
    via: entry.via,
    viaDetails: entry.viaDetails,
    extension: entry.extension,
    recordId: entry.recordId,
  };
}
