/** The kinds of values that settings have: how each is read from text, and what to call it when it is not. */

import { readFileSync } from 'node:fs';
import { type CountryCode, isSupportedCountry } from 'libphonenumber-js';
import { isLdapFilter, type LdapField, ldapFields } from '../phonebook/ldap.ts';
import { type SourceName, sourceNames } from '../phonebook/phonebook.ts';
import { parseJid } from '../protocol/jid.ts';

/** Answer of {@link Kind.parse}: the text is no such value. */
export const unfit = Symbol('unfit');

/** A kind of value. */
export interface Kind<T> {
  /** Completes the sentence "expected …". */
  readonly expected: string;
  /** Reads a text. An empty one comes here only where it means something: see {@link orNothing}. */
  parse(text: string): T | typeof unfit;
  readonly emptyAllowed?: boolean;
}

/** What a kind's values are. */
export type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** Any text in one line. */
export const text: Kind<string> = matching(/^[^\p{Cc}]+$/u, 'text without control characters');

/** Text that a regular expression describes. */
export function matching(pattern: RegExp, expected: string): Kind<string> {
  return { expected, parse: (value) => (pattern.test(value) ? value : unfit) };
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): Kind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (value) => (/^[0-9]{1,15}$/.test(value) && +value >= min && +value <= max ? +value : unfit),
  };
}

/** `true` or `false`. */
export const flag: Kind<boolean> = {
  expected: 'true or false',
  parse: (value) => (value === 'true' ? true : value === 'false' ? false : unfit),
};

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Kind<T> {
  return {
    expected: `one of ${words.join(', ')}`,
    parse: (value) => words.find((word) => word === value) ?? unfit,
  };
}

/** Values separated by commas, at least one; blanks around them do not count. */
export function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    expected: `${kind.expected}, or several with commas between them`,
    parse(value) {
      const items: T[] = [];
      for (const part of value.split(',')) {
        const item = kind.parse(part.trim());
        if (item === unfit) return unfit;
        items.push(item);
      }
      return items;
    },
  };
}

/** The kind, or undefined where the variable is empty. */
export function orNothing<T>(kind: Kind<T>): Kind<T | undefined> {
  return {
    expected: `${kind.expected}, or nothing`,
    parse: (value) => (value === '' ? undefined : kind.parse(value)),
    emptyAllowed: true,
  };
}

/** An XMPP domain, folded to lower case. */
export const domain: Kind<string> = {
  expected: 'a domain, such as example.org',
  parse(value) {
    const jid = parseJid(value);
    return jid && jid.local === '' && jid.resource === '' ? jid.domain : unfit;
  },
};

/** A JID without resource: an account or a domain; folded to lower case. */
export const accountOrDomain: Kind<string> = {
  expected: 'a JID without resource or a domain, such as tweber@example.org or example.org',
  parse(value) {
    const jid = parseJid(value);
    return jid && jid.resource === '' ? jid.bare : unfit;
  },
};

/** An LDAP server. */
export const ldapUrl: Kind<string> = {
  expected: 'ldap://host:port or ldaps://host:port',
  parse: (value) => (/^ldaps?:\/\/[\w.:[\]-]{1,253}$/.test(value) && URL.canParse(value) ? value : unfit),
};

/** A filter of LDAP (RFC 4515). */
export const ldapFilter: Kind<string> = {
  expected: 'a filter, such as (objectClass=person)',
  parse: (value) => (isLdapFilter(value) ? value : unfit),
};

/** What of a person an attribute of LDAP is (RFC 4512 §2.5: a name, or numbers, perhaps with options). */
export const ldapAttribute: Kind<readonly [LdapField, string]> = {
  expected: `field:attribute, where the field is one of ${ldapFields.join(', ')}`,
  parse(value) {
    const [, name, attribute] =
      /^(\w+):((?:[A-Za-z][A-Za-z0-9-]{0,63}|\d+(?:\.\d+){1,20})(?:;[A-Za-z0-9-]{1,32}){0,3})$/.exec(value) ??
      [];
    const field = ldapFields.find((each) => each === name);
    return field === undefined || attribute === undefined ? unfit : [field, attribute];
  },
};

