/**
 * The other direction: who sets the chat status to "do not disturb" is not to be rung either. Sets do-not-disturb on the
 * telephone and pauses the user in the queues; what was so before stays so afterwards.
 *
 * What was changed is noted in the AstDB, next to what it changed: whoever bridges next can restore it. The telephone's own
 * presence never counts as the user's, so that the two cannot chase one another.
 */

import type { Deflections } from '../deflections.ts';
import type { Directory, User } from '../directory.ts';
import type { Log } from '../log.ts';
import type { Pbx, QueueMember } from '../pbx/pbx.ts';
import { type BareJid, fullJid } from '../protocol/jid.ts';
import { child, textOf } from '../protocol/xml.ts';
import type { Asking } from '../xmpp/alive.ts';
import type { Stanza } from '../xmpp/xmpp.ts';
import { PHONE } from './hosted.ts';

/** What {@link createFollow} needs. */
export interface FollowOptions {
  /** Whether the user has asked for it. */
  readonly follows: (user: User) => boolean;
  readonly directory: () => Directory;
  /** Finds out whether a client is still there. */
  readonly asking: Pick<Asking, 'ask'>;
  readonly pbx: Pick<Pbx, 'dbGet' | 'dbPut' | 'dbDel' | 'queueMembers' | 'queuePause'>;
  readonly doNotDisturb: Pick<Deflections, 'readDoNotDisturb' | 'setDoNotDisturb'>;
  readonly log: Log;
}

