/** Subscriptions in canonical form: every attribute written out, filters sorted, no duplicates. */

import type { StoredSubscription } from '../store/store.ts';

/** A subscription as the protocol defines it: what is wanted, not by whom. */
export type Subscription = StoredSubscription;

/** Stands for every module or every event type. */
export const ANY = '*';

/** Sorts the filters and drops doubled ones, so that equal subscriptions look equal. */
export function canonical(subscription: Subscription): Subscription {
  const { module, type, scope } = subscription;
  // Most have none, and a start reads hundreds of thousands.
  if (subscription.filters.length === 0) return subscription;
  const filters = new Map(
    subscription.filters.map((each) => [JSON.stringify([each.name, each.equals]), each]),
  );
  const sorted = [...filters].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { module, type, scope, filters: sorted.map(([, filter]) => filter) };
}

/** Equal for equal subscriptions, different for different ones. Expects the canonical form. */
export function keyOf(subscription: Subscription): string {
  const { module, type, scope, filters } = subscription;
  // With its length in front a name cannot reach into the next one.
  if (filters.length === 0) return `${scope} ${module.length} ${module} ${type}`;
  return JSON.stringify([module, type, scope, ...filters.map((each) => [each.name, each.equals])]);
}

/** The union of two lists in canonical form, first come first kept. */
export function union(present: readonly Subscription[], added: readonly Subscription[]): Subscription[] {
  const all = new Map<string, Subscription>();
  for (const each of [...present, ...added].map(canonical)) {
    const key = keyOf(each);
    if (!all.has(key)) all.set(key, each);
  }
  return [...all.values()];
}

/** The list without the removed ones; what is not there is ignored. */
export function without(present: readonly Subscription[], removed: readonly Subscription[]): Subscription[] {
  const keys = new Set(removed.map((each) => keyOf(canonical(each))));
  return present.map(canonical).filter((each) => !keys.has(keyOf(each)));
}
