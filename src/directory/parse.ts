/** Reads the text of a directory file; tells every mistake at once, each with its place. */

import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { closest } from '../config/closest.ts';
import {
  callOrigins,
  createDirectory,
  type Device,
  type Directory,
  type Place,
  type UserRecord,
} from '../directory.ts';
import type { DeviceName } from '../pbx/pbx.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import { findDuplicates } from './duplicates.ts';
import { toPolicy } from './policy-schema.ts';
import { isRecord, listAt, type Path, quote, showPath, textAt } from './raw.ts';
import { type FileDevice, type FilePlace, type FileUser, fileSchema, keysAt } from './schema.ts';

/** One mistake. Line and column count from 1. */
export interface Mistake {
  readonly line: number;
  readonly column: number;
  /** Without the place, e.g. `users[2].extension: expected digits, got "abc"`. */
  readonly text: string;
}

/** A directory, or what keeps the text from being one. */
export type ParseResult =
  | { readonly ok: true; readonly directory: Directory }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/**
 * Parses and checks. `domains` are the XMPP domains whose users may be listed, at least one; the first is that of users
 * without a `jid` of their own. Undefined: any domain, and `localhost` for those. Never throws on bad input.
 */
export function parseDirectory(source: string, domains: readonly string[] | undefined): ParseResult {
  const lines = new LineCounter();
  const ownDomain = domains?.[0] ?? 'localhost';
  // Failsafe: every scalar stays the text that was written. An extension 0340 must not become the number 340.
  const document = parseDocument(source, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const locate = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    const mistakes = document.errors.map((error) => ({
      ...locate(error.pos[0]),
      text: `YAML: ${error.message}`,
    }));
    return { ok: false, mistakes };
  }
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    // An alias that means nothing, or aliases of aliases that grow without bound.
    return {
      ok: false,
      mistakes: [{ line: 1, column: 1, text: `YAML: ${error instanceof Error ? error.message : error}` }],
    };
  }
  const mistake = (path: Path, text: string, key?: string): Mistake => ({
    ...locate(offsetOf(document, path, key)),
    text:
      path.length === 0 && key === undefined
        ? text
        : `${showPath(key === undefined ? path : [...path, key])}: ${text}`,
  });

  const checked = fileSchema.safeParse(raw);
  const mistakes = checked.success
    ? []
    : checked.error.issues.flatMap((issue) => explain(issue, raw, mistake));
  for (const { path, first, value } of findDuplicates(raw, ownDomain)) {
    const { line } = locate(offsetOf(document, first));
    mistakes.push(mistake(path, `${quote(value)} is taken already by ${showPath(first)} (line ${line})`));
  }
  mistakes.push(...strangers(raw).map((path) => mistake(path, 'nobody of this file has that name')));
  for (const [index, jid] of jidsOf(raw).entries()) {
    const { local = '', domain = '' } = (jid !== undefined && parseJid(jid)) || {};
    if (domains === undefined || local === '' || domains.includes(domain)) continue;
    mistakes.push(
      mistake(
        ['users', index, 'jid'],
        `expected the domain ${domains.join(' or ')} (XMPP_USER_DOMAINS), got "${domain}"`,
      ),
    );
  }
  if (!checked.success || mistakes.length > 0) {
    return { ok: false, mistakes: mistakes.sort((a, b) => a.line - b.line || a.column - b.column) };
  }
  const users = checked.data.users.map((user) => toUser(user, ownDomain));
  return {
    ok: true,
    directory: createDirectory(
      users,
      new Map(Object.entries(checked.data.settings ?? {})),
      toPolicy(checked.data),
      (checked.data.places ?? []).map(toPlace),
    ),
  };
}

function explain(
  issue: z.core.$ZodIssue,
  raw: unknown,
  mistake: (path: Path, text: string, key?: string) => Mistake,
): Mistake[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((key) => {
      const meant = closest(key, known);
      const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`;
      return mistake(path, `unknown key, ${hint}`, key);
    });
  }
  // A secret that is not long enough is one all the same.
  if (path.at(-1) === 'secret') return [mistake(path, issue.message)];
  const found = path.reduce<unknown>((value, step) => (isRecord(value) ? value[step] : undefined), raw);
  return [
    mistake(
      path,
      found === undefined ? `${issue.message}; it is missing` : `${issue.message}, got ${quote(found)}`,
    ),
  ];
}

/** Where a value starts; where it is missing, where the nearest thing around it does. */
function offsetOf(document: Document.Parsed, path: Path, key?: string): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (key !== undefined && length === path.length && isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && String(item.key) === key);
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
    }
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function toUser(user: FileUser, domain: string): UserRecord {
  return {
    name: user.name,
    jid: user.jid ?? ownJid(user.name, domain),
    fullName: user.fullName ?? user.name,
    extension: user.extension,
    devices: (user.devices ?? []).map(toDevice),
    mailbox: user.mailbox ?? '',
    faxExtension: user.faxExtension ?? '',
    pickupGroups: user.pickupGroups ?? new Set(),
    callGroups: user.callGroups ?? new Set(),
    groups: user.groups ?? new Set(),
    queues: (user.queues ?? []).map(({ name, penalty = 0, dynamic = false }) => ({ name, penalty, dynamic })),
    roles: new Set(['xmpp.connect', ...(user.roles ?? [])]),
    ids: Object.fromEntries(Object.entries(user.ids ?? {}).filter(([, id]) => id !== undefined)),
    location: user.location ?? user.name,
    context: user.context,
    language: user.language ?? '',
  };
}

function toDevice(device: FileDevice): Device {
  const rings = Object.fromEntries(
    callOrigins.flatMap((origin) => {
      const time = device[origin];
      return time === undefined ? [] : [[origin, { delay: time.delay ?? 0, timeout: time.timeout }]];
    }),
  );
  return {
    name: device.name,
    device: device.device as DeviceName,
    dialString: device.dialString ?? device.device,
    type: device.type,
    // What the telephone system does for any device; the others need a telephone that obeys NOTIFY.
    capabilities: new Set(device.capabilities ?? ['dial', 'hangup', 'transfer']),
    number: device.number ?? '',
    ...(Object.keys(rings).length > 0 && { rings }),
  };
}

function toPlace({ name, devices, users, groups }: FilePlace): Place {
  const open = users !== undefined || groups !== undefined;
  return {
    name,
    devices: devices.map(toDevice),
    open: open ? { users: users ?? new Set(), groups: groups ?? new Set() } : undefined,
  };
}

function ownJid(name: string, domain: string): BareJid {
  return parseJid(`${name}@${domain}`)?.bare ?? (`${name}@${domain}` as BareJid);
}

/** Where places name users that the file does not have. */
function strangers(raw: unknown): Path[] {
  const known = new Set(listAt(raw, 'users').map((user) => textAt(user, 'name')?.toLowerCase()));
  return listAt(raw, 'places').flatMap((place, index) =>
    listAt(place, 'users').flatMap((name, at): Path[] =>
      typeof name !== 'string' || known.has(name.toLowerCase()) ? [] : [['places', index, 'users', at]],
    ),
  );
}

function jidsOf(raw: unknown): (string | undefined)[] {
  return listAt(raw, 'users').map((user) => textAt(user, 'jid'));
}