/** A source of the phonebook, and a group of the directory that may see it. */
export const sourceGroup: Kind<readonly [SourceName, string]> = {
  expected: `source:group, where the source is one of ${sourceNames.join(', ')}`,
  parse(value) {
    const split = value.indexOf(':');
    const name = sourceNames.find((each) => each === value.slice(0, split));
    const group = value.slice(split + 1).trim();
    return name === undefined || group === '' ? unfit : [name, group];
  },
};

/** A country as ISO 3166-1 has it. */
export const country: Kind<CountryCode> = {
  expected: 'two letters of a country, such as DE',
  parse: (value) => (isSupportedCountry(value) ? value : unfit),
};

/** A host name or IP address. */
export const host = matching(/^[\w.:-]{1,253}$/, 'a host name or IP address');

/** An absolute path of plain names, as AMI can carry it in a list of arguments. */
export const absolutePath = matching(
  /^(?:\/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,11}$/,
  'an absolute path of letters, digits and . _ -',
);

/** `sqlite:///path`, `postgres://…` or `mysql://…`. */
export const databaseUrl: Kind<string> = {
  expected: 'a URL such as sqlite:///var/lib/prosody/prosody.sqlite, postgres://… or mysql://…',
  parse(value) {
    const url = urlOf(value);
    if (url === undefined) return unfit;
    if (url.protocol === 'sqlite:') return url.host === '' && url.pathname.length > 1 ? value : unfit;
    const known = ['postgres:', 'postgresql:', 'mysql:'].includes(url.protocol);
    return known && url.hostname !== '' && url.pathname.length > 1 ? value : unfit;
  },
};

/** A time zone of the IANA's. */
export const timeZone: Kind<string> = {
  expected: 'a time zone, such as Europe/Berlin',
  parse(value) {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: value }) && value;
    } catch {
      return unfit;
    }
  },
};

/** Address and port to listen on. */
export interface Listen {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
}

/** `127.0.0.1:9642`, `[::1]:9642`, `:9642` (all addresses). */
export const listen: Kind<Listen> = {
  expected: 'address and port, such as 127.0.0.1:9642',
  parse(value) {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*)):([0-9]{1,5})$/.exec(value);
    const port = Number(match?.[3]);
    return match && port <= 65535 ? { host: match[1] || match[2] || '::', port } : unfit;
  },
};

/** Where the XMPP server takes components. */
export const xmppService: Kind<string> = {
  expected: 'a URL such as xmpp://127.0.0.1:5347 (xmpps:// for TLS)',
  parse(value) {
    const url = urlOf(value);
    if (!url || !['xmpp:', 'xmpps:'].includes(url.protocol) || url.hostname === '') return unfit;
    if (url.username !== '' || url.password !== '' || !['', '/'].includes(url.pathname)) return unfit;
    return `${url.protocol}//${url.host}`;
  },
};

/** `http:` or `https:`, without a slash at the end. */
export const httpUrl: Kind<string> = {
  expected: 'a URL such as http://127.0.0.1:5280/api',
  parse(value) {
    const url = urlOf(value);
    if (!url || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.search !== '')
      return unfit;
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  },
};

/** Where Redis is. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** ACL user; undefined = `default`. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Number of the database. */
  readonly db: number;
}

/** `redis://[user[:password]@]host[:port][/db]`; `rediss:` for TLS. */
export const redisUrl: Kind<RedisAddress> = {
  expected: 'a URL such as redis://127.0.0.1:6379 (rediss:// for TLS)',
  parse(value) {
    const url = urlOf(value);
    if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') return unfit;
    const path = /^\/?([0-9]{0,4})$/.exec(url.pathname);
    if (!path) return unfit;
    try {
      return {
        host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: Number(url.port || 6379),
        tls: url.protocol === 'rediss:',
        username: decodeURIComponent(url.username) || undefined,
        password: decodeURIComponent(url.password) || undefined,
        db: Number(path[1]),
      };
    } catch {
      return unfit; // A percent sign that escapes nothing.
    }
  },
};

/** The name of a file with certificates; the value is what it holds, in PEM. */
export const certificates: Kind<string> = {
  expected: 'a readable file with certificates in PEM',
  parse(path) {
    try {
      const pem = readFileSync(path, 'utf8');
      return pem.includes('-----BEGIN CERTIFICATE-----') ? pem : unfit;
    } catch {
      return unfit; // Said by "expected a readable file".
    }
  },
};

function urlOf(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}
