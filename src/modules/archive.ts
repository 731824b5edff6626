/** Module `archive`: what one has written and was written. */

import { createHash } from 'node:crypto';
import type { Archive, ArchivedMessage, ArchiveQuery } from '../archive/archive.ts';
import { beginnings } from '../archive/conversations.ts';
import { badRequest, fail } from '../errors.ts';
import { attr, element, many, optional, textElement } from '../protocol/codec.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import { integer, text } from '../protocol/value.ts';
import type { Zone } from '../zone.ts';
import { type Context, command, defineModule } from './define.ts';

const archiveEntry = element('ArchiveEntry', {
  timestamp: attr(
    text('2026-11-26T12:29:05+01:00'),
    'in the time zone of the bridge’s configuration, with its offset',
  ),
  from: attr(text('mmeyer@example.org'), 'account'),
  to: attr(text('tweber@example.org'), 'account'),
  conversationid: attr(
    text('9f86d081884c7d65-1795692545'),
    'the same for messages with one peer between which no hour passes',
  ),
  body: textElement(text('See you at noon', 100_000), ''),
});

const limit = (fallback: number, most: number) =>
  optional(integer(1, most, fallback), `how many at the most; default: ${fallback}`);
const query = textElement(
  text('noon', 200),
  '',
  'stands somewhere in the text, whatever the case of its letters; at least 3 characters; nothing in it has a special meaning',
);
const participant = textElement(text('mmeyer@example.org'), '', 'JID of the other; left out: anybody');
const time = '`2026-11-26` or `2026-11-26 12:29[:05]`, in the bridge’s time zone unless an offset follows';

/** Further back nobody asks for the beginning of a conversation. */
const LONGEST_CONVERSATION_MS = 24 * 3600_000;

/** Module `archive`. */
export const archive = defineModule({
  name: 'archive',
  doc:
    'The user’s own conversations, as the XMPP server has archived them. Encrypted messages have no text here. Failure `not-available` where ' +
    'the bridge is not configured to read the archive, or cannot.',
  commands: [
    command({
      doc: 'The days on which the text was written, newest first, each with its first such message.',
      access: 'user',
      request: element('FindDates', { limit: limit(30, 366), participant, query }),
      response: {
        codec: element('Dates', {
          dates: many(element('Date', { date: attr(text('2026-11-26')), entry: many(archiveEntry) })),
        }),
      },
      async handle(request, context) {
        const { zone, wanted } = prepare(request, context);
        const days = new Map<string, ArchivedMessage>();
        await archiveOf(context).search(wanted, (message) => {
          const day = zone.day(message.at);
          if (!days.has(day) && days.size >= (request.limit ?? 30)) return false;
          // Newest first: the last one that is found of a day is its first.
          days.set(day, message);
          return true;
        });
        const entries = await describe([...days.values()], context);
        return {
          dates: [...days.keys()].map((date, index) => ({ date, entry: entries.slice(index, index + 1) })),
        };
      },
    }),
    command({
      doc: 'Messages in which the text stands, oldest first; where there are more than `limit`, the newest of them.',
      access: 'user',
      request: element('FindEntries', {
        limit: limit(100, 500),
        fromdate: textElement(text('2026-11-26'), '', time),
        todate: textElement(
          text('2026-11-27'),
          '',
          `${time}; that day, minute or second included; default: until now`,
        ),
        participant,
        query,
      }),
      response: { codec: element('ArchiveEntryList', { entries: many(archiveEntry) }) },
      async handle(request, context) {
        const { zone, wanted } = prepare(request, context);
        if (request.fromdate === '') badRequest("FindEntries: element 'fromdate' is missing");
        const from = instant(zone, 'fromdate', request.fromdate).begins;
        const to = request.todate === '' ? undefined : instant(zone, 'todate', request.todate).ends;
        const found: ArchivedMessage[] = [];
        let bytes = 0;
        await archiveOf(context).search({ ...wanted, from, to }, (message) => {
          // Serialized twice in the worst case; what does not fit would cost the whole answer.
          bytes += Buffer.byteLength(message.body) * 2 + 400;
          if (bytes > context.settings.answerBytes) return false;
          found.push(message);
          return found.length < (request.limit ?? 100);
        });
        return { entries: await describe(found.reverse(), context) };
      },
    }),
  ],
});

function archiveOf({ archive: known }: Context): Archive {
  return known ?? fail('not-available', 'There is no chat archive on this system.');
}

/** What both commands have in common. Throws `Failure` `not-available`, `StanzaError` `bad-request`. */
function prepare(
  request: { readonly participant: string; readonly query: string },
  context: Context,
): { readonly zone: Zone; readonly wanted: ArchiveQuery } {
  archiveOf(context);
  const wanted = request.query.trim();
  if ([...wanted].length < 3) badRequest("element 'query' must be a text of at least 3 characters");
  let peer: BareJid | undefined;
  if (request.participant !== '') {
    peer = parseJid(request.participant)?.bare ?? badRequest("element 'participant' must be a JID");
  }
  return {
    zone: context.settings.archiveZone,
    wanted: { owner: context.caller.user.jid, text: wanted, peer },
  };
}

function instant(zone: Zone, name: string, value: string) {
  return (
    zone.read(value) ?? badRequest(`element '${name}' must be a time such as 2026-11-26 or 2026-11-26 12:29`)
  );
}

/** As clients get them; the conversations are told apart by all messages with each peer, found or not. */
async function describe(messages: readonly ArchivedMessage[], context: Context) {
  const owner = context.caller.user.jid;
  const begun = new Map<BareJid, ReadonlyMap<number, number>>();
  for (const peer of new Set(messages.map((message) => message.peer))) {
    const times = messages.filter((message) => message.peer === peer).map(({ at }) => at);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const all = await archiveOf(context).times(owner, peer, first - LONGEST_CONVERSATION_MS, last);
    begun.set(peer, beginnings(all));
  }
  return messages.map((message) => {
    const start = begun.get(message.peer)?.get(message.at) ?? message.at;
    return {
      timestamp: context.settings.archiveZone.write(message.at),
      from: accountOf(message.from, message.peer),
      to: accountOf(message.to, owner),
      conversationid: `${createHash('sha256').update(message.peer).digest('hex').slice(0, 16)}-${Math.floor(start / 1000)}`,
      body: message.body,
    };
  });
}

/** The account of a stanza's address; servers leave out what goes without saying. */
function accountOf(address: string, otherwise: BareJid): string {
  return parseJid(address)?.bare ?? otherwise;
}
