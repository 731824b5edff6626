/**
 * Puts telephones into rosters: each user gets the telephones of those who share a group with the user. Each is offered
 * once: what a user has thrown out or renamed stays so.
 */

import type { Directory, User } from '../directory.ts';
import type { Log } from '../log.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import type { Store } from '../store/store.ts';
import type { Rosters } from '../xmpp/rosters.ts';
import { type Hosted, nickname } from './hosted.ts';
import type { Publisher, Voice } from './publisher.ts';
import type { Visibility } from './visibility.ts';

/** What {@link createFill} needs. */
export interface FillOptions {
  readonly rosters: Rosters;
  readonly directory: () => Directory;
  readonly visibility: Visibility;
  /** The contact of a user that goes into rosters. */
  readonly voice: (user: User) => Voice | undefined;
  readonly hosted: Pick<Hosted, 'grant'>;
  readonly publisher: Pick<Publisher, 'introduce'>;
  readonly store: Pick<Store, 'loadFacts' | 'saveFact'>;
  /** Entries offered to one user, at most. */
  readonly maxOffers: number;
  readonly log: Log;
}

/** Rosters worked on at once: this is in no hurry. */
const atOnce = 4;
const factOf = (jid: BareJid) => `offered ${jid}`;

/** Makes what goes through all rosters once; calls in between are joined. It never rejects. */
export function createFill(options: FillOptions): () => Promise<void> {
  const { rosters, directory, visibility, voice, hosted, publisher, store, maxOffers, log } = options;
  let running: Promise<void> | undefined;
  let again = false;

  function colleagues(user: User, groups: ReadonlyMap<string, readonly User[]>): User[] {
    const jid = parseJid(user.jid);
    const found = new Set([...user.groups].flatMap((group) => groups.get(group) ?? []));
    found.delete(user);
    return [...found].filter(
      (other) => other.devices.length > 0 && jid && visibility.mayWatch(other, jid, directory()),
    );
  }

  async function offer(user: User, others: readonly User[], before: ReadonlySet<string>): Promise<void> {
    const fresh = others
      .filter((other) => !before.has(other.name))
      .slice(0, Math.max(0, maxOffers - before.size));
    if (fresh.length === 0) return;
    const present = new Set((await rosters.read(user.jid)).map(({ jid }) => jid));
    const offered = new Set(before);
    try {
      for (const other of fresh) {
        const its = voice(other);
        if (its !== undefined && !present.has(its.contact)) {
          const groups = [...other.groups].filter((group) => user.groups.has(group));
          // `to` and no more: with `both` each login of the user would be told to every telephone.
          await rosters.write(user.jid, {
            jid: its.contact,
            name: nickname(other),
            subscription: 'to',
            groups,
          });
          if (hosted.grant(its.contact, user.jid)) publisher.introduce(other, its);
        }
        offered.add(other.name);
      }
    } finally {
      if (offered.size > before.size) store.saveFact(factOf(user.jid), JSON.stringify([...offered]));
    }
  }

  async function round(): Promise<void> {
    const facts = await store.loadFacts();
    const users = directory().users;
    const groups = new Map<string, User[]>();
    for (const user of users) {
      for (const group of user.groups) {
        const members = groups.get(group);
        if (members === undefined) groups.set(group, [user]);
        else members.push(user);
      }
    }
    let failed = 0;
    let reason = '';
    const queue = users.values();
    const work = async () => {
      for (const user of queue) {
        try {
          await offer(user, colleagues(user, groups), readNames(facts.get(factOf(user.jid))));
        } catch (error) {
          failed += 1;
          reason = String(error);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (failed > 0) log.warn({ users: failed, reason }, 'telephones could not be put into all rosters');
  }

  async function run(): Promise<void> {
    do {
      again = false;
      await round().catch((error: unknown) => {
        log.warn({ reason: String(error) }, 'telephones could not be put into rosters');
      });
    } while (again);
    running = undefined;
  }

  return () => {
    if (running !== undefined) again = true;
    running ??= run();
    return running;
  };
}

function readNames(text: string | undefined): ReadonlySet<string> {
  try {
    const names: unknown = JSON.parse(text ?? '[]');
    return new Set((Array.isArray(names) ? names : []).map(String));
  } catch {
    return new Set(); // Nothing of ours: everything is offered anew.
  }
}
