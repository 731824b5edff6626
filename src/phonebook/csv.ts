/** Persons from CSV, as spreadsheets and address books export it: the first line names the columns. */

import { parse } from 'csv-parse/sync';
import type { Draft } from './person.ts';
import { type NumberKind, numberKinds } from './phonebook.ts';
import { createGatherer, linesOf, type Reading, type ReadingOptions, UnreadableFile } from './reading.ts';
import { fold } from './text.ts';

type Column =
  | 'id'
  | 'firstname'
  | 'surname'
  | 'displayname'
  | 'organisation'
  | 'email'
  | 'labels'
  | 'private'
  | NumberKind;

/** The names of columns: letters only, folded. Digits do not count: `Phone 2` is a further `Phone`. */
const columnNames: Readonly<Record<Column, readonly string[]>> = {
  id: ['id', 'uid'],
  firstname: ['firstname', 'givenname', 'first', 'vorname', 'prenom'],
  surname: ['surname', 'lastname', 'familyname', 'last', 'nachname', 'nom'],
  displayname: ['displayname', 'name', 'fullname', 'anzeigename', 'fileas'],
  organisation: ['organisation', 'organization', 'company', 'organizationname', 'firma', 'societe'],
  email: ['email', 'mail', 'emailaddress', 'emailvalue', 'emailadresse'],
  phone: [
    'phone',
    'telephone',
    'businessphone',
    'workphone',
    'phonenumber',
    'phonevalue',
    'telefon',
    'telefongeschaftlich',
    'telefonnummer',
  ],
  fax: ['fax', 'businessfax', 'workfax', 'faxnumber', 'faxgeschaftlich'],
  mobile: ['mobile', 'mobilephone', 'cell', 'cellphone', 'handy', 'mobil', 'mobiltelefon'],
  homephone: ['homephone', 'home', 'telefonprivat'],
  labels: ['labels', 'label', 'categories', 'category', 'tags', 'kategorien'],
  private: ['private', 'privat'],
};
const columnOf: ReadonlyMap<string, Column> = new Map(
  Object.entries(columnNames).flatMap(([column, names]) =>
    names.map((name) => [name, column as Column] as const),
  ),
);

/** Characters of one record, and lines: more of them is a quotation mark that nobody closed. */
const recordLimits = { characters: 65_536, lines: 50 };
/** Records that go through the parser together. */
const batchSize = 200;

interface Entry {
  readonly line: number;
  readonly text: string;
}

/** Reads a whole file; to be driven to its end. Throws {@link UnreadableFile} where the first line names nothing to call. */
export function* readCsv(text: string, options: ReadingOptions): Generator<void, Reading> {
  const gatherer = yield* createGatherer(options);
  const lines = linesOf(text);
  let head = nextFull(lines);
  const told = head && /^sep=(.)$/i.exec(head.text)?.[1];
  if (told !== undefined) head = nextFull(lines);
  if (head === undefined) return gatherer.reading;
  const delimiter = told ?? likeliest(head.text);
  const columns = columnsOf(rowsOf([head], delimiter)?.[0] ?? []);

  function take({ line }: Entry, row: readonly string[]): void {
    if (row.length > columns.count) {
      gatherer.wrong(line, `there are ${row.length} fields, the first line names ${columns.count}`);
    } else gatherer.add(line, draftOf(row, columns));
  }

  for (const batch of batches(lines, (line, mistake) => gatherer.wrong(line, mistake))) {
    yield;
    const rows = rowsOf(batch, delimiter);
    for (const [index, entry] of batch.entries()) {
      const row = rows?.[index] ?? rowsOf([entry], delimiter)?.[0];
      if (row === undefined) gatherer.wrong(entry.line, 'quotation marks are not where they may be');
      else take(entry, row);
    }
  }
  return gatherer.reading;
}

function nextFull(lines: Generator<readonly [number, string]>): Entry | undefined {
  for (;;) {
    const next = lines.next();
    if (next.done === true) return undefined;
    const [line, text] = next.value;
    if (text.trim() !== '') return { line, text };
  }
}

