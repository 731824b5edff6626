/**
 * Users' parts in calls, from what the call model says and nothing else. Several channels of a user are one part: telephones that ring
 * together, and those that a queue rings again. Pure; time comes with the changes.
 */

import { type Bounded, createBound } from '../bounds.ts';
import type { ChannelChange, ChannelView, Party } from '../calls/changes.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/** The other party as a channel showed it. */
export type Seen = Pick<ChannelView, 'other' | 'otherDevice' | 'refChannel' | 'service' | 'queue'>;

/** A user's part in a call, when it is over. */
export interface Finished extends Outcome {
  readonly user: BareJid;
  /** See {@link Entry.id}. */
  readonly id: string;
  readonly outbound: boolean;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly duration: number;
  readonly connected: number;
  /** The view of the channel that talked, or of the first that rang: device, numbers. */
  readonly view: ChannelView;
  readonly other: Seen;
  /** The other party is not who was called by the number that the user dialled. */
  readonly fetched: boolean;
  readonly queue: string;
  /** Who sent the call on to this user, and whether by a transfer. */
  readonly from: Party;
  readonly transferred: boolean;
  readonly channels: readonly ChannelId[];
  /** False where nobody saw the end. */
  readonly certain: boolean;
  /** False for one that rang again and is told once more. */
  readonly isNew: boolean;
}

/** One channel of a part. */
interface Leg {
  view: ChannelView;
  end: { readonly at: number; readonly token: string; readonly seen: boolean } | undefined;
}

/** Whom a call is with, and how it came to the user. */
type Origin = Pick<Part, 'other' | 'from' | 'transferred'>;

interface Part {
  readonly user: BareJid;
  readonly outbound: boolean;
  readonly legs: Map<ChannelId, Leg>;
  other: Seen;
  from: Party;
  transferred: boolean;
  /** Who the other party was before the user was passed on to another, or another to the user. */
  before: Origin | undefined;
  /** The user was passed on: whom to does not change who called. */
  passedOn: boolean;
  /** Whoever the user is connected with from now on is the other party of the call. */
  adopts: boolean;
  /** The user dialled a code that brings somebody who waits: a parking space, for instance. */
  readonly fetches: boolean;
  told: boolean;
}

/** What each user has to do with a call. */
type Involved = Map<string, Part>;

/** Follows parts. */
export interface Parts extends Bounded {
  /** Parts that are not over. */
  readonly open: number;
  /** Calls that are remembered, over or not. */
  readonly calls: number;
  /**
   * Takes a step of a user's channel in. `end`: when the channel ended at the latest that is known, where the step comes later.
   * Returns what is over now.
   */
  take(user: BareJid, change: ChannelChange, end?: number): readonly Finished[];
}

/** Who has the number of a user. */
export type FindUser = (extension: string) => BareJid | undefined;

const nothing: readonly Finished[] = Object.freeze([]);
const nobody: Party = Object.freeze({ number: '', name: '' });

/** Calls that are remembered at the most, those in progress and the latest: their telephones may ring again, and they may be transferred or led elsewhere. */
const maxJournalCalls = 10_000;

/** Channels of a part: whoever waits in a queue makes a telephone ring again and again. */
const mostLegs = 100;

