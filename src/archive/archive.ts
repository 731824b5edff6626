/** The archive port: what somebody has written and was written, as the XMPP server has kept it. Types only. */

import type { Bounded } from '../bounds.ts';
import type { BareJid } from '../protocol/jid.ts';

/** A message with a text. */
export interface ArchivedMessage {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  /** With whom: the other's account. */
  readonly peer: BareJid;
  readonly body: string;
}

/** What is looked for; times are epoch milliseconds, `to` is excluded. */
export interface ArchiveQuery {
  /** Whose archive: nobody else's is touched. */
  readonly owner: BareJid;
  /** Stands in the body, whatever the case of its letters. */
  readonly text: string;
  readonly peer?: BareJid | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/**
 * A server's archive, only read. Both reject with `Failure`: `not-available` while the database cannot be asked, `rejected` where too many
 * ask at once.
 */
export interface Archive extends Partial<Bounded> {
  /**
   * Calls `found` with each message that fits, newest first, until it returns false. Looks at a limited number of messages: see
   * docs/limits.md. Encrypted messages, and those without text, are no hits.
   */
  search(query: ArchiveQuery, found: (message: ArchivedMessage) => boolean): Promise<void>;
  /** When messages went between the owner and a peer, encrypted ones and receipts included: epoch milliseconds, oldest first. */
  times(owner: BareJid, peer: BareJid, from: number, to: number): Promise<readonly number[]>;
  stop(): Promise<void>;
}
