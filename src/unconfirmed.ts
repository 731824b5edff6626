/** Things that clients were told of, as long as nobody knows whether that has arrived. */

/** Them, by their keys. */
export interface Unconfirmed<K> {
  /** Notes that this one was told of now. */
  add(key: K): void;
  /** It does not matter any more. */
  delete(key: K): void;
  /** The server is asked what has arrived. The answer is for those who were told of by now, and not again since: returns what takes these out. */
  ask(): () => readonly K[];
}

/** Asks several at a time, as far as they can be asked; see {@link Unconfirmed.ask}. Returns what to call when the answer is there. */
export function askAll(several: readonly { ask?(): () => void }[]): () => void {
  const settled = several.flatMap((each) => each.ask?.() ?? []);
  return () => {
    for (const settle of settled) settle();
  };
}

/** Makes it, with nothing in it. */
export function createUnconfirmed<K>(): Unconfirmed<K> {
  /** By which question each will be answered, in the order of the questions. */
  const questions = new Map<K, number>();
  let next = 0;

  function takeUpTo(question: number): readonly K[] {
    const keys: K[] = [];
    for (const [key, each] of questions) {
      if (each > question) break;
      keys.push(key);
      questions.delete(key);
    }
    return keys;
  }

  return {
    add(key) {
      if (questions.get(key) === next) return;
      questions.delete(key);
      questions.set(key, next);
    },
    delete: (key) => void questions.delete(key),
    ask() {
      const question = next;
      next += 1;
      return () => takeUpTo(question);
    },
  };
}
