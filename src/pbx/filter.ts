import { type AmiAction, action } from './action.ts';
import { isDenied } from './answer.ts';
import type { Log } from './log.ts';
import type { AmiSession } from './session.ts';

// A legible share of the 1021 bytes of a line, and few enough alternatives for one regular expression.
const maxPattern = 960;

/**
 * Actions that make Asterisk send these events and no others on this connection: `Filter` without a leading `!` (manager.c
 * action_filter; as `eventfilter` of manager.conf). One regular expression holds as many names as fit a line; an event
 * passes when one of them matches. What follows the name is its CR, which no header could carry here.
 */
export function filterActions(names: Iterable<string>): readonly AmiAction[] {
  const patterns: string[] = [];
  let alternatives = '';
  for (const name of names) {
    if (alternatives !== '' && alternatives.length + name.length + 1 > maxPattern) {
      patterns.push(alternatives);
      alternatives = '';
    }
    alternatives += alternatives === '' ? name : `|${name}`;
  }
  if (alternatives !== '') patterns.push(alternatives);
  return patterns.map((pattern) =>
    action('Filter', { Operation: 'Add', Filter: `^Event: (${pattern})[^A-Za-z0-9]` }),
  );
}

/** Filters at the source where the account may; goes on unfiltered where it may not. */
export async function filterAtSource(session: AmiSession, names: Iterable<string>, log: Log): Promise<void> {
  const answers = await Promise.all(filterActions(names).map((each) => session.exchange(each)));
  const refused = answers.find((answer) => answer.get('Response') !== 'Success');
  if (refused === undefined) return;
  const sentence = refused.get('Message');
  log.info(
    { answer: sentence },
    isDenied(sentence)
      ? "Asterisk sends events that nobody wants: 'Filter' needs 'write = system'; 'eventfilter' lines in manager.conf do the same without it"
      : 'Asterisk would not filter its events; they are dropped here',
  );
}