/** Makes an empty table. */
export function createParts(userAt: FindUser): Parts {
  const byChannel = new Map<ChannelId, Part>();
  /** By call; the oldest first. */
  const calls = new Map<string, Involved>();
  const bound = createBound('journal_calls', maxJournalCalls, () => calls.size);

  function involvedIn(call: string): Involved {
    const known = calls.get(call);
    if (known !== undefined) return known;
    const made: Involved = new Map();
    calls.set(call, made);
    if (calls.size > maxJournalCalls) {
      bound.exceed();
      const [oldest] = calls.keys();
      if (oldest !== undefined) calls.delete(oldest);
    }
    return made;
  }

  function partOf(user: BareJid, view: ChannelView): Part {
    const known = byChannel.get(view.channel);
    if (known !== undefined) return known;
    const involved = involvedIn(view.call);
    const key = `${user} ${view.outbound ? 'out' : 'in'}`;
    const before = involved.get(key);
    // A call that was answered and comes again, from a parking lot for instance, is another part.
    const part = before !== undefined && !isAnswered(before) ? before : begin(user, view);
    involved.set(key, part);
    byChannel.set(view.channel, part);
    return part;
  }

  /** Whoever has the number that was called and led here without their own telephone ringing. */
  function deflected({ from, outbound, transferred, legs }: Part): readonly Finished[] {
    const [first] = legs.values();
    if (outbound || transferred || first === undefined || from.number === '') return nothing;
    const { view } = first;
    const user = userAt(from.number);
    if (user === undefined) return nothing;
    const involved = involvedIn(view.call);
    if (involved.has(`${user} in`) || involved.has(`${user} out`)) return nothing;
    const part = begin(user, view);
    involved.set(`${user} in`, part);
    part.told = true;
    return [
      {
        user,
        id: `${view.call}-to`,
        outbound: false,
        since: view.since,
        duration: 0,
        connected: 0,
        view,
        other: seen(view),
        fetched: false,
        queue: '',
        from: nobody,
        transferred: false,
        channels: [],
        certain: true,
        result: 'redirect',
        details: 'to',
        isNew: true,
      },
    ];
  }

  return {
    bounds: [bound],
    get open() {
      return byChannel.size;
    },
    get calls() {
      return calls.size;
    },
    take(user, change, end) {
      const { type, view } = change;
      const part = partOf(user, view);
      learn(part, change);
      if (part.from.number === '' && view.from.number !== '') {
        part.from = view.from;
        const sender = userAt(view.from.number);
        const involved = calls.get(view.call);
        const theirs = [involved?.get(`${sender} in`), involved?.get(`${sender} out`)];
        part.transferred = theirs.some((each) => each !== undefined && isAnswered(each));
      }
      if (type !== 'hangup') return nothing;
      const leg = part.legs.get(view.channel);
      if (leg !== undefined)
        leg.end = {
          at: Math.max(view.since, end ?? change.at),
          token: change.details,
          seen: end === undefined,
        };
      byChannel.delete(view.channel);
      if (!isOver(part)) return nothing;
      const finished = [finish(part), ...deflected(part)];
      part.told = true;
      return finished;
    },
  };
}

function begin(user: BareJid, view: ChannelView): Part {
  return {
    user,
    outbound: view.outbound,
    legs: new Map(),
    other: seen(view),
    from: nobody,
    transferred: false,
    before: undefined,
    passedOn: false,
    adopts: false,
    fetches: fetches(view),
    told: false,
  };
}

/** Connected at once, and with somebody whose number has nothing to do with the one that was dialled. */
function fetches({ outbound, busySince, service, dialed, other }: ChannelView): boolean {
  if (!outbound || busySince === 0 || service !== '' || other.number === '') return false;
  return !dialed.endsWith(other.number) && !other.number.endsWith(dialed);
}

function seen({ other, otherDevice, refChannel, service, queue }: ChannelView): Seen {
  return { other, otherDevice, refChannel, service, queue };
}

function isOver({ legs }: Part): boolean {
  return [...legs.values()].every(({ end }) => end !== undefined);
}

function isAnswered({ legs }: Part): boolean {
  return [...legs.values()].some(({ view }) => view.busySince > 0);
}