/** Records by the batch. One goes over several lines while its quotation marks are not even. */
function* batches(
  lines: Iterable<readonly [number, string]>,
  onMistake: (line: number, text: string) => void,
): Generator<readonly Entry[]> {
  let batch: Entry[] = [];
  /** Lines of a record that is not complete. */
  let open: Entry[] = [];
  const complete = (entry: Entry) => {
    if (entry.text.length > recordLimits.characters) {
      onMistake(
        entry.line,
        `there are ${entry.text.length} characters, ${recordLimits.characters} are possible`,
      );
    } else if (entry.text.trim() !== '') batch.push(entry);
  };
  /** The first line cannot be the beginning of anything: what comes behind it may be all right. */
  const giveUp = () => {
    const [first, ...rest] = open;
    open = [];
    if (first === undefined) return;
    onMistake(first.line, 'a quotation mark is not closed');
    for (const entry of rest) put(entry);
  };
  function put(entry: Entry): void {
    const odd = entry.text.includes('"') && entry.text.split('"').length % 2 === 0;
    if (open.length === 0 && !odd) {
      complete(entry);
      return;
    }
    open.push(entry);
    const [first] = open;
    if (odd && open.length > 1 && first !== undefined) {
      const text = open.map((each) => each.text).join('\n');
      open = [];
      complete({ line: first.line, text });
    } else if (open.length > recordLimits.lines) giveUp();
  }
  for (const [line, text] of lines) {
    put({ line, text });
    if (batch.length >= batchSize) {
      yield batch;
      batch = [];
    }
  }
  while (open.length > 0) giveUp();
  yield batch;
}

/** One row an entry; undefined where they are not all as they should be. */
function rowsOf(entries: readonly Entry[], delimiter: string): readonly (readonly string[])[] | undefined {
  try {
    const rows = parse(entries.map((each) => each.text).join('\n'), { delimiter, relax_column_count: true });
    return rows.length === entries.length ? rows : undefined;
  } catch {
    // Which of them it is, the caller finds out one by one.
    return undefined;
  }
}

function likeliest(head: string): string {
  const count = (delimiter: string) => head.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best));
}

/** Where each column is. */
interface Columns {
  readonly count: number;
  readonly at: ReadonlyMap<Column, readonly number[]>;
}

function columnsOf(head: readonly string[]): Columns {
  const at = new Map<Column, number[]>();
  for (const [index, name] of head.entries()) {
    const column = columnOf.get(fold(name).replace(/[^\p{L}]/gu, ''));
    if (column !== undefined) at.set(column, [...(at.get(column) ?? []), index]);
  }
  if (!numberKinds.some((kind) => at.has(kind))) {
    const known = Object.keys(columnNames).join(', ');
    const found = head.join(', ').slice(0, 200);
    throw new UnreadableFile(`the first line names no column of numbers: known are ${known}, got "${found}"`);
  }
  return { count: head.length, at };
}

function draftOf(row: readonly string[], { at }: Columns): Draft {
  const cells = (column: Column) => (at.get(column) ?? []).map((index) => row[index] ?? '');
  const first = (column: Column) => cells(column).find((cell) => cell !== '');
  const hidden = fold(first('private') ?? '');
  const everything = /^\s*(1|x|y|yes|true|j|ja|oui)\s*$/.test(hidden);
  const isPrivate = (kind: NumberKind) => everything || hidden.split(/[^a-z]+/).includes(kind);
  return {
    id: first('id'),
    firstname: first('firstname'),
    surname: first('surname'),
    displayname: first('displayname'),
    organisation: first('organisation'),
    email: first('email'),
    labels: cells('labels').flatMap((cell) => cell.split(/[;,|]/)),
    numbers: numberKinds.flatMap((kind) =>
      cells(kind)
        .flatMap((cell) => cell.split(/[;,|\n]/))
        .map((number) => ({ kind, number, isPrivate: isPrivate(kind) })),
    ),
  };
}
