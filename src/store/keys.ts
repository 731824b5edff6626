/** Every Redis key there is. `docs/operating.md` lists them. */

/** Names the keys below one prefix. */
export interface Keys {
  /** Hash: full JID → session with its subscriptions (`value.ts`). */
  sessions(): string;
  /** Stream: audit entries, one field `entry` with JSON each. */
  audit(): string;
}

/** `prefix` is put in front of every key as it is, e.g. `offhook:`. */
export function createKeys(prefix: string): Keys {
  return { sessions: () => `${prefix}sessions`, audit: () => `${prefix}audit` };
}
