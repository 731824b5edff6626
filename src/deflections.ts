/**
 * Where calls go instead of ringing, and who wants none: AstDB families keyed by extension that the dialplan reads, named as
 * FreePBX names them, and the device states `Custom:DND<extension>` that FreePBX sets beside them for the lamps of telephones.
 *
 * Asterisk tells no changes of the AstDB. So the families are read after each connect and now and then; and the entries of one
 * extension whenever something says that they are others: the dialplan's UserEvent, or a lamp.
 */

import { createBound } from './bounds.ts';
import type { Directory } from './directory.ts';
import { Failure, fail } from './errors.ts';
import type { Log } from './log.ts';
import type { Model } from './models.ts';
import type { PbxEvent } from './pbx/events.ts';
import type { DeviceName, Pbx } from './pbx/pbx.ts';

/** When calls go elsewhere. */
export const deflectionTypes = ['always', 'busy', 'noanswer'] as const;
/** One of {@link deflectionTypes}. */
export type DeflectionType = (typeof deflectionTypes)[number];

/** What becomes of the calls to an extension. Targets are numbers as they are dialed; empty where there is none. */
export interface Deflection extends Readonly<Record<DeflectionType, string>> {
  readonly doNotDisturb: boolean;
}

/** Calls to an extension go another way than before, or it was learned for the first time which. */
export interface DeflectionChange {
  readonly kind: 'deflection';
  readonly extension: string;
  readonly before: Deflection;
  readonly now: Deflection;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** AstDB families, keyed by extension. */
export type DeflectionFamilies = Readonly<Record<DeflectionType | 'doNotDisturb', string>>;

/** As FreePBX names them. */
export const usualFamilies: DeflectionFamilies = {
  always: 'CF',
  busy: 'CFB',
  noanswer: 'CFU',
  doNotDisturb: 'DND',
};

/** The deflections of all extensions. */
export interface Deflections extends Model {
  of(extension: string): Deflection;
  /**
   * Sends calls to a number, or with an empty `target` nowhere else any more. Throws `Failure` `invalid-target` where calls would
   * go round in circles, and what the telephone system throws.
   */
  set(extension: string, type: DeflectionType, target: string): Promise<void>;
  setDoNotDisturb(extension: string, on: boolean): Promise<void>;
  /** Asks the telephone system, whatever is known here. Throws what it throws. */
  readDoNotDisturb(extension: string): Promise<boolean>;
  /** Calls back with each extension whose do-not-disturb is another one. */
  onDoNotDisturb(listener: (extension: string) => void): void;
  /** Reads the families now. Never rejects. */
  refresh(): Promise<void>;
}

/** What {@link createDeflections} needs. */
export interface DeflectionsOptions {
  readonly pbx: Pick<Pbx, 'dbFamily' | 'dbGet' | 'dbPut' | 'dbDel' | 'setDeviceState' | 'state' | 'onState'>;
  readonly families: DeflectionFamilies;
  readonly directory: () => Directory;
  /** How often the families are read again, milliseconds. */
  readonly everyMs: number;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const kinds = [...deflectionTypes, 'doNotDisturb'] as const;
type Kind = (typeof kinds)[number];
type Values = Readonly<Record<Kind, string>>;

const nothing: readonly DeflectionChange[] = Object.freeze([]);
const blank: Values = { always: '', busy: '', noanswer: '', doNotDisturb: '' };
const lamp = /^Custom:(?<of>DND|CF)(?<extension>[0-9*#]+)$/;
/** Extensions asked one by one where families cannot be listed. */
const maxSingle = 2000;
const atOnce = 8;
/** Extensions looked at one by one at a time; with more, the families are read as a whole. */
const maxLooking = 50;
/** Lamps of do-not-disturb; of further ones it is not known whether they are lit. */
const maxLamps = 100_000;

/** Makes it; nothing is asked before both connections to the telephone system are up. */
export function createDeflections(options: DeflectionsOptions): Deflections {
  const { pbx, families, directory, everyMs, log, now } = options;
  let stored = new Map<string, Values>();
  /** Lamps of do-not-disturb that the telephone system has, and whether they are lit. */
  const lamps = new Map<string, boolean>();
  /** Deflections on their way into the AstDB: two of them together must not make a circle, either. */
  const coming = new Map<string, { readonly extension: string; readonly target: string }>();
  /** Extensions that were looked at or changed since the families began to be read: what is read then is older. */
  let touched = new Set<string>();
  /** Extensions under way, and whether to look again. */
  const looking = new Map<string, boolean>();
  const dndListeners: ((extension: string) => void)[] = [];
  let tell: (changes: readonly DeflectionChange[]) => void = () => {};
  let timer: NodeJS.Timeout | undefined;
  let listed = true;
  let known = false;
  let reading = false;
  let readAgain = false;
  let denied = false;

  const lookingBound = createBound('deflections_looked_at', maxLooking, () => looking.size);
  const lampBound = createBound('lamps', maxLamps, () => lamps.size);

  const extensions = () => directory().users.map(({ extension }) => extension);

  function of(extension: string): Deflection {
    const values = stored.get(extension) ?? blank;
    const { always, busy, noanswer } = values;
    const doNotDisturb = isOn(values.doNotDisturb) || lamps.get(extension) === true;
    return { always, busy, noanswer, doNotDisturb };
  }

  /** Lets `change` work on what is known of these extensions, and returns what is another than before. */
  function changing(
    over: Iterable<string>,
    change: () => void,
    everything = false,
  ): readonly DeflectionChange[] {
    const befores = [...over].map((extension) => [extension, of(extension)] as const);
    change();
    const at = now();
    const changes = befores.flatMap(([extension, before]): DeflectionChange[] => {
      const after = of(extension);
      if (after.doNotDisturb !== before.doNotDisturb)
        for (const listener of dndListeners) listener(extension);
      const same = kinds.every((kind) => after[kind] === before[kind]);
      return same && !everything ? [] : [{ kind: 'deflection', extension, before, now: after, at }];
    });
    return changes.length === 0 ? nothing : changes;
  }

  function put(extension: string, values: Values): readonly DeflectionChange[] {
    touched.add(extension);
    return changing([extension], () => {
      if (kinds.every((kind) => values[kind] === '')) stored.delete(extension);
      else stored.set(extension, values);
    });
  }

  function report(changes: readonly DeflectionChange[]): void {
    if (changes.length > 0) tell(changes);
  }

  function light(name: string, state: string): readonly DeflectionChange[] {
    const { of: what, extension } = lamp.exec(name)?.groups ?? {};
    if (what !== 'DND' || extension === undefined) return nothing;
    if (!lamps.has(extension) && !lampBound.admits()) return nothing;
    return changing([extension], () => lamps.set(extension, isOn(state)));
  }

  async function read(): Promise<Map<string, Values>> {
    const lists = listed ? await Promise.all(kinds.map((kind) => pbx.dbFamily(families[kind]))) : [];
    const found = new Map<string, Values>();
    for (const [index, kind] of kinds.entries()) {
      const list = lists[index];
      if (list === undefined) return readSingly();
      for (const [extension, value] of list)
        found.set(extension, { ...(found.get(extension) ?? blank), [kind]: value });
    }
    return found;
  }

  async function readSingly(): Promise<Map<string, Values>> {
    listed = false;
    const all = extensions();
    if (all.length > maxSingle)
      log.warn(
        { asked: maxSingle, extensions: all.length },
        'deflections: too many extensions to ask for each',
      );
    const found = new Map<string, Values>();
    const queue = all.slice(0, maxSingle).values();
    const work = async () => {
      for (const extension of queue) {
        const values = await readOne(extension);
        if (kinds.some((kind) => values[kind] !== '')) found.set(extension, values);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return found;
  }

  async function readOne(extension: string): Promise<Values> {
    const [always = '', busy = '', noanswer = '', doNotDisturb = ''] = await Promise.all(
      kinds.map((kind) => pbx.dbGet(families[kind], extension)),
    );
    return { always, busy, noanswer, doNotDisturb };
  }

  async function refresh(): Promise<void> {
    if (denied) return;
    if (reading) {
      readAgain = true;
      return;
    }
    reading = true;
    try {
      do {
        readAgain = false;
        touched = new Set();
        const found = await read();
        for (const extension of touched) {
          const newer = stored.get(extension);
          if (newer === undefined) found.delete(extension);
          else found.set(extension, newer);
        }
        // The first time everybody's is told: sessions that outlived the last bridge do not know what happened since.
        const over = new Set([...stored.keys(), ...found.keys(), ...(known ? [] : extensions())]);
        const changes = changing(
          over,
          () => {
            stored = found;
          },
          !known,
        );
        known = true;
        report(changes);
      } while (readAgain);
    } catch (error) {
      // The adapter has told the operator; asking again would tell it again.
      denied = error instanceof Failure && error.code === 'not-permitted';
      log.info({ reason: String(error) }, 'call deflections and do-not-disturb cannot be read');
    } finally {
      reading = false;
    }
  }

  /** Reads what is stored for one extension. Never rejects. */
  async function look(extension: string): Promise<void> {
    if (denied || directory().byExtension(extension) === undefined) return;
    if (looking.has(extension)) {
      looking.set(extension, true);
      return;
    }
    if (!lookingBound.admits()) return refresh();
    try {
      let values = blank;
      do {
        looking.set(extension, false);
        values = await readOne(extension);
      } while (looking.get(extension));
      report(put(extension, values));
    } catch (error) {
      log.info({ extension, reason: String(error) }, 'call deflections of an extension cannot be read');
    } finally {
      looking.delete(extension);
    }
  }

  /** Writes an entry and takes it over. */
  async function write(extension: string, kind: Kind, value: string): Promise<void> {
    if (value === '') await pbx.dbDel(families[kind], extension);
    else await pbx.dbPut(families[kind], extension, value);
    if (looking.has(extension)) looking.set(extension, true);
    report(put(extension, { ...(stored.get(extension) ?? blank), [kind]: value }));
  }

  /** Where calls to an extension may go next. */
  function nextOf(extension: string): string[] {
    const here = of(extension);
    const soon = [...coming.values()].filter((each) => each.extension === extension);
    return [...deflectionTypes.map((type) => here[type]), ...soon.map(({ target }) => target)].filter(
      (target) => target !== '',
    );
  }

  /** The way by which calls sent from an extension to a target would come back to it; undefined where none would. */
  function circle(extension: string, target: string): readonly string[] | undefined {
    const cameFrom = new Map<string, string>();
    const open = [target];
    for (let here = open.pop(); here !== undefined; here = open.pop()) {
      if (here === extension) {
        const way = [here];
        for (let step = cameFrom.get(here); step !== undefined; step = cameFrom.get(step)) way.unshift(step);
        return way;
      }
      for (const next of nextOf(here)) {
        if (next === target || cameFrom.has(next)) continue;
        cameFrom.set(next, here);
        open.push(next);
      }
    }
    return undefined;
  }

  pbx.onState(({ control, feed }) => {
    // Both: one connection reads them, the other tells of changes.
    if (!control || !feed) return;
    denied = false;
    void refresh();
    timer ??= setInterval(() => {
      // Asking for each extension now and then would be more than it is worth.
      if (listed && pbx.state.control) void refresh();
    }, everyMs).unref();
  });

  return {
    bounds: [lookingBound, lampBound],
    of,
    refresh,
    onChange(listener) {
      tell = listener;
    },
    onDoNotDisturb: (listener) => void dndListeners.push(listener),
    async readDoNotDisturb(extension) {
      return isOn((await pbx.dbGet(families.doNotDisturb, extension)) ?? '');
    },
    async set(extension, type, target) {
      const way = target === '' ? undefined : circle(extension, target);
      if (way !== undefined) {
        const text =
          way.length === 1 ? 'to yourself' : `round in circles: ${[extension, ...way].join(' → ')}`;
        fail('invalid-target', `Calls would go ${text}. Choose another number.`);
      }
      const key = `${type} ${extension}`;
      const mine = { extension, target };
      coming.set(key, mine);
      try {
        await write(extension, type, target);
      } finally {
        if (coming.get(key) === mine) coming.delete(key);
      }
    },
    async setDoNotDisturb(extension, on) {
      await write(extension, 'doNotDisturb', on ? 'YES' : '');
      const lit = lamps.get(extension);
      if (lit === undefined || lit === on) return;
      // COMPAT: FreePBX has a lamp for it, which would go on saying the opposite. It is only a lamp: what it stands for has been done.
      const lamp = `Custom:DND${extension}` as DeviceName;
      await pbx.setDeviceState(lamp, on ? 'BUSY' : 'NOT_INUSE').catch((error: unknown) => {
        log.info({ extension, reason: String(error) }, 'the lamp of do-not-disturb cannot be switched');
      });
      report(changing([extension], () => lamps.set(extension, on)));
    },
    apply(event: PbxEvent) {
      switch (event.type) {
        case 'deflection':
          void look(event.extension);
          return nothing;
        case 'device-state': {
          const extension = lamp.exec(event.device)?.groups?.extension;
          if (extension !== undefined) void look(extension);
          return light(event.device, event.state);
        }
        case 'snapshot': {
          const { devices, meanwhile } = event.snapshot;
          const changes = [...devices].flatMap(([name, state]) => light(name, state));
          return changes.concat(
            meanwhile.flatMap((each) =>
              each.type === 'device-state' ? light(each.device, each.state) : nothing,
            ),
          );
        }
        default:
          return nothing;
      }
    },
    async stop() {
      clearInterval(timer);
    },
  };
}

/** FreePBX writes YES, others 1; a lamp is INUSE or BUSY. */
function isOn(value: string): boolean {
  return !/^(|no|0|off|false|NOT_INUSE|UNKNOWN|INVALID|UNAVAILABLE)$/i.test(value);
}
