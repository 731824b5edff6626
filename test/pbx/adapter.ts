/** The adapter under test with the times that tests want. */
import { pino } from 'pino';
import { type AsteriskOptions, createAsterisk } from '../../src/pbx/asterisk.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { Pbx, PbxId } from '../../src/pbx/pbx.ts';
import { secret } from './wire.ts';

export interface Adapter extends Pbx {
  /** What came over the event road so far. */
  readonly events: readonly PbxEvent[];
  /** Every line it logged. */
  readonly logged: readonly string[];
}

/** Makes one; nothing is started. */
export function adapter(port: number, options: Partial<AsteriskOptions> = {}): Adapter {
  const events: PbxEvent[] = [];
  const logged: string[] = [];
  const pbx = createAsterisk({
    id: 'main' as PbxId,
    host: '127.0.0.1',
    port,
    control: { username: 'control', secret },
    feed: { username: 'feed', secret },
    actionTimeoutMs: 5000,
    log: pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) }),
    clock: Date,
    ...options,
    limits: { reconnectMinMs: 20, reconnectMaxMs: 100, ...options.limits },
  });
  pbx.onEvent((event) => void events.push(event));
  return Object.defineProperties(pbx as Pbx as Adapter, {
    events: { value: events },
    logged: { value: logged },
  });
}
