/**
 * Persons from an LDAP server. All of them are read now and then; what users look for is found in memory and never reaches the
 * server, so that no query can become part of a filter.
 */

import { createHash } from 'node:crypto';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type Entry, FilterParser } from 'ldapts';
import { gated } from '../gated.ts';
import type { Log } from '../log.ts';
import { createMessageGate } from './ber.ts';
import type { Numbers } from './numbers.ts';
import { type Draft, makePerson } from './person.ts';
import type { NumberKind, Person } from './phonebook.ts';
import { createRefreshed, type Refreshed } from './refreshed.ts';
import type { Share } from './sharing.ts';

/** What {@link createLdapPersons} needs. */
export interface LdapOptions {
  /** `ldap://host:port`, `ldaps://host:port`. */
  readonly url: string;
  readonly startTls: boolean;
  /** PEM of the authorities to trust; undefined = those of Node.js. */
  readonly ca: string | undefined;
  /** Who reads; undefined = anonymous. */
  readonly bindDn: string | undefined;
  readonly password: string | undefined;
  readonly base: string;
  /** RFC 4515; the operator's. */
  readonly filter: string;
  /** What is read. Of several attributes of a text, the first one counts that an entry has; numbers and labels are those of all. */
  readonly attributes: readonly (readonly [field: LdapField, attribute: string])[];
  readonly everyMs: number;
  readonly retryMs?: number;
  /** For each operation, milliseconds. */
  readonly timeoutMs?: number;
  /** How many persons are taken at the most. */
  readonly most: number;
  readonly key: Numbers['key'];
  readonly log: Log;
}

const textFields = ['firstname', 'surname', 'displayname', 'organisation', 'email'] as const;
const numberFields = ['phone', 'fax', 'mobile', 'homephone'] as const satisfies readonly NumberKind[];
/** What of a person an attribute can be. */
export const ldapFields = [...textFields, 'labels', ...numberFields] as const;
/** One of {@link ldapFields}. */
export type LdapField = (typeof ldapFields)[number];

/** Entries a page (RFC 2696): servers allow 1000 at least. */
const pageSize = 500;

/** Makes it; begins to read when it is started. */
export function createLdapPersons(options: LdapOptions): Refreshed {
  const { url, bindDn, password, startTls, log, timeoutMs = 30_000 } = options;
  // With the name to be certified: after StartTLS nobody else knows it.
  const tls = (): ConnectionOptions => ({
    host: new URL(url.replace(/^ldaps?:/, 'http:')).hostname.replace(/^\[|\]$/g, ''),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });

  async function read(signal: AbortSignal, share: Share): Promise<readonly Person[]> {
    let socket: Socket | undefined;
    const kept =
      <A extends readonly unknown[], S extends Socket>(open: (...args: A) => S) =>
      (...args: A): S => {
        const opened = open(...args);
        socket = opened;
        return opened;
      };
    // With an error: the library waits for nothing else while it connects.
    signal.addEventListener('abort', () => socket?.destroy(new Error('stopped')), { once: true });
    const client = new Client({
      url,
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      // Where they are given, the library speaks TLS from the first byte, whatever the address says.
      ...(url.startsWith('ldaps:') && { tlsOptions: tls() }),
      createConnection: kept(plainly),
      createSecureConnection: kept(securely),
    });
    try {
      if (startTls) await client.startTLS(tls());
      if (bindDn !== undefined) await client.bind(bindDn, password ?? '');
      return await search(client, signal, share);
    } finally {
      // The answers are there, or will not come: its failure tells nothing new.
      await client.unbind().catch(() => undefined);
    }
  }

  async function search(client: Client, signal: AbortSignal, share: Share): Promise<readonly Person[]> {
    const { base, filter, most } = options;
    const attributes = [...new Set(options.attributes.map(([, attribute]) => attribute))];
    const persons: Person[] = [];
    let skipped = 0;
    let example = '';
    const pages = client.searchPaginated(base, { scope: 'sub', filter, attributes, paged: { pageSize } });
    for await (const { searchEntries } of pages) {
      for (const entry of searchEntries) {
        const made =
          persons.length < most
            ? makePerson('ldap', draftOf(entry, options.attributes), options.key)
            : `there are more than ${most} (PHONEBOOK_MAX_ENTRIES)`;
        if (typeof made !== 'string') persons.push(share(made));
        else {
          skipped += 1;
          example ||= `${entry.dn}: ${made}`;
        }
      }
      if (signal.aborted || persons.length >= most) break;
    }
    if (skipped > 0) log.warn({ skipped, example }, 'LDAP: entries were skipped');
    return persons;
  }

  return createRefreshed({
    name: 'ldap',
    everyMs: options.everyMs,
    retryMs: options.retryMs ?? 60_000,
    log,
    read,
  });
}

function draftOf(entry: Entry, attributes: LdapOptions['attributes']): Draft {
  // Names of attributes are the server's, in whatever case (RFC 4512 §2.5); values that are no text come as bytes.
  const values = new Map(
    Object.entries(entry).map(([name, value]) => [
      name.toLowerCase(),
      [value].flat().filter((each) => typeof each === 'string'),
    ]),
  );
  const all = (field: LdapField) =>
    attributes.flatMap(([each, name]) => (each === field ? (values.get(name.toLowerCase()) ?? []) : []));
  const first = (field: LdapField) => all(field).find((value) => value !== '');
  return {
    id: createHash('sha256').update(entry.dn.toLowerCase()).digest('base64url').slice(0, 16),
    firstname: first('firstname'),
    surname: first('surname'),
    displayname: first('displayname'),
    organisation: first('organisation'),
    email: first('email'),
    labels: all('labels'),
    numbers: numberFields.flatMap((kind) => all(kind).map((number) => ({ kind, number }))),
  };
}

/** Whether a text is a filter (RFC 4515). */
export function isLdapFilter(text: string): boolean {
  try {
    FilterParser.parseString(text);
    return true;
  } catch {
    return false; // That it is none, is the answer.
  }
}

/** Connects as the library asks for it. */
function plainly(target: number | string | NetConnectOpts, host?: unknown): Socket {
  if (typeof target === 'object') return guarded(connect(target));
  return guarded(connect(Number(target), typeof host === 'string' ? host : undefined));
}

function securely(target: number | ConnectionOptions, host?: unknown, options?: unknown): TLSSocket {
  if (typeof target === 'object') return guarded(connectTls(target));
  const rest: ConnectionOptions = typeof options === 'object' ? { ...options } : {};
  return guarded(connectTls({ ...rest, port: target, ...(typeof host === 'string' && { host }) }));
}

/** The library gets whole messages only; what can be none ends the connection. */
function guarded<S extends Socket>(socket: S): S {
  return gated(socket, createMessageGate(), (error) => socket.destroy(error));
}
