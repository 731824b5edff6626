/** Persons from vCards: version 3.0 (RFC 2426) and 4.0 (RFC 6350). */

import ICAL from 'ical.js';
import type { Draft } from './person.ts';
import type { NumberKind } from './phonebook.ts';
import { createGatherer, type Gatherer, linesOf, type Reading, type ReadingOptions } from './reading.ts';

/** What makes cards large, and is of no use here. */
const skipped = /^(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]/i;
/** Characters of a card without those. */
const longestCard = 65_536;

/** Reads a whole file; to be driven to its end. A card that cannot be read is reported with its first line. */
export function* readVcards(text: string, options: ReadingOptions): Generator<void, Reading> {
  const gatherer = yield* createGatherer(options);
  let card: string[] = [];
  let size = 0;
  let began = 0;
  let isSkipping = false;
  for (const [line, content] of linesOf(text)) {
    if (line % 50 === 0) yield;
    if (/^BEGIN:VCARD\s*$/i.test(content)) {
      if (began !== 0) gatherer.wrong(began, 'the card does not end');
      [card, size, began] = [[], 0, line];
    } else if (began === 0) {
      if (content.trim() !== '') gatherer.wrong(line, 'expected BEGIN:VCARD');
      continue;
    }
    // A line that begins with a blank belongs to the one before (RFC 6350 §3.2).
    if (!/^[ \t]/.test(content)) isSkipping = skipped.test(content);
    if (isSkipping || content === '') continue;
    size += content.length;
    if (size <= longestCard) card.push(content);
    if (!/^END:VCARD\s*$/i.test(content)) continue;
    if (size > longestCard)
      gatherer.wrong(began, `the card has ${size} characters, ${longestCard} are possible`);
    else readCard(card.join('\r\n'), began, gatherer);
    began = 0;
  }
  if (began !== 0) gatherer.wrong(began, 'the card does not end');
  return gatherer.reading;
}

function readCard(text: string, line: number, gatherer: Gatherer): void {
  if (/^VERSION:2/im.test(text)) {
    gatherer.wrong(line, 'vCard 2.1 is not read: export as 3.0 or 4.0');
    return;
  }
  let draft: Draft;
  try {
    draft = draftOf(new ICAL.Component(ICAL.parse(text)));
  } catch (error) {
    gatherer.wrong(line, error instanceof Error ? error.message.slice(0, 200) : String(error));
    return;
  }
  gatherer.add(line, draft);
}

function draftOf(card: ICAL.Component): Draft {
  const parts = (name: string): readonly string[] =>
    // A structured value is a list, each part of which may be one.
    [card.getFirstPropertyValue(name) ?? []].flat(2).map(String);
  const [surname, firstname] = parts('n');
  const [organisation] = parts('org');
  const isPrivate = /^(private|confidential)$/i.test(parts('class')[0] ?? '');
  return {
    id: parts('uid')[0],
    firstname,
    surname,
    displayname: parts('fn')[0],
    organisation,
    email: parts('email')[0],
    labels: card.getAllProperties('categories').flatMap((each) => each.getValues().map(String)),
    numbers: card.getAllProperties('tel').flatMap((tel) =>
      tel.getValues().map((value) => ({
        kind: kindOf([tel.getParameter('type') ?? []].flat().map((type) => String(type).toLowerCase())),
        number: String(value).replace(/^tel:/i, ''),
        isPrivate,
      })),
    ),
  };
}

/** RFC 6350 §6.4.1. Quoted lists (`TYPE="work,fax"`) come as one. */
export function kindOf(types: readonly string[]): NumberKind {
  const known = new Set(types.flatMap((type) => type.split(',')));
  if (known.has('fax')) return 'fax';
  if (known.has('cell') || known.has('iphone')) return 'mobile';
  return known.has('home') ? 'homephone' : 'phone';
}
