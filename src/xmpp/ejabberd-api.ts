/** ejabberd's HTTP API (mod_http_api with mod_admin_extra): rosters, and who is connected. */

import { type BareJid, type Jid, parseJid } from '../protocol/jid.ts';
import type { RosterItem, Rosters } from './rosters.ts';

/** Where the API is and how to get in. */
export interface EjabberdApiOptions {
  /** `http://127.0.0.1:5280/api`, without a slash at the end. */
  readonly url: string;
  /** Sent as `Authorization: Bearer …`; undefined where the API lets this host in by its address. */
  readonly token: string | undefined;
  /** How long one call may take, milliseconds. */
  readonly timeoutMs: number;
}

/** The API as far as it is needed here. Every verb rejects with an Error that says what the server said. */
export interface EjabberdApi extends Rosters {
  /** The full JIDs of a virtual host that are connected. */
  connected(domain: string): Promise<readonly Jid[]>;
}

/** Bytes of an answer: a hundred thousand who are connected have some six million. */
const largest = 32 * 1024 * 1024;

const subscriptions = ['none', 'to', 'from', 'both'] as const;

/** Makes the adapter; nothing is asked before it is used. */
export function createEjabberdApi({ url, token, timeoutMs }: EjabberdApiOptions): EjabberdApi {
  // COMPAT: ejabberd 23 wants `group` ("one;two"), 24 and later `groups` (a list), and each refuses the other.
  let listed = true;

  async function call(command: string, body: object): Promise<unknown> {
    const response = await fetch(`${url}/${command}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await textOf(response);
    if (!response.ok)
      throw new Error(`ejabberd's API refused ${command}: ${response.status} ${text.slice(0, 200)}`);
    return JSON.parse(text);
  }

  async function add(user: BareJid, item: RosterItem, asList: boolean): Promise<void> {
    const [owner, contact] = [parseJid(user), parseJid(item.jid)];
    if (owner === undefined || contact === undefined) throw new Error(`not a JID: ${user}, ${item.jid}`);
    const result = await call('add_rosteritem', {
      localuser: owner.local,
      localhost: owner.domain,
      user: contact.local,
      host: contact.domain,
      nick: item.name,
      subs: item.subscription,
      ...(asList ? { groups: item.groups } : { group: item.groups.join(';') }),
    });
    if (result !== 0) throw new Error(`ejabberd's API could not add ${item.jid} to the roster of ${user}`);
  }

  return {
    async read(user) {
      const owner = parseJid(user);
      const rows = await call('get_roster', { user: owner?.local ?? '', host: owner?.domain ?? '' });
      const items = new Map<BareJid, RosterItem>();
      for (const row of Array.isArray(rows) ? rows : []) {
        const item = readRow(row);
        if (item === undefined) continue;
        // COMPAT: ejabberd 23 gives a row for each group.
        const before = items.get(item.jid);
        items.set(item.jid, { ...item, groups: [...(before?.groups ?? []), ...item.groups] });
      }
      return [...items.values()];
    },
    async write(user, item) {
      const asList = listed;
      try {
        await add(user, item, asList);
      } catch (error) {
        if (!asList || !/argument/.test(String(error))) throw error;
        listed = false;
        await add(user, item, false);
      }
    },
    async connected(domain) {
      const jids = await call('connected_users_vhost', { host: domain });
      if (!Array.isArray(jids)) throw new Error("ejabberd's API did not list who is connected");
      return jids.flatMap((jid) => (typeof jid === 'string' ? (parseJid(jid) ?? []) : []));
    },
  };
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > largest) throw new Error(`ejabberd's API answers with more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readRow(row: unknown): RosterItem | undefined {
  if (typeof row !== 'object' || row === null || !('jid' in row)) return undefined;
  const jid = parseJid(String(row.jid));
  if (jid === undefined || jid.resource !== '') return undefined;
  const subscription = 'subscription' in row ? row.subscription : '';
  const groups = 'groups' in row ? row.groups : 'group' in row ? [row.group] : [];
  return {
    jid: jid.bare,
    name: 'nick' in row ? String(row.nick) : '',
    subscription: subscriptions.find((one) => one === subscription) ?? 'none',
    groups: (Array.isArray(groups) ? groups : []).map(String).filter((group) => group !== ''),
  };
}