/** Takes in what a channel shows now. */
function learn(part: Part, change: ChannelChange): void {
  const { type, role, details, view } = change;
  const leg = part.legs.get(view.channel);
  const answers = view.busySince > 0 && (leg === undefined || leg.view.busySince === 0);
  if (leg === undefined) {
    part.legs.set(view.channel, { view, end: undefined });
    if (part.legs.size > mostLegs) forgetRing(part);
  } else leg.view = view;
  if (type === 'transfer' && role === 'transferee') stay(part);
  if (type === 'transfer' && role === 'target' && details === 'attended') {
    passOn(part);
    part.adopts = true;
  }
  // Of telephones that rang together, the one that is answered knows best.
  const ringing = view.busySince === 0 && !isAnswered(part);
  const sameNumber = view.other.number === part.other.other.number && part.other.service === view.service;
  if (isReplaced(part, change) && !answers) {
    // Another label on the same line, or somebody else on it.
    if (view.refChannel !== part.other.refChannel) passOn(part);
    part.other = seen(view);
  } else if (ringing || answers || part.adopts || (sameNumber && view.other.name !== ''))
    part.other = seen(view);
}

/** The first tells when it began, and what it is called; of the others that rang in vain the oldest goes. */
function forgetRing({ legs }: Part): void {
  for (const [channel, { view, end }] of [...legs].slice(1)) {
    if (end === undefined || view.busySince > 0) continue;
    legs.delete(channel);
    return;
  }
}

/**
 * Whether the caller has been replaced by another one: who consulted the user has put the call through. Whom the user consults, or is passed on
 * to, or calls, is another matter.
 */
function isReplaced({ outbound, passedOn, other }: Part, { type, view }: ChannelChange): boolean {
  if (type !== 'rename' || outbound || passedOn || view.busySince === 0) return false;
  if (view.held || view.service !== '' || view.other.number === '') return false;
  return view.other.number !== other.other.number;
}

/** A consulted user gets the call that the consultation was about. */
function passOn(part: Part): void {
  if (part.before !== undefined) return;
  part.before = { other: part.other, from: part.from, transferred: part.transferred };
  part.from = part.other.other;
  part.transferred = true;
}

/** It was the user who was passed on: the call stays one with whom it was with. */
function stay(part: Part): void {
  Object.assign(part, part.before);
  part.passedOn = true;
  part.adopts = false;
}

function finish(part: Part): Finished {
  const legs = [...part.legs.values()];
  const answered = legs.filter(({ view }) => view.busySince > 0);
  const since = Math.min(...legs.map(({ view }) => view.since));
  const end = Math.max(...legs.map((leg) => leg.end?.at ?? 0));
  const talked = answered.reduce((sum, leg) => sum + Math.max(0, (leg.end?.at ?? 0) - leg.view.busySince), 0);
  const ends = legs.map((leg) => ({ token: leg.end?.token ?? '', answered: leg.view.busySince > 0 }));
  const [first] = [...answered, ...legs];
  if (first === undefined) throw new Error('a part without channels');
  const { view } = first;
  return {
    ...outcomeOf(part.outbound, ends),
    user: part.user,
    id: legs.map((leg) => leg.view.uniqueId).reduce(earlier),
    outbound: part.outbound,
    since,
    // 0 stands for a call that was not answered.
    duration: answered.length === 0 ? 0 : Math.max(1, seconds(end - since)),
    connected: seconds(talked),
    view,
    other: part.other,
    fetched: part.fetches,
    queue: legs.map((leg) => leg.view.queue).find((queue) => queue !== '') ?? '',
    from: part.from,
    transferred: part.transferred,
    channels: legs.map((leg) => leg.view.channel),
    certain: legs.every((leg) => leg.end?.seen === true),
    isNew: !part.told,
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}

/** The unique id of the channel that came first (`1764158400.12`): the same one, whichever is met first. */
function earlier(a: string, b: string): string {
  const [one, other] = [a, b].map((id) =>
    id
      .slice(id.lastIndexOf('-') + 1)
      .split('.')
      .map(Number),
  );
  const difference = (one?.[0] ?? 0) - (other?.[0] ?? 0) || (one?.[1] ?? 0) - (other?.[1] ?? 0);
  return difference <= 0 ? a : b;
}
