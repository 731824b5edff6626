/** What is wrong with the connections at the moment; read by the sessions, set through the public `Faults`. */
export interface FaultState {
  /** Accounts that hear nothing; `*` for every connection. */
  readonly muted: Set<string>;
  /** Bytes per second of each connection; 0 for no limit. */
  rate: number;
  /** Lower-case action names and what becomes of them. */
  readonly actions: Map<
    string,
    { readonly what: 'stall' | 'swallow' } | { readonly what: 'fail'; readonly message: string }
  >;
  /** Milliseconds by which actions are done late. */
  late: number;
}

/** No faults. */
export function createFaultState(): FaultState {
  return { muted: new Set(), rate: 0, actions: new Map(), late: 0 };
}

/** Whether a connection of this account is muted now. */
export function isMuted(faults: FaultState, user: string | undefined): boolean {
  return faults.muted.has('*') || (user !== undefined && faults.muted.has(user));
}
