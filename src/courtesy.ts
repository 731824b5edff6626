/**
 * How often somebody is answered what anybody may ask: discovery, cards, time, pings. The answers are larger than the questions, and wait in the same
 * queue as those to others' commands. Commands and searches have limits of their own.
 */

import type { Bounded } from './bounds.ts';
import { CMD_NS } from './protocol/envelope.ts';
import type { BareJid } from './protocol/jid.ts';
import { boundOfKeys, createRateLimit } from './rate.ts';
import { DELEGATION_1_NS, DELEGATION_2_NS } from './xmpp/namespaces.ts';
import type { IqRequest } from './xmpp/xmpp.ts';

/** What {@link createCourtesy} needs. */
export interface CourtesyOptions {
  /** The component's. It asks itself, to see how far the stream has got. */
  readonly domain: string;
  /** The users' servers: what they ask in their own names is not limited. */
  readonly domains: readonly string[];
  /** Namespaces of those who limit by themselves, besides commands and what servers delegate. */
  readonly limited: readonly string[];
  /** How many who asked are remembered. */
  readonly keys: number;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
}

/** Who asked how much lately. */
export interface Courtesy extends Bounded {
  /** Whether this is answered. */
  admits(request: Pick<IqRequest, 'from' | 'payload'>): boolean;
}

/** A client looks at everybody in its roster when it comes; further questions come one by one. */
const usual = { perSecond: 50, burst: 1000 };

/** Makes it. */
export function createCourtesy({ domain, domains, limited, keys, monotonic }: CourtesyOptions): Courtesy {
  const rate = createRateLimit<BareJid>({ ...usual, keys, monotonic });
  const trusted = new Set([domain, ...domains].map((each) => each.toLowerCase()));
  const others = new Set<string | undefined>([CMD_NS, DELEGATION_1_NS, DELEGATION_2_NS, ...limited]);
  return {
    bounds: [boundOfKeys('asking_users', keys, rate)],
    admits({ from, payload }) {
      if (others.has(payload.ns) || (from.local === '' && trusted.has(from.domain))) return true;
      return rate.take(from.bare);
    },
  };
}
