/** XEP-0055: Jabber Search, by which standard clients look people up; with a form (XEP-0004) and pages (XEP-0059) for those that know them. */

import type { Directory, User } from '../directory.ts';
import { StanzaError } from '../errors.ts';
import type { BareJid } from '../protocol/jid.ts';
import { child, elements, serialize, textOf, type XmlElement, xml } from '../protocol/xml.ts';
import type { RateLimit } from '../rate.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import { numberKinds, type Person, type Phonebook } from './phonebook.ts';
import { fold } from './text.ts';

export const SEARCH_NS = 'jabber:iq:search';
const DATA_NS = 'jabber:x:data';
const RSM_NS = 'http://jabber.org/protocol/rsm';

/** What {@link serveSearch} needs. */
export interface SearchOptions {
  readonly phonebook: Phonebook;
  readonly directory: () => Directory;
  /** By user. */
  readonly rate: RateLimit<BareJid>;
  /** Bytes that the payload of one answer may have. */
  readonly answerBytes: number;
}

/** A field to fill in. */
interface SearchField {
  readonly name: string;
  readonly label: string;
  /** What of a person it is compared with; left out: everything. */
  readonly of?: (person: Person) => string;
}

/** `search` is in forms only. */
const fields: readonly SearchField[] = [
  { name: 'search', label: 'Name, number, or anything else' },
  { name: 'first', label: 'First name', of: (person) => person.firstname },
  { name: 'last', label: 'Last name', of: (person) => person.surname },
  { name: 'nick', label: 'Display name', of: (person) => person.displayname },
  { name: 'email', label: 'E-mail', of: (person) => person.email },
];

const legacy = fields.filter(({ of }) => of !== undefined);

/** The columns of a result. */
const columns: readonly (readonly [
  name: string,
  label: string,
  of: (person: Person) => readonly string[],
])[] = [
  ['nick', 'Name', (person) => [person.displayname]],
  ['first', 'First name', (person) => [person.firstname]],
  ['last', 'Last name', (person) => [person.surname]],
  ['organisation', 'Organisation', (person) => [person.organisation]],
  ...numberKinds.map(
    (kind) =>
      [
        kind,
        kind === 'homephone' ? 'Home phone' : kind.charAt(0).toUpperCase() + kind.slice(1),
        (person: Person) =>
          person.numbers.filter((each) => each.kind === kind && !each.isPrivate).map((each) => each.number),
      ] as const,
  ),
  ['email', 'E-mail', (person) => [person.email]],
];

/** Found persons in one answer, where the client asks for no fewer. */
const most = 100;
const longest = 256;

/** Answers searches of our users at the component's address. Feature: {@link SEARCH_NS}. */
export function serveSearch(xmpp: Pick<Xmpp, 'onIq' | 'domain'>, options: SearchOptions): void {
  const { directory, rate } = options;
  xmpp.onIq(
    SEARCH_NS,
    ({ from, to, type, payload }) => {
      if (to.bare !== xmpp.domain)
        throw new StanzaError('service-unavailable', 'nothing to search at this address');
      const user = directory().byJid(from.bare as BareJid);
      if (user === undefined)
        throw new StanzaError('forbidden', 'only users of the telephone system may search');
      if (type === 'get') return { result: form() };
      if (!rate.take(user.jid))
        throw new StanzaError('resource-constraint', 'too many searches: try again later', 'wait');
      return { result: search(payload, user, options) };
    },
    'query',
  );
}

function form(): XmlElement {
  const named = fields.map(({ name, label }) => xml('field', { type: 'text-single', var: name, label }));
  return xml('query', { xmlns: SEARCH_NS }, [
    xml('instructions', {}, ['Fill in one or more fields: parts of words are enough.']),
    ...legacy.map(({ name }) => xml(name)),
    xml('x', { xmlns: DATA_NS, type: 'form' }, [
      xml('title', {}, ['Phonebook']),
      xml('instructions', {}, ['Fill in one or more fields: parts of words and of numbers are enough.']),
      formType,
      ...named,
    ]),
  ]);
}

