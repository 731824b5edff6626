/**
 * Persons from an LDAP server. All of them are read now and then; what users look for is found in memory and never reaches the
 * server, so that no query can become part of a filter.
 */

import { createHash } from 'node:crypto';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type Entry, FilterParser } from 'ldapts';
import type { Log } from '../log.ts';
import { createMessageGate } from './ber.ts';
import type { Numbers } from './numbers.ts';
import { type Draft, makePerson } from './person.ts';
import type { NumberKind, Person } from './phonebook.ts';
import { createRefreshed, type Refreshed } from './refreshed.ts';

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
  readonly everyMs: number;
  readonly retryMs?: number;
  /** For each operation, milliseconds. */
  readonly timeoutMs?: number;
  /** How many persons are taken at the most. */
  readonly most: number;
  readonly key: Numbers['key'];
  readonly log: Log;
}

/** RFC 2798, RFC 4519, RFC 4524; `ipPhone` and `company` are Active Directory's. */
const numberAttributes: readonly (readonly [attribute: string, kind: NumberKind])[] = [
  ['telephoneNumber', 'phone'],
  ['ipPhone', 'phone'],
  ['facsimileTelephoneNumber', 'fax'],
  ['mobile', 'mobile'],
  ['homePhone', 'homephone'],
];
const textAttributes = ['givenName', 'sn', 'displayName', 'cn', 'o', 'company', 'mail', 'businessCategory'];
const attributes = [...textAttributes, ...numberAttributes.map(([name]) => name)];

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

  async function read(signal: AbortSignal): Promise<readonly Person[]> {
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
      return await search(client, signal);
    } finally {
      // The answers are there, or will not come: its failure tells nothing new.
      await client.unbind().catch(() => undefined);
    }
  }

  async function search(client: Client, signal: AbortSignal): Promise<readonly Person[]> {
    const { base, filter, most } = options;
    const persons: Person[] = [];
    let skipped = 0;
    let example = '';
    const pages = client.searchPaginated(base, { scope: 'sub', filter, attributes, paged: { pageSize } });
    for await (const { searchEntries } of pages) {
      for (const entry of searchEntries) {
        const made =
          persons.length < most
            ? makePerson('ldap', draftOf(entry), options.key)
            : `there are more than ${most} (PHONEBOOK_MAX_ENTRIES)`;
        if (typeof made !== 'string') persons.push(made);
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

function draftOf(entry: Entry): Draft {
  // Names of attributes are the server's, in whatever case (RFC 4512 §2.5); values that are no text come as bytes.
  const values = new Map(
    Object.entries(entry).map(([name, value]) => [
      name.toLowerCase(),
      [value].flat().filter((each) => typeof each === 'string'),
    ]),
  );
  const all = (name: string) => values.get(name.toLowerCase()) ?? [];
  const first = (...names: string[]) => names.flatMap(all).find((value) => value !== '');
  return {
    id: createHash('sha256').update(entry.dn.toLowerCase()).digest('base64url').slice(0, 16),
    firstname: first('givenName'),
    surname: first('sn'),
    displayname: first('displayName', 'cn'),
    organisation: first('o', 'company'),
    email: first('mail'),
    labels: all('businessCategory'),
    numbers: numberAttributes.flatMap(([name, kind]) => all(name).map((number) => ({ kind, number }))),
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
  if (typeof target === 'object') return gated(connect(target));
  return gated(connect(Number(target), typeof host === 'string' ? host : undefined));
}

function securely(target: number | ConnectionOptions, host?: unknown, options?: unknown): TLSSocket {
  if (typeof target === 'object') return gated(connectTls(target));
  const rest: ConnectionOptions = typeof options === 'object' ? { ...options } : {};
  return gated(connectTls({ ...rest, port: target, ...(typeof host === 'string' && { host }) }));
}

/** Everything that arrives goes through the gate before anybody sees it. */
function gated<S extends Socket>(socket: S): S {
  const gate = createMessageGate();
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown) => {
    if (!Buffer.isBuffer(chunk)) return push(chunk);
    try {
      const whole = gate(chunk);
      return whole.length === 0 || push(whole);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  };
  return socket;
}
