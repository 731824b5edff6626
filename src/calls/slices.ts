/** Work on many things in slices, between which others have their turn. */

/** Runs while it is iterated; each step is a slice. */
export type Slices = Generator<void, void>;

/** About a millisecond of work, whatever is done with each. */
const slice = 100;

/** Does `work` with each of the items. */
export function* sliced<T>(items: Iterable<T>, work: (item: T) => void): Slices {
  let done = 0;
  for (const item of items) {
    work(item);
    done += 1;
    if (done % slice === 0) yield;
  }
}