/** The statuses that telephones follow. */
export interface Follow {
  /** Takes the presence of a user's client. */
  take(stanza: Stanza): void;
  /**
   * Brings telephones in line with what is known, after the telephone system was away. Of these domains everybody who is
   * online has been heard of: the others are not.
   */
  review(known: ReadonlySet<string>): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** Where the notes are; keyed by extension. */
export const NOTES = 'OFFHOOK_DND';
/** The reason of the breaks that are made here. */
const REASON = 'Do not disturb';
/** Leaves room in a line of 1021 bytes for header and name. */
const maxNote = 900;
/** Clients of one user whose statuses are kept. */
const maxStatuses = 32;
const askMs = 10_000;

interface Status {
  readonly dnd: boolean;
  readonly priority: number;
}

interface Note {
  /** Do-not-disturb was off, and was set here. */
  readonly set: boolean;
  /** Breaks that were begun here: queue and interface. */
  readonly breaks: readonly (readonly [queue: string, member: string])[];
}

/** Makes it. */
export function createFollow(options: FollowOptions): Follow {
  const { follows, directory, asking, pbx, doNotDisturb, log } = options;
  const statuses = new Map<BareJid, Map<string, Status>>();
  /** Whose telephones are to be looked at: how often somebody changes the status meanwhile makes no difference. */
  const waiting = new Map<BareJid, User>();
  /** What is under way, by user: one thing after the other. */
  const work = new Map<BareJid, Promise<void>>();

  function wants(jid: BareJid): boolean {
    const all = [...(statuses.get(jid)?.values() ?? [])];
    const highest = Math.max(...all.map(({ priority }) => priority));
    return all.some(({ dnd, priority }) => dnd && priority === highest);
  }

  function enqueue(user: User): void {
    waiting.set(user.jid, user);
    if (!work.has(user.jid))
      work.set(
        user.jid,
        comply(user.jid).finally(() => work.delete(user.jid)),
      );
  }

  async function comply(jid: BareJid): Promise<void> {
    for (let user = waiting.get(jid); user !== undefined; user = waiting.get(jid)) {
      waiting.delete(jid);
      try {
        await forgetGone(jid);
        // The latest wish counts, whatever was wished when this was queued.
        await (wants(jid) ? begin(user) : end(user));
      } catch (error) {
        log.warn({ user: jid, reason: String(error) }, 'do-not-disturb does not follow the chat status');
      }
    }
    work.delete(jid);
  }

  /** ejabberd does not say that a client has vanished: when another one speaks, those at `dnd` are asked about. */
  async function forgetGone(user: BareJid): Promise<void> {
    const known = statuses.get(user);
    if (known === undefined || known.size < 2) return;
    for (const [resource, status] of [...known]) {
      const jid = fullJid({ bare: user, resource });
      if (!status.dnd || jid === undefined) continue;
      const finding = await asking.ask({ jid }, askMs);
      if (finding === 'gone' && known.get(resource) === status) known.delete(resource);
    }
  }

  async function begin(user: User): Promise<void> {
    if ((await pbx.dbGet(NOTES, user.extension)) !== undefined) return;
    const set = !(await doNotDisturb.readDoNotDisturb(user.extension));
    const members = (await pbx.queueMembers()).filter((member) => !member.paused && isOf(user, member));
    const breaks: [string, string][] = [];
    for (const { queue, interface: member } of members) {
      breaks.push([queue, member]);
      if (Buffer.byteLength(JSON.stringify({ set, breaks })) > maxNote) breaks.pop();
    }
    // First the note: what happens after a crash in between can be undone.
    await pbx.dbPut(NOTES, user.extension, JSON.stringify({ set, breaks }));
    if (set) await doNotDisturb.setDoNotDisturb(user.extension, true);
    for (const [queue, member] of breaks) await pbx.queuePause(queue, member, true, REASON);
    log.info({ user: user.jid, queues: breaks.length }, 'do-not-disturb set, as the chat status is');
  }

  async function end(user: User): Promise<void> {
    const text = await pbx.dbGet(NOTES, user.extension);
    if (text === undefined) return;
    const { set, breaks } = readNote(text);
    if (set) await doNotDisturb.setDoNotDisturb(user.extension, false);
    const members = breaks.length === 0 ? [] : await pbx.queueMembers();
    for (const [queue, member] of breaks) {
      const now = members.find((each) => each.queue === queue && each.interface === member);
      // A break for another reason is the user's own by now.
      if (now?.paused && (now.pausedReason === REASON || now.pausedReason === ''))
        await pbx.queuePause(queue, member, false, '');
    }
    await pbx.dbDel(NOTES, user.extension);
    log.info({ user: user.jid, queues: breaks.length }, 'do-not-disturb restored');
  }

  return {
    take({ type, from, element }) {
      if (from.resource === PHONE || (type !== 'available' && type !== 'unavailable')) return;
      const user = directory().byJid(from.bare);
      if (user === undefined || !follows(user)) return;
      const before = wants(user.jid);
      const known = statuses.get(user.jid) ?? new Map<string, Status>();
      if (type === 'available') {
        const show = child(element, 'show');
        const priority = child(element, 'priority');
        known.delete(from.resource);
        known.set(from.resource, {
          dnd: show !== undefined && textOf(show).trim() === 'dnd',
          priority: (priority && Number.parseInt(textOf(priority), 10)) || 0,
        });
        const [oldest] = known.keys();
        if (known.size > maxStatuses && oldest !== undefined) known.delete(oldest);
      } else if (from.resource === '') known.clear();
      else known.delete(from.resource);
      if (known.size === 0) statuses.delete(user.jid);
      else statuses.set(user.jid, known);
      const wanted = wants(user.jid);
      if (wanted !== before || (wanted && !known.get(from.resource)?.dnd)) enqueue(user);
    },
    review(known) {
      for (const user of directory().users) {
        if (!follows(user)) continue;
        const domain = user.jid.slice(user.jid.indexOf('@') + 1);
        if (statuses.has(user.jid) || known.has(domain)) enqueue(user);
      }
    },
    async idle() {
      while (work.size > 0) await Promise.all(work.values());
    },
  };
}

/** Whether a queue's member is one of the user's telephones, or a Local channel that leads to the user's extension. */
function isOf(user: User, { interface: member, stateInterface }: QueueMember): boolean {
  const devices = user.devices.map(({ device }): string => device);
  return (
    devices.includes(member) ||
    devices.includes(stateInterface) ||
    member.startsWith(`Local/${user.extension}@`)
  );
}

/** A note that somebody else wrote over: nothing is restored but do-not-disturb itself stays as it is. */
function readNote(text: string): Note {
  try {
    const { set, breaks }: { set?: unknown; breaks?: unknown } = JSON.parse(text);
    const pairs = (Array.isArray(breaks) ? breaks : []).flatMap((pair: unknown): [string, string][] => {
      const [queue, member]: unknown[] = Array.isArray(pair) ? pair : [];
      return typeof queue === 'string' && typeof member === 'string' ? [[queue, member]] : [];
    });
    return { set: set === true, breaks: pairs };
  } catch {
    return { set: false, breaks: [] };
  }
}
