/** The AstDB as the dialplan's notice board: one writer after the other, and only what is another than it says. */

import { type Bounded, createBound } from '../bounds.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Pbx } from '../pbx/pbx.ts';
import { type Entries, families } from './ring.ts';

/** What may be on the board, for telephone systems that cannot list it. */
export interface Keys {
  readonly extensions: readonly string[];
  readonly endpoints: readonly string[];
}

/** The notice board. */
export interface Board extends Bounded {
  /** Whether anything was ever put up. */
  readonly isUsed: boolean;
  /**
   * Puts up what `prepare` says when its turn comes, and then calls `done`. Throws `Failure` `rejected` where too many wait, what
   * `prepare` throws, and what the telephone system throws; what was put up by then is taken back where that is possible.
   */
  write(prepare: () => { readonly entries: Entries; done(): void }): Promise<void>;
  /** Reads what is there, and makes it what it should be. Never rejects. */
  renew(entries: () => Entries, keys: Keys): Promise<void>;
}

/** Writers that wait for their turn. */
const maxWaiting = 20;
/** Keys asked one by one where families cannot be listed. */
const maxSingle = 2000;
const atOnce = 8;

/** Makes it; nothing is known of what is there before the first {@link Board.renew}. */
export function createBoard(options: {
  readonly pbx: Pick<Pbx, 'dbFamily' | 'dbGet' | 'dbPut' | 'dbDel'>;
  readonly log: Log;
}): Board {
  const { pbx, log } = options;
  let present = new Map<string, string>();
  let isUsed = false;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const bound = createBound('places_waiting', maxWaiting, () => waiting);

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!bound.admits()) fail('rejected', 'Too many people are changing places: try again in a moment.');
    waiting += 1;
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine.finally(() => {
      waiting -= 1;
    });
  }

  /** First what is new, then what is gone: in between calls rather ring at two places than at none. */
  async function put(entries: Entries): Promise<void> {
    for (const [path, value] of entries) {
      if (present.get(path) === value) continue;
      const [family = '', key = ''] = path.split('/');
      isUsed = true;
      await pbx.dbPut(family, key, value);
      present.set(path, value);
    }
    for (const path of [...present.keys()]) {
      if (entries.has(path)) continue;
      const [family = '', key = ''] = path.split('/');
      await pbx.dbDel(family, key);
      present.delete(path);
    }
  }

  async function read(keys: Keys): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const family of Object.values(families)) {
      const list = await pbx.dbFamily(family);
      if (list !== undefined) for (const [key, value] of list) found.set(`${family}/${key}`, value);
      // What is left there of the later ones is named by nobody.
      else if (family !== families.later)
        await readSingly(family, family === families.seat ? keys.endpoints : keys.extensions, found);
    }
    return found;
  }

  async function readSingly(
    family: string,
    keys: readonly string[],
    found: Map<string, string>,
  ): Promise<void> {
    if (keys.length > maxSingle)
      log.warn({ family, asked: maxSingle, keys: keys.length }, 'places: too many keys to ask for each');
    const queue = keys.slice(0, maxSingle).values();
    const work = async () => {
      for (const key of queue) {
        const value = await pbx.dbGet(family, key);
        if (value !== undefined) found.set(`${family}/${key}`, value);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  return {
    bounds: [bound],
    get isUsed() {
      return isUsed;
    },
    write: (prepare) =>
      inTurn(async () => {
        const { entries, done } = prepare();
        const before = new Map(present);
        try {
          await put(entries);
        } catch (error) {
          await put(before).catch((reason: unknown) =>
            log.warn(
              { reason: String(reason) },
              'the dialplan is told again where people sit after the next connect',
            ),
          );
          throw error;
        }
        done();
      }),
    async renew(entries, keys) {
      try {
        await inTurn(async () => {
          present = await read(keys);
          await put(entries());
        });
      } catch (error) {
        // The adapter has told the operator of rights that are missing.
        const level = error instanceof Failure && error.code === 'pbx-unavailable' ? 'info' : 'warn';
        log[level]({ reason: String(error) }, 'the dialplan does not know where people sit');
      }
    },
  };
}
