/** A person as sources make one: whatever they hold, bounded, cleaned, and with a name. */

import { createHash } from 'node:crypto';
import type { BareJid } from '../protocol/jid.ts';
import type { Numbers } from './numbers.ts';
import type { NumberKind, Person, PersonNumber, SourceName } from './phonebook.ts';
import { clean } from './text.ts';

/** What a source knows, unchecked. */
export interface Draft {
  /** The source's own key; left out: made of name, address and numbers. */
  readonly id?: string | undefined;
  readonly jid?: BareJid | undefined;
  readonly firstname?: string | undefined;
  readonly surname?: string | undefined;
  readonly displayname?: string | undefined;
  readonly organisation?: string | undefined;
  readonly email?: string | undefined;
  readonly numbers: readonly {
    readonly kind: NumberKind;
    readonly number: string;
    readonly isPrivate?: boolean;
  }[];
  readonly labels?: readonly string[];
}

/** What of a person may be how long. */
export const personLimits = { text: 256, number: 64, numbers: 20, label: 64, labels: 20 };

/** The person, or in words why there is none. */
export function makePerson(source: SourceName, draft: Draft, key: Numbers['key']): Person | string {
  const { text, number: numberLength, numbers: most, label, labels: mostLabels } = personLimits;
  const texts = new Map<string, string>();
  for (const key of ['id', 'firstname', 'surname', 'displayname', 'organisation', 'email'] as const) {
    const raw = draft[key] ?? '';
    // Before anything looks at the whole of it.
    if (raw.length > text) return `the ${key} has ${raw.length} characters, ${text} are possible`;
    texts.set(key, clean(raw));
  }
  const of = (key: string) => texts.get(key) ?? '';
  const numbers: PersonNumber[] = [];
  // Before each is compared with all others.
  if (draft.numbers.length > 10 * most)
    return `there are ${draft.numbers.length} numbers, ${most} are possible`;
  for (const { kind, number: raw, isPrivate = false } of draft.numbers) {
    if (raw.length > numberLength)
      return `a number has ${raw.length} characters, ${numberLength} are possible`;
    const number = clean(raw);
    if (number === '') continue;
    const known = key(number);
    if (!/[0-9]/.test(known)) return `"${number}" is not a number`;
    if (!numbers.some((each) => each.key === known)) numbers.push({ kind, number, key: known, isPrivate });
  }
  if (numbers.length > most) return `there are ${numbers.length} numbers, ${most} are possible`;
  const labels = [
    ...new Set((draft.labels ?? []).slice(0, 10 * mostLabels).map((each) => clean(each.slice(0, label)))),
  ];
  const [firstname, surname, organisation, email] = [
    of('firstname'),
    of('surname'),
    of('organisation'),
    of('email'),
  ];
  const open = numbers.find((each) => !each.isPrivate)?.number ?? '';
  const displayname =
    [of('displayname'), `${firstname} ${surname}`.trim(), organisation, email, open].find(
      (each) => each !== '',
    ) ?? '';
  if (displayname === '') return 'there is neither a name nor a number';
  return {
    id: `${source}-${of('id') || digest([displayname, email, ...numbers.map((each) => each.number)])}`,
    jid: draft.jid,
    firstname,
    surname,
    displayname,
    organisation,
    email: email.toLowerCase(),
    numbers,
    labels: labels.filter((each) => each !== '').slice(0, mostLabels),
  };
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 12);
}
