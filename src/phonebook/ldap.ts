/**
 * Persons from an LDAP server. All of them are read now and then; what users look for is found in memory and never reaches the
 * server, so that no query can become part of a filter.
 */

import { createHash } from 'node:crypto';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Client, type Entry, FilterParser, MessageParser, SearchEntry } from 'ldapts';
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

/** Bytes that the entries taken may have on average, as the server sends them: what is asked for, and no photographs. */
const entryBytes = 1024;

/** Makes it; begins to read when it is started. */
export function createLdapPersons(options: LdapOptions): Refreshed {
  const { url, bindDn, password, startTls, log, timeoutMs = 30_000 } = options;
  // With the name to be certified: after StartTLS nobody else knows it.
  const tls = (): ConnectionOptions => ({
    host: new URL(url.replace(/^ldaps?:/, 'http:')).hostname.replace(/^\[|\]$/g, ''),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });

  const asked = [...new Set(options.attributes.map(([, attribute]) => attribute))];

  async function read(signal: AbortSignal, share: Share): Promise<readonly Person[]> {
    const found = gather(share);
    let socket: Socket | undefined;
    const kept =
      <A extends readonly unknown[], S extends Socket>(open: (...args: A) => S) =>
      (...args: A): S => {
        const opened = open(...args);
        socket = opened;
        return gated(opened, createMessageGate(found.take), (error) => opened.destroy(error));
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
      found.expect();
      await search(client, signal);
      return found.persons;
    } catch (error) {
      if (!found.isFull) throw error;
      return found.persons;
    } finally {
      found.report();
      // The answers are there, or will not come: its failure tells nothing new.
      await client.unbind().catch(() => undefined);
    }
  }

  /** Has the server say everything, page by page; what it finds goes past the library. */
  async function search(client: Client, signal: AbortSignal): Promise<void> {
    const { base, filter } = options;
    const pages = client.searchPaginated(base, {
      scope: 'sub',
      filter,
      attributes: asked,
      paged: { pageSize },
    });
    for await (const _ of pages) if (signal.aborted) return;
  }

  /** Makes persons of entries as they arrive, up to the limit: of a server that ignores paging, too, nothing else is kept. */
  function gather(share: Share) {
    const { most, key } = options;
    const persons: Person[] = [];
    const room = most * entryBytes;
    /** Bytes of the persons, and of the present entry. */
    let [taken, size] = [0, 0];
    let skipped = 0;
    let example = '';
    let isFull = false;
    let isAsked = false;
    const parser = new MessageParser();
    parser.on('message', (message) => {
      if (message instanceof SearchEntry) add(message.toObject(asked, []));
    });
    parser.on('error', (error) => {
      throw error;
    });

    function add(entry: Entry): void {
      const made = makePerson('ldap', draftOf(entry, options.attributes), key);
      if (typeof made === 'string') {
        skip(entry.dn, made);
        return;
      }
      taken += size;
      if (persons.length >= most) full(entry.dn, `there are more than ${most} (PHONEBOOK_MAX_ENTRIES)`);
      if (taken > room) full(entry.dn, `they have more than ${room} bytes (PHONEBOOK_MAX_ENTRIES KiB)`);
      persons.push(share(made));
    }

    function full(dn: string, reason: string): never {
      isFull = true;
      skip(dn, reason);
      throw new Error('LDAP: there is more than is taken');
    }

    function skip(dn: string, reason: string): void {
      skipped += 1;
      // A name may have as many bytes as a message.
      example ||= `${dn.slice(0, 256)}: ${reason}`;
    }

    return {
      persons,
      get isFull() {
        return isFull;
      },
      /** From now on the server is asked: what it finds before could be of somebody in between, put in before TLS begins. */
      expect(): void {
        isAsked = true;
      },
      /** Takes a message in; throws where that is one too many. */
      take(message: Buffer): void {
        if (!isAsked) throw new Error('LDAP: the server finds what nobody asked for');
        size = message.length;
        parser.read(message, new Map());
      },
      report(): void {
        if (skipped > 0) log.warn({ skipped, example }, 'LDAP: entries were skipped');
      },
    };
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
  if (typeof target === 'object') return connect(target);
  return connect(Number(target), typeof host === 'string' ? host : undefined);
}

function securely(target: number | ConnectionOptions, host?: unknown, options?: unknown): TLSSocket {
  if (typeof target === 'object') return connectTls(target);
  const rest: ConnectionOptions = typeof options === 'object' ? { ...options } : {};
  return connectTls({ ...rest, port: target, ...(typeof host === 'string' && { host }) });
}