const formType = xml('field', { type: 'hidden', var: 'FORM_TYPE' }, [xml('value', {}, [SEARCH_NS])]);

function search(payload: XmlElement, asker: User, { phonebook, answerBytes }: SearchOptions): XmlElement {
  const submitted = elements(payload).find(({ name, ns }) => name === 'x' && ns === DATA_NS);
  const asked = wanted(payload, submitted);
  // All words at once leave few to compare field by field; a number is looked for by itself.
  const isNumber = asked.some(({ value }) => /^[-+0-9*#()/.\s]*$/.test(value));
  const text = isNumber ? (asked[0]?.value ?? '') : asked.map(({ value }) => value).join(' ');
  const set = elements(payload).find(({ name, ns }) => name === 'set' && ns === RSM_NS);
  const after = set && child(set, 'after');
  const items: XmlElement[] = [];
  const places: string[] = [];
  let room = answerBytes - 8192;
  for (const { person, place } of phonebook.find({ text, after: after && textOf(after) }, asker)) {
    // Without a form, an item is a contact (XEP-0055 §2.1): it needs a JID.
    if (submitted === undefined && person.jid === undefined) continue;
    if (!asked.every(({ of, value }) => of === undefined || fold(of(person)).includes(value))) continue;
    const item = submitted === undefined ? contact(person) : record(person);
    room -= Buffer.byteLength(serialize(item));
    if (room < 0 || items.length >= limitOf(set)) break;
    items.push(item);
    places.push(place);
  }
  return xml('query', { xmlns: SEARCH_NS }, [
    ...(submitted === undefined ? items : [result(items)]),
    ...(set === undefined ? [] : [page(places)]),
  ]);
}

/** The fields that are filled in. `*` is what other services want for "any". */
function wanted(payload: XmlElement, submitted: XmlElement | undefined) {
  const given = new Map<string, string>();
  for (const node of elements(submitted ?? payload)) {
    const name = submitted === undefined ? node.name : (node.attrs.get('var') ?? '');
    const value = submitted === undefined ? node : child(node, 'value');
    if (value !== undefined) given.set(name, textOf(value).replaceAll('*', '').trim());
  }
  return fields.flatMap(({ name, of }) => {
    const value = given.get(name) ?? '';
    if (value.length > longest)
      throw new StanzaError('bad-request', `search: '${name}' may have ${longest} characters`);
    return value === '' ? [] : [{ of, value: fold(value) }];
  });
}

function limitOf(set: XmlElement | undefined): number {
  const max = set && child(set, 'max');
  const asked = max === undefined ? most : Number(textOf(max));
  return Number.isInteger(asked) && asked >= 0 ? Math.min(asked, most) : most;
}

function contact(person: Person): XmlElement {
  const values = legacy.map(({ name, of }) => xml(name, {}, [of?.(person) ?? '']));
  return xml('item', { jid: person.jid }, values);
}

function record(person: Person): XmlElement {
  const cell = (name: string, values: readonly string[]) =>
    xml(
      'field',
      { var: name },
      (values.length === 0 ? [''] : values).map((value) => xml('value', {}, [value])),
    );
  return xml('item', {}, [
    cell('jid', person.jid === undefined ? [] : [person.jid]),
    ...columns.map(([name, , of]) => cell(name, of(person))),
  ]);
}

function result(items: readonly XmlElement[]): XmlElement {
  const reported = columns.map(([name, label]) => {
    const type = numberKinds.some((kind) => kind === name) ? 'text-multi' : 'text-single';
    return xml('field', { type, var: name, label });
  });
  return xml('x', { xmlns: DATA_NS, type: 'result' }, [
    formType,
    xml('reported', {}, [xml('field', { type: 'jid-single', var: 'jid', label: 'JID' }), ...reported]),
    ...items,
  ]);
}

/** XEP-0059 §2.6: an empty page has neither first nor last. */
function page(places: readonly string[]): XmlElement {
  const [first, last] = [places[0], places.at(-1)];
  const ends =
    first === undefined || last === undefined ? [] : [xml('first', {}, [first]), xml('last', {}, [last])];
  return xml('set', { xmlns: RSM_NS }, ends);
}
