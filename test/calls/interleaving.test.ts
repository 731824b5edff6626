import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createInvariants } from '../../src/calls/invariants.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import { officeCalls } from './office.ts';
import { recordings } from './recordings.ts';

/** What every user hears of every channel, but for names and transfers, which Asterisk tells in one order or the other. */
function heard(events: readonly PbxEvent[]): {
  told: Map<string, string[]>;
  broken: string[];
  open: readonly string[];
} {
  const calls = officeCalls();
  const invariants = createInvariants();
  const told = new Map<string, string[]>();
  const broken: string[] = [];
  for (const event of events) {
    for (const change of calls.apply(event)) {
      broken.push(...invariants.check(change));
      if (change.kind !== 'channel' || change.type === 'rename' || change.type === 'transfer') continue;
      const { channel, outbound } = change.view;
      const line = `${change.type} ${change.details} ${outbound ? '->' : '<-'}`;
      told.set(channel, [...(told.get(channel) ?? []), line]);
    }
  }
  return { told, broken, open: invariants.open() };
}

/** The channel that an event is about, where it is one. */
function subject(event: PbxEvent): string {
  return 'channel' in event && typeof event.channel === 'object' ? event.channel.uniqueId : '';
}

/** The channels that take part in a dial or a transfer. */
function parties(event: PbxEvent): string[] {
  if ('dest' in event) return [event.dest.uniqueId];
  if (event.type === 'blind-transfer') return [event.transferer.uniqueId, event.transferee?.uniqueId ?? ''];
  return [];
}

const ofOneChannel = new Set<PbxEvent['type']>([
  'channel-update',
  'hangup',
  'hangup-request',
  'bridge-leave',
]);

/** Whether Asterisk is free to send these two, which follow each other, the other way round. */
function mayChange(a: PbxEvent, b: PbxEvent): boolean {
  const types = new Set([a.type, b.type]);
  const has = (...wanted: PbxEvent['type'][]) => wanted.every((type) => types.has(type));
  if (types.has('device-state') || types.has('message-waiting')) return true;
  if (has('hangup') && types.size === 1) return true;
  if (has('bridge-leave', 'hangup')) return subject(a) !== subject(b);
  if (has('bridge-leave') && types.size === 1) return true;
  // A telephone's own ringing against what the Dial on its caller says of it.
  const update = a.type === 'channel-update' ? a : b.type === 'channel-update' ? b : undefined;
  const other = update === a ? b : a;
  if (update !== undefined && (other.type === 'dial-begin' || other.type === 'dial-state')) {
    return update.channel.state !== 'up' && parties(other).includes(subject(update));
  }
  if (has('attended-transfer', 'channel-update') || has('agent-called', 'dial-begin')) return true;
  if (has('agent-called', 'channel-update')) return true;
  if (has('blind-transfer', 'bridge-leave')) return true;
  if (has('conference-join', 'bridge-enter')) return true;
  if (has('conference-leave', 'bridge-leave') || has('conference-leave', 'hangup')) return true;
  if (ofOneChannel.has(a.type) && ofOneChannel.has(b.type)) return false;
  return false;
}

const noise: PbxEvent[] = [
  { type: 'message-waiting', at: 1, mailbox: '340@default', newMessages: 1, oldMessages: 0 },
  { type: 'bridge-destroy', at: 1, bridge: { id: 'never-seen', type: 'basic', size: 0 } },
  { type: 'shutdown', at: 1, restarts: false },
  { type: 'feed-down', at: 1 },
];

interface Disturbance {
  readonly at: number;
  readonly how: 'swap' | 'repeat' | 'noise';
}

function disturb(events: readonly PbxEvent[], disturbances: readonly Disturbance[]): PbxEvent[] {
  const out = [...events];
  for (const { at, how } of disturbances) {
    const index = at % out.length;
    const [a, b] = [out[index], out[index + 1]];
    if (a === undefined) continue;
    if (how === 'repeat') out.splice(index, 0, a);
    else if (how === 'noise')
      out.splice(index, 0, ...noise.slice(at % noise.length, (at % noise.length) + 1));
    else if (b !== undefined && mayChange(a, b)) out.splice(index, 2, b, a);
  }
  return out;
}

const withCalls = recordings.filter(({ events }) => events().some(({ type }) => type === 'channel-new'));

describe.each(withCalls)('$name in any order', ({ events }) => {
  const all = events();
  const undisturbed = heard(all);

  test('says the same to everybody', () => {
    const disturbance = fc.record({
      at: fc.nat(all.length * 2),
      how: fc.constantFrom<Disturbance['how']>('swap', 'swap', 'swap', 'repeat', 'noise'),
    });
    fc.assert(
      fc.property(fc.array(disturbance, { maxLength: 120 }), (disturbances) => {
        const { told, broken, open } = heard(disturb(all, disturbances));
        expect({ told, broken, open }).toEqual({ told: undisturbed.told, broken: [], open: [] });
      }),
      { numRuns: 150 },
    );
  });

  test('keeps every promise also where events are lost, repeated late, or in an order that never happens', () => {
    const accident = fc.record({
      at: fc.nat(all.length * 2),
      how: fc.constantFrom<'swap' | 'lose' | 'repeat'>('swap', 'lose', 'repeat'),
      by: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(accident, { maxLength: 60 }), (accidents) => {
        const events = [...all];
        for (const { at, how, by } of accidents) {
          const index = at % events.length;
          const [event] = how === 'repeat' ? events.slice(index, index + 1) : events.splice(index, 1);
          if (event !== undefined && how !== 'lose')
            events.splice(Math.min(events.length, index + by), 0, event);
          if (events.length === 0) return;
        }
        const idle = { channels: [], bridges: [], devices: new Map(), meanwhile: [] };
        const { broken, open } = heard([
          ...events,
          { type: 'snapshot', at: Number.MAX_SAFE_INTEGER, snapshot: idle },
        ]);
        expect({ broken, open }).toEqual({ broken: [], open: [] });
      }),
      { numRuns: 60 },
    );
  });
});
