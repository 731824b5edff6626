/** A bridge with real adapters that are never started: what there is to be measured, at rest. */

import { pino } from 'pino';
import { createBridge } from '../../src/bridge.ts';
import { callsOf } from '../../src/directory/calls.ts';
import { emptyDirectory } from '../../src/directory.ts';
import { modules } from '../../src/modules/index.ts';
import type { Measured } from '../../src/ops/metrics.ts';
import { createAsterisk } from '../../src/pbx/asterisk.ts';
import type { PbxId } from '../../src/pbx/pbx.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createComponent } from '../../src/xmpp/component.ts';
import { defaultLimits } from '../../src/xmpp/limits.ts';
import { deflectionsOver, fixed, idlePresence, placesOver } from '../idle.ts';
import { journal, phonebook, settings } from '../settings.ts';

/** Makes one. */
export function unstarted(): Measured {
  const log = pino({ level: 'silent' });
  const account = { username: 'feed', secret: 'secret' };
  const pbx = createAsterisk({
    id: 'main' as PbxId,
    host: '127.0.0.1',
    port: 5038,
    control: account,
    feed: account,
    actionTimeoutMs: 1000,
    clock: Date,
    log,
  });
  const xmpp = createComponent({ service: 'xmpp://127.0.0.1', domain: 'pbx.example.org', secret: 's', log });
  const store = createMemoryStore();
  const limits = {
    sessions: 10,
    perUser: 10,
    subscriptions: 10,
    perSecond: 10,
    burst: 10,
    inFlight: 10,
    commandMs: 1000,
    graceMs: 1000,
    pingEveryMs: 1000,
    pingsPerSecond: 10,
  };
  const bridge = createBridge({
    modules,
    xmpp,
    pbx,
    store,
    presence: idlePresence(),
    deflections: deflectionsOver(pbx, () => emptyDirectory),
    places: placesOver(fixed(emptyDirectory), pbx),
    audit: () => {},
    webhook: async () => {},
    askPresence: false,
    limits,
    log,
    calls: callsOf(() => emptyDirectory),
    directory: {
      current: emptyDirectory,
      onChange: () => () => {},
      start: async () => {},
      stop: async () => {},
    },
    domains: ['example.org'],
    journal,
    phonebook,
    settings,
    now: Date.now,
    monotonic: () => performance.now(),
  });
  return { xmpp, pbx, store, bridge, presence: idlePresence(), limits, xmppLimits: defaultLimits };
}
