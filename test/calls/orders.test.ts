/** What real telephones brought to light: orders in which Asterisk says things now and then, and what it leaves out. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScript } from './script.ts';

let pbx: ReturnType<typeof createScript>;
beforeEach(() => {
  pbx = createScript();
});
afterEach(() => {
  expect(pbx.broken).toEqual([]);
  expect(pbx.invariants.open()).toEqual([]);
});

describe('pickup', () => {
  function ringing() {
    const a = pbx.channel('340', { state: 'ring', exten: '370' });
    const b = pbx.ring(a, '370');
    const c = pbx.channel('320', { state: 'ring', exten: '*8370' });
    pbx.connected(c, '340');
    pbx.state(c, 'up');
    return { a, b, c };
  }

  test('said when both talk already', () => {
    const { a, b, c } = ringing();
    pbx.connected(a, '320');
    c.exten = '';
    pbx.dialed(a, c, 'ANSWER');
    pbx.state(a, 'up');
    pbx.enter(c, 'one');
    pbx.enter(a, 'one');
    pbx.pickup(c, b);
    pbx.hangup(26, b);
    pbx.hangup(16, c, a);
    expect(pbx.of('320')).toEqual(['busy <- 340', 'hangup normal <- 340']);
    expect(pbx.of('370')).toEqual(['ringing <- 340', 'hangup answered-elsewhere <- 340']);
  });

  test('said after the caller has learned whom it got: the line is not the rung telephone’s any more', () => {
    const { a, b, c } = ringing();
    pbx.connected(a, '320');
    expect(pbx.told.at(-1)).toMatchObject({
      type: 'rename',
      view: { other: { number: '320' }, otherDevice: '' },
    });
    pbx.pickup(c, b);
    pbx.dialed(a, c, 'ANSWER');
    pbx.state(a, 'up');
    pbx.hangup(26, b);
    pbx.enter(c, 'one');
    pbx.enter(a, 'one');
    const busy = pbx.told.find(({ type, view }) => type === 'busy' && view.device === 'PJSIP/340');
    expect(busy).toMatchObject({ view: { other: { number: '320' }, otherDevice: 'PJSIP/320' } });
    pbx.hangup(16, c, a);
  });

  test('of a call that was answered in the same moment: the place in the bridge is taken without a BridgeEnter', () => {
    const { a, b, c } = ringing();
    pbx.answer(a, b, 'one');
    pbx.pickup(c, b);
    pbx.connected(a, '320');
    pbx.hangup(26, b);
    pbx.request(c, 16);
    pbx.leave(c, 'one');
    pbx.leave(a, 'one');
    pbx.hangup(16, c, a);
    expect(pbx.of('320')).toEqual(['busy <- 340', 'hangup normal <- 340']);
    expect(pbx.of('340').at(-1)).toBe('hangup normal -> 320');
  });

  test('under way when the feed comes back', () => {
    const { a, b, c } = ringing();
    const listed = (leg: typeof a, application: string) => ({
      ...leg,
      application,
      applicationData: '',
      bridgeId: '',
      seconds: 1,
    });
    pbx.play({
      type: 'snapshot',
      at: 1_700_000_001_000,
      snapshot: {
        channels: [listed(a, 'Dial'), listed(b, 'AppDial'), listed(c, 'Pickup')],
        bridges: [],
        devices: new Map(),
        meanwhile: [],
      },
    });
    expect(pbx.of('320')).toEqual([]);
    pbx.pickup(c, b);
    pbx.dialed(a, c, 'ANSWER');
    pbx.hangup(26, b);
    pbx.state(a, 'up');
    pbx.enter(c, 'one');
    pbx.enter(a, 'one');
    pbx.hangup(16, c, a);
    expect(pbx.of('320')).toEqual(['busy <- 340', 'hangup normal <- 340']);
  });
});

describe('hold', () => {
  test('goes with the one who pressed it: whoever comes after a transfer is on hold', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    pbx.hold(a);
    pbx.blindTransfer(b, a, '320');
    pbx.leave(b, 'one');
    pbx.hangup(16, b);
    pbx.leave(a, 'one');
    a.exten = '320';
    const c = pbx.ring(a, '320');
    pbx.answer(a, c, 'two');
    pbx.unhold(a);
    pbx.hangup(16, a, c);
    expect(pbx.of('320')).toEqual([
      'ringing <- 340 from 370',
      'busy <- 340 from 370',
      'hold remote <- 340 from 370',
      'unhold remote <- 340 from 370',
      'hangup normal <- 340 from 370',
    ]);
    expect(pbx.of('340').filter((line) => line.includes('hold'))).toEqual(['hold -> 370', 'unhold -> 320']);
  });
});

describe('refused by an application', () => {
  test.each([
    ['Busy', 17, 'busy'],
    ['Congestion', 34, 'failed'],
  ] as const)('%s: the telephone asks for the end because it was refused', (application, cause, token) => {
    // COMPAT: Asterisk 16 leaves the cause of the request out.
    for (const requested of [cause, undefined]) {
      const a = pbx.channel('340', { state: 'ring', exten: '604' });
      pbx.application(a, application);
      pbx.state(a, 'busy');
      pbx.request(a, requested);
      pbx.hangup(cause, a);
    }
    expect(pbx.of('340').filter((line) => line.startsWith('hangup'))).toEqual([
      `hangup ${token} -> 604`,
      `hangup ${token} -> 604`,
    ]);
  });
});

describe('click to dial', () => {
  test('to the outside: the trunk bears the caller’s own name, which is no news', () => {
    const a = pbx.channel('340');
    pbx.calls.expect(a.uniqueId, '00301234');
    pbx.connected(a, '340');
    pbx.state(a, 'ringing');
    pbx.state(a, 'up');
    a.exten = '00301234';
    const b = pbx.channel('trunk', { by: a, number: '00301234' });
    b.callerName = 'Anna Müller';
    pbx.connected(b, '4930123456340', 'Anna Müller');
    pbx.dial(a, b);
    pbx.connected(a, '00301234', 'Anna Müller');
    pbx.answer(a, b, 'one');
    pbx.hangup(16, a, b);
    expect(pbx.of('340')).toEqual(['ringing -> 00301234', 'busy -> 00301234', 'hangup normal -> 00301234']);
  });
});

describe('forwarded by the dialplan', () => {
  function forwarded(dialed: string) {
    const a = pbx.channel('340', { state: 'ring', exten: dialed });
    const one = pbx.channel('Local/370@internal-00000001;1', { by: a, exten: '370' });
    const half = { by: a, state: 'ring', exten: '370', number: '340' } as const;
    const two = pbx.channel('Local/370@internal-00000001;2', half);
    // The second half has a thread of its own, which may be faster than the one that dials the first half.
    const b = pbx.ring(two, '370');
    pbx.dial(a, one);
    pbx.connected(a, '370');
    pbx.answer(two, b, 'inner');
    pbx.state(one, 'up');
    pbx.dialed(a, one, 'ANSWER');
    pbx.state(a, 'up');
    pbx.enter(one, 'outer');
    pbx.enter(a, 'outer');
    pbx.hangup(16, a, one, two, b);
    return pbx.of('370');
  }

  test('and the telephone rings before Asterisk has said who dialed the Local channel', () => {
    expect(forwarded('310')).toEqual([
      'ringing <- 340 from 310',
      'busy <- 340 from 310',
      'hangup normal <- 340 from 310',
    ]);
  });

  test('a number that is nobody’s forwards nothing, in that order either', () => {
    expect(forwarded('7370')).toEqual(['ringing <- 340', 'busy <- 340', 'hangup normal <- 340']);
  });
});
