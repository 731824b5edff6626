/**
 * Who wants no calls, as the telephone system knows it: an AstDB family that the dialplan reads, and the device states
 * `Custom:DND<extension>` that FreePBX sets beside it for the lamps of telephones.
 */

import { Failure } from './errors.ts';
import type { Log } from './log.ts';
import type { PbxEvent } from './pbx/events.ts';
import type { Pbx } from './pbx/pbx.ts';

/** What {@link createDoNotDisturb} needs. */
export interface DoNotDisturbOptions {
  readonly pbx: Pick<Pbx, 'dbFamily' | 'dbGet' | 'state'>;
  /** AstDB family, keyed by extension. */
  readonly family: string;
  readonly extensions: () => readonly string[];
  /** Called when it is another one for an extension. */
  readonly onChange: (extension: string) => void;
  /** How often the family is read again: Asterisk tells no changes of the AstDB. Milliseconds. */
  readonly everyMs: number;
  readonly log: Log;
}

/** Do-not-disturb of all extensions. */
export interface DoNotDisturb {
  of(extension: string): boolean;
  /** Takes device states and snapshots in, and reads the family after each snapshot. */
  apply(event: PbxEvent): void;
  /** Reads the family now. Never rejects. */
  refresh(): Promise<void>;
  stop(): void;
}

const device = /^Custom:DND(?<extension>[0-9*#]+)$/;
/** Extensions asked one by one where the family cannot be listed. */
const maxSingle = 2000;
const atOnce = 8;

/** Makes it; nothing is asked before the first snapshot. */
export function createDoNotDisturb(options: DoNotDisturbOptions): DoNotDisturb {
  const { pbx, family, extensions, onChange, everyMs, log } = options;
  let stored = new Set<string>();
  const lit = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let listed = true;
  let reading = false;
  let denied = false;

  const of = (extension: string) => stored.has(extension) || lit.has(extension);

  function light(name: string, state: string): void {
    const extension = device.exec(name)?.groups?.extension;
    if (extension === undefined) return;
    const before = of(extension);
    if (isOn(state)) lit.add(extension);
    else lit.delete(extension);
    if (of(extension) !== before) onChange(extension);
  }

  async function read(): Promise<Set<string>> {
    const entries = listed ? await pbx.dbFamily(family) : undefined;
    if (entries !== undefined)
      return new Set([...entries].filter(([, value]) => isOn(value)).map(([key]) => key));
    listed = false;
    return readSingly();
  }

  async function readSingly(): Promise<Set<string>> {
    const all = extensions();
    if (all.length > maxSingle)
      log.warn(
        { asked: maxSingle, extensions: all.length },
        'do-not-disturb: too many extensions to ask for each',
      );
    const found = new Set<string>();
    const queue = all.slice(0, maxSingle).values();
    const work = async () => {
      for (const extension of queue) {
        const value = await pbx.dbGet(family, extension);
        if (value !== undefined && isOn(value)) found.add(extension);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return found;
  }

  async function refresh(): Promise<void> {
    if (reading || denied) return;
    reading = true;
    try {
      const before = stored;
      stored = await read();
      for (const extension of new Set([...before, ...stored]))
        if (before.has(extension) !== stored.has(extension)) onChange(extension);
    } catch (error) {
      // The adapter has told the operator; asking again would tell it again.
      denied = error instanceof Failure && error.code === 'not-permitted';
      log.info({ reason: String(error) }, 'do-not-disturb cannot be read');
    } finally {
      reading = false;
    }
  }

  return {
    of,
    refresh,
    apply(event) {
      if (event.type === 'device-state') light(event.device, event.state);
      if (event.type !== 'snapshot') return;
      for (const [name, state] of event.snapshot.devices) light(name, state);
      for (const each of event.snapshot.meanwhile)
        if (each.type === 'device-state') light(each.device, each.state);
      denied = false;
      void refresh();
      timer ??= setInterval(() => {
        // Asking for each extension now and then would be more than it is worth.
        if (listed && pbx.state.control) void refresh();
      }, everyMs).unref();
    },
    stop() {
      clearInterval(timer);
    },
  };
}

/** FreePBX writes YES, others 1; a lamp is INUSE. */
function isOn(value: string): boolean {
  return !/^(|no|0|off|false|NOT_INUSE|UNKNOWN|INVALID|UNAVAILABLE)$/i.test(value);
}
