import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { CallChange } from '../src/calls/changes.ts';
import { createIntake, type IntakeLimits } from '../src/intake.ts';
import type { PbxEvent } from '../src/pbx/events.ts';
import type { DeviceName } from '../src/pbx/pbx.ts';
import { idleCalls } from './idle.ts';
import { until } from './servers/until.ts';

const snapshot: PbxEvent = {
  type: 'snapshot',
  at: 1,
  snapshot: { channels: [], bridges: [], devices: new Map(), meanwhile: [] },
};
const shutdown = (at: number): PbxEvent => ({ type: 'shutdown', at, restarts: false });
const change = (name: string): CallChange => ({
  kind: 'device',
  device: name as DeviceName,
  state: 'INUSE',
  at: 1,
});

/** An intake whose snapshots take three slices, and whose clock says that each took longer than it may. */
function slow(limits: Partial<IntakeLimits> = {}, broken = '', isOpen = true) {
  const seen: string[] = [];
  let clock = 0;
  const say = (name: string) => {
    if (name === broken) throw new Error('a defect');
    return [change(name)];
  };
  const intake = createIntake({
    calls: idleCalls({
      apply: (event) => say(`${event.type} ${event.at}`),
      *digest() {
        for (const name of ['one', 'two', 'three']) yield say(name);
      },
    }),
    onChanges: (changes) => seen.push(...changes.map((each) => ('device' in each ? each.device : ''))),
    onTaken: (event, changes) => seen.push(`taken ${event.type}: ${changes.length}`),
    isOpen,
    onLost: () => seen.push('lost'),
    log: pino({ level: 'silent' }),
    monotonic: () => (clock += 100),
    limits,
  });
  return { intake, seen };
}

describe('the intake', () => {
  it('takes events in at once', () => {
    const { intake, seen } = slow();
    intake.take(shutdown(1));
    expect(seen).toEqual(['shutdown 1', 'taken shutdown: 1']);
  });

  it('takes a snapshot in with others in between, and what happens meanwhile after it, in order', async () => {
    const { intake, seen } = slow();
    setImmediate(() => seen.push('somebody else'));
    intake.take(snapshot);
    intake.take(shutdown(2));
    intake.take(shutdown(3));
    expect(seen).toEqual(['one']);
    expect(intake.waiting).toBe(2);
    await until('everything is in', () => seen.includes('taken shutdown: 1') && intake.waiting === 0);
    await until('the last one too', () => seen.filter((each) => each.startsWith('taken')).length === 3);
    expect(seen.filter((each) => each !== 'somebody else')).toEqual([
      ...['one', 'two', 'three', 'taken snapshot: 3'],
      ...['shutdown 2', 'taken shutdown: 1', 'shutdown 3', 'taken shutdown: 1'],
    ]);
    expect(seen.indexOf('somebody else')).toBeLessThan(seen.indexOf('three'));
    intake.take(shutdown(4));
    expect(seen.at(-2)).toBe('shutdown 4');
  });

  it('lets no more wait than it may', () => {
    const { intake, seen } = slow({ waiting: 2 });
    intake.take(snapshot);
    for (const at of [1, 2, 3]) intake.take(shutdown(at));
    expect(intake.waiting).toBe(0);
    expect(seen.filter((each) => each.startsWith('shutdown'))).toEqual([
      'shutdown 1',
      'shutdown 2',
      'shutdown 3',
    ]);
  });

  it('goes on with the next event after a defect', async () => {
    const { intake, seen } = slow({}, 'two');
    intake.take(snapshot);
    intake.take(shutdown(2));
    await until('the event after it is in', () => seen.includes('taken shutdown: 1'));
    expect(seen).toEqual(['one', 'shutdown 2', 'taken shutdown: 1']);
  });

  it('keeps what comes before it is known whose channels count, from the last snapshot on', async () => {
    const { intake, seen } = slow({}, '', false);
    for (const event of [shutdown(1), snapshot, shutdown(2)]) intake.take(event);
    expect(seen).toEqual([]);
    intake.open();
    await until('all is in', () => seen.length === 6);
    expect(seen).toEqual(['one', 'two', 'three', 'taken snapshot: 3', 'shutdown 2', 'taken shutdown: 1']);
    intake.open();
    intake.take(shutdown(3));
    expect(seen.at(-1)).toBe('taken shutdown: 1');
  });

  it('has the state read again where too much happens before', () => {
    const { intake, seen } = slow({ waiting: 3 }, '', false);
    intake.take(snapshot);
    for (const at of [1, 2, 3, 4]) intake.take(shutdown(at));
    expect(intake.waiting).toBe(0);
    intake.open();
    expect(seen).toEqual(['lost']);
    intake.take(shutdown(5));
    expect(seen).toEqual(['lost', 'shutdown 5', 'taken shutdown: 1']);
  });

  it('forgets what waits when it is stopped', async () => {
    const { intake, seen } = slow();
    intake.take(snapshot);
    intake.take(shutdown(2));
    intake.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual(['one']);
    expect(intake.waiting).toBe(0);
  });
});
