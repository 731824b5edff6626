/** Users' rosters as the bridge may see and change them. Types only; `privileged-rosters.ts` and `ejabberd-api.ts` are the adapters. */

import type { BareJid } from '../protocol/jid.ts';

/** One entry (RFC 6121 §2.1.2). */
export interface RosterItem {
  readonly jid: BareJid;
  /** Empty where it has none. */
  readonly name: string;
  readonly subscription: 'none' | 'to' | 'from' | 'both';
  readonly groups: readonly string[];
}

/** Somebody else's way into users' rosters. Both verbs reject with an Error whose message says what the server said. */
export interface Rosters {
  read(user: BareJid): Promise<readonly RosterItem[]>;
  /** Adds the entry, or replaces what was there for its JID. */
  write(user: BareJid, item: RosterItem): Promise<void>;
}
