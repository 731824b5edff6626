import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createDirectory } from '../src/directory.ts';
import { createMissedCalls, forgetInMissed } from '../src/missed.ts';
import type { ChannelId, DeviceName } from '../src/pbx/pbx.ts';
import { createNumbers } from '../src/phonebook/numbers.ts';
import type { BareJid } from '../src/protocol/jid.ts';
import type { QueueLeaveChange } from '../src/queues/changes.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { user, view } from './modules/harness.ts';

const numbers = createNumbers('DE', '0');
const silent = pino({ level: 'silent' });

function missedBy(number: string, at: number, queue = "The Queue's & Co."): QueueLeaveChange {
  const id = `PJSIP/trunk-${at}`;
  const call = { channel: id as ChannelId, uniqueId: id, number, name: '', since: at - 5000 };
  return {
    kind: 'queue-leave',
    queue,
    call,
    position: 1,
    reason: 'abandoned',
    member: undefined,
    roster: [],
    at,
  };
}

function desk(store = createMemoryStore(), keep = { count: 3, ageMs: 3_600_000 }) {
  const directory = createDirectory([user('tweber', '340', 'Thomas Weber')]);
  const missed = createMissedCalls({
    store,
    keep,
    directory: () => directory,
    isIn: () => true,
    numbers,
    log: silent,
  });
  const calls = (number: string) =>
    missed.heard([
      {
        kind: 'channel',
        type: 'busy',
        details: '',
        at: 9,
        view: view({ outbound: true, device: 'PJSIP/340' as DeviceName, other: { number, name: '' } }),
      },
    ]);
  return { missed, store, calls };
}

describe('missed calls', () => {
  it('are kept by queue, so many of them', async () => {
    const now = Date.now();
    const { missed } = desk();
    for (let i = 0; i < 5; i++) missed.left(missedBy('+4930123456', now + i));
    missed.left(missedBy('+4930123456', now, 'Other'));
    const found = await missed.find("the queue's & co.", 10, false);
    expect(found.map(({ at }) => at - now)).toEqual([4, 3, 2]);
    expect(await missed.find('Other', 10, false)).toHaveLength(1);
  });

  it('are settled by a call back after a restart, too', async () => {
    const now = Date.now();
    const { store, missed } = desk();
    missed.left(missedBy('+4930123456', now));
    expect(missed.open).toBe(1);
    const later = desk(store);
    await later.missed.start();
    expect(later.missed.open).toBe(1);
    later.calls('0030123456');
    expect(later.missed.open).toBe(0);
    expect(await later.missed.find("The Queue's & Co.", 10, false)).toMatchObject([
      { settledHow: 'callback', settledBy: 'tweber' },
    ]);
    const again = desk(store);
    await again.missed.start();
    expect(again.missed.open).toBe(0);
  });

  it('remember a bounded number that calls could settle', () => {
    const { missed } = desk();
    for (let i = 0; i < 10_050; i++) missed.left(missedBy(`+4930${100_000 + i}`, Date.now() + i));
    expect(missed.open).toBe(10_000);
  });

  it('forget somebody who called, or called back, and stay', async () => {
    const now = Date.now();
    const { store, missed, calls } = desk();
    const own = missedBy('340', now);
    missed.left({
      ...own,
      call: { ...own.call, channel: 'PJSIP/340-00000001' as ChannelId, name: 'Thomas' },
    });
    missed.left(missedBy('+4930123456', now + 1));
    missed.left(missedBy('+4930999', now + 2, 'Other'));
    calls('0030123456');
    const book = store.ledger('missed');
    expect(await forgetInMissed(book, 'mmeyer@example.org' as BareJid)).toBe(0);
    expect(await forgetInMissed(book, 'tweber@example.org' as BareJid)).toBe(2);
    const found = await missed.find("The Queue's & Co.", 10, false);
    expect(found).toMatchObject([
      { number: '+4930123456', settledBy: '', settledHow: 'callback', settledAt: 9 },
      { number: '', name: '', channel: '', waited: 5, reason: 'abandoned' },
    ]);
    expect(JSON.stringify(found)).not.toMatch(/tweber|340|Thomas/);
    expect(await missed.find('Other', 10, false)).toMatchObject([{ number: '+4930999' }]);
    expect(await forgetInMissed(book, 'tweber@example.org' as BareJid)).toBe(0);
  });

  it('of callers without a number are kept, and nobody is expected to call them back', async () => {
    const { missed } = desk();
    missed.left(missedBy('', Date.now()));
    expect(missed.open).toBe(0);
    expect(await missed.find("The Queue's & Co.", 10, true)).toHaveLength(1);
  });
});
