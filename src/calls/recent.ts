/** A set that forgets: holds the last `limit` to twice as many strings that were added. */
export function createRecent(limit: number): { add(id: string): void; has(id: string): boolean } {
  // Two generations: the older one is dropped whole when the younger is full. No bookkeeping per entry.
  let young = new Set<string>();
  let old = new Set<string>();
  return {
    add(id) {
      if (young.size >= limit) {
        old = young;
        young = new Set();
      }
      young.add(id);
    },
    has(id) {
      return young.has(id) || old.has(id);
    },
  };
}
