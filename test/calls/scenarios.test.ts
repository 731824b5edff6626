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

describe('calls that are not answered', () => {
  test('declined: DialEnd says NOANSWER, the cause tells', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '370' });
    const b = pbx.ring(a, '370');
    pbx.request(b, 21);
    pbx.dialed(a, b, 'NOANSWER');
    pbx.hangup(21, b, a);
    expect(pbx.of('370')).toEqual(['ringing <- 340', 'hangup rejected <- 340']);
    expect(pbx.of('340')).toEqual(['ringing -> 370', 'hangup rejected -> 370']);
  });

  test('the busy application', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '604' });
    pbx.application(a, 'Busy');
    pbx.state(a, 'busy');
    pbx.hangup(17, a);
    expect(pbx.of('340')).toEqual(['ringing -> 604', 'hangup busy -> 604']);
  });

  test('a telephone that refuses before it rings has missed a call; one that was never reached has not', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '2370' });
    const refusing = pbx.channel('370', { by: a });
    const unreached = pbx.channel('370', { by: a });
    pbx.connected(refusing, '340');
    pbx.dial(a, refusing);
    pbx.dial(a, unreached);
    pbx.request(refusing, 17);
    pbx.dialed(a, refusing, 'BUSY');
    pbx.hangup(17, refusing);
    pbx.dialed(a, unreached, 'CHANUNAVAIL');
    pbx.hangup(20, unreached);
    pbx.hangup(17, a);
    expect(pbx.of('370')).toEqual(['ringing <- 340', 'hangup busy <- 340']);
  });
});

describe('transfers', () => {
  test('blind by digits: the transferer holds while it dials', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    pbx.hold(b);
    pbx.blindTransfer(b, a, '320');
    pbx.leave(b, 'one');
    pbx.hangup(16, b);
    a.exten = '320';
    pbx.leave(a, 'one');
    const c = pbx.ring(a, '320');
    pbx.answer(a, c, 'two');
    pbx.hangup(16, a, c);
    expect(pbx.of('340')).toEqual([
      'ringing -> 370',
      'busy -> 370',
      'hold remote -> 370',
      'transfer blind -> 370',
      'unhold remote -> 370',
      'rename -> 320',
      'hangup normal -> 320',
    ]);
    expect(pbx.of('370')).toEqual([
      'ringing <- 340',
      'busy <- 340',
      'hold <- 340',
      'transfer blind <- 340',
      'hangup normal <- 340',
    ]);
    expect(pbx.of('320')).toEqual([
      'ringing <- 340 from 370',
      'busy <- 340 from 370',
      'hangup normal <- 340 from 370',
    ]);
  });

  test('outside to outside', () => {
    const a = pbx.channel('trunk', { state: 'ring', exten: '493012345340', number: '+491' });
    const b = pbx.ring(a, '340');
    pbx.answer(a, b, 'one');
    pbx.blindTransfer(b, a, '0172');
    pbx.leave(b, 'one');
    pbx.hangup(16, b);
    pbx.leave(a, 'one');
    a.exten = '0172';
    const c = pbx.ring(a, 'trunk', { number: '0172' });
    pbx.answer(a, c, 'two');
    pbx.hangup(16, a, c);
    expect(pbx.of('340')).toEqual([
      'ringing <- +491',
      'busy <- +491',
      'transfer blind <- +491',
      'hangup normal <- +491',
    ]);
    expect(pbx.told.every(({ view }) => view.device === 'PJSIP/340')).toBe(true);
    expect(pbx.told.every(({ view }) => view.otherDevice === '')).toBe(true);
  });

  test('both redirected into a conference', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    for (const leg of [a, b]) {
      leg.exten = '800';
      pbx.leave(leg, 'one');
    }
    for (const leg of [b, a]) {
      pbx.application(leg, 'ConfBridge', '800');
      pbx.enter(leg, 'room', { type: 'base' });
    }
    pbx.request(a);
    pbx.leave(a, 'room', 'base');
    pbx.hangup(16, a, b);
    expect(pbx.of('340')).toEqual([
      'ringing -> 370',
      'busy -> 370',
      'rename conference -> 800',
      'hangup normal -> 800',
    ]);
    expect(pbx.of('370')).toEqual([
      'ringing <- 340',
      'busy <- 340',
      'rename conference <- 800',
      'hangup normal <- 800',
    ]);
  });

  test('attended, at a target that still rings (REFER with Replaces)', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    pbx.hold(b);
    const consulting = pbx.channel('370', { state: 'ring', exten: '320' });
    const c = pbx.ring(consulting, '320');
    pbx.unhold(b);
    pbx.leave(a, 'one');
    pbx.attendedTransfer(b, consulting, a, undefined);
    pbx.connected(a, '320');
    pbx.connected(c, '340');
    pbx.leave(b, 'one');
    pbx.hangup(16, consulting, b);
    pbx.state(c, 'up');
    pbx.dialed(a, c, 'ANSWER');
    pbx.enter(c, 'two');
    pbx.enter(a, 'two');
    pbx.request(c, 16);
    pbx.hangup(16, a, c);
    expect(pbx.of('340')).toEqual([
      'ringing -> 370',
      'busy -> 370',
      'hold remote -> 370',
      'unhold remote -> 370',
      'transfer attended -> 370',
      'rename -> 320',
      'hangup normal -> 320',
    ]);
    expect(pbx.of('320')).toEqual([
      'ringing <- 370',
      'transfer attended <- 370',
      'rename <- 340',
      'busy <- 340',
      'hangup normal <- 340',
    ]);
    expect(pbx.of('370').filter((line) => line.includes('320'))).toEqual([
      'ringing -> 320',
      'transfer attended -> 320',
      'hangup normal -> 320',
    ]);
  });

  test('consulting a busy target by Atxfer: back to the first call', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    pbx.hold(b);
    const one = pbx.channel('Local/320@internal-00000001;1', { by: a, exten: '320' });
    const two = pbx.channel('Local/320@internal-00000001;2', {
      by: a,
      state: 'ring',
      exten: '320',
      number: '370',
    });
    pbx.enter(one, 'two');
    pbx.leave(b, 'one');
    pbx.enter(b, 'two');
    const c = pbx.ring(two, '320');
    pbx.connected(b, '320');
    pbx.request(c, 17);
    pbx.dialed(two, c, 'BUSY');
    pbx.hangup(17, c);
    pbx.leave(b, 'two');
    pbx.enter(b, 'one');
    pbx.unhold(b);
    pbx.hangup(17, two, one);
    pbx.connected(b, '340');
    pbx.request(a, 16);
    pbx.hangup(16, a, b);
    expect(pbx.of('370')).toEqual([
      'ringing <- 340',
      'busy <- 340',
      'hold <- 340',
      'rename <- 320',
      'rename <- 340',
      'unhold <- 340',
      'hangup normal <- 340',
    ]);
    expect(pbx.of('320')).toEqual(['ringing <- 370', 'hangup busy <- 370']);
    expect(pbx.of('340').slice(2)).toEqual([
      'hold remote -> 370',
      'unhold remote -> 370',
      'hangup normal -> 370',
    ]);
  });

  test('two calls joined by hand, without a connected line update', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    const [c, d] = pbx.call('320', '310', 'two');
    pbx.leave(a, 'one');
    pbx.enter(a, 'three');
    pbx.leave(c, 'two');
    pbx.enter(c, 'three');
    pbx.leave(b, 'one');
    pbx.leave(d, 'two');
    pbx.hangup(16, b, d);
    expect(pbx.of('340').at(-1)).toBe('rename -> 320');
    expect(pbx.of('320').at(-1)).toBe('rename -> 340');
    pbx.hangup(16, a, c);
  });
});

describe('pickup', () => {
  test('directed: the one who rang ends with cause 26, the one who took it talks to the caller', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '370' });
    const b = pbx.ring(a, '370');
    const c = pbx.channel('320', { state: 'ring', exten: '*8370' });
    pbx.application(c, 'Pickup', '370');
    pbx.connected(c, '340');
    pbx.state(c, 'up');
    pbx.pickup(c, b);
    pbx.hangup(26, b);
    pbx.connected(a, '320');
    c.linkedId = a.linkedId;
    pbx.dialed(a, c, 'ANSWER');
    pbx.state(a, 'up');
    pbx.enter(c, 'one');
    pbx.enter(a, 'one');
    pbx.request(a, 16);
    pbx.hangup(16, a, c);
    expect(pbx.of('370')).toEqual(['ringing <- 340', 'hangup answered-elsewhere <- 340']);
    expect(pbx.of('340')).toEqual(['ringing -> 370', 'rename -> 320', 'busy -> 320', 'hangup normal -> 320']);
    expect(pbx.of('320')).toEqual(['busy <- 340', 'hangup normal <- 340']);
    expect(pbx.pickups).toEqual(['PJSIP/370 ringing', 'PJSIP/370 gone']);
  });
});

describe('a consultation that comes to nothing', () => {
  test.each([
    ['before', 3, 'unreachable'],
    ['after', 17, 'busy'],
    ['after', 16, ''],
  ] as const)('is told with the way back: known %s the user is there, cause %d', (when, cause, why) => {
    const [a, b] = pbx.call('340', '370', 'first');
    pbx.hold(b);
    const one = pbx.channel('Local/310@internal-1;1', { by: b });
    const two = pbx.channel('Local/310@internal-1;2', { by: b, state: 'ring', exten: '310' });
    pbx.enter(one, 'second');
    if (when === 'before') pbx.request(one, cause);
    pbx.leave(b, 'first');
    pbx.enter(b, 'second');
    if (when === 'after') pbx.request(one, cause);
    pbx.hangup(cause, two);
    pbx.leave(one, 'second');
    pbx.leave(b, 'second');
    pbx.enter(b, 'first');
    pbx.unhold(b);
    pbx.hangup(cause, one);
    expect(pbx.of('370').slice(2)).toEqual(['hold <- 340', `unhold${why === '' ? '' : ` ${why}`} <- 340`]);
    expect(pbx.of('340').slice(2)).toEqual(['hold remote -> 370', 'unhold remote -> 370']);
    // The next hold is another.
    pbx.hold(b);
    pbx.unhold(b);
    expect(pbx.of('370').at(-1)).toBe('unhold <- 340');
    pbx.hangup(16, a, b);
  });
});

describe('pickup by command', () => {
  /** 340 rings 370, and 320 is rung to take that call. */
  function taking(source: '340' | 'PJSIP/trunk' = '340') {
    const a = pbx.channel(source, { state: 'ring', exten: '370', number: '340' });
    const b = pbx.ring(a, '370');
    pbx.calls.takes('taker', b.name);
    const c: typeof a = {
      ...a,
      name: 'PJSIP/320-000000c0' as typeof a.name,
      uniqueId: 'taker',
      linkedId: 'taker',
    };
    Object.assign(c, { state: 'down', callerNumber: '320', callerName: 'Carla Österreich', exten: 's' });
    Object.assign(c, { connectedNumber: '320', connectedName: 'Carla Österreich' });
    pbx.play({ type: 'channel-new', at: 1, channel: { ...c } });
    pbx.dial(undefined, c);
    pbx.state(c, 'ringing');
    return { a, b, c };
  }

  test('the one who is rung to take the call is called, from the first', () => {
    const { a, b, c } = taking();
    expect(pbx.of('320')).toEqual(['ringing <- 340']);
    const [{ view } = { view: undefined }] = pbx.told.filter((each) => each.view.uniqueId === 'taker');
    expect(view).toMatchObject({ takes: true, refChannel: a.name, otherDevice: 'PJSIP/340' });
    // Nobody can pick up what is about to take a call.
    expect(pbx.pickups).toEqual(['PJSIP/370 ringing']);
    pbx.state(c, 'up');
    pbx.dialed(undefined, c, 'ANSWER');
    const answered = { success: true, uniqueId: 'taker', channel: c.name, reason: 4 } as const;
    pbx.play({ type: 'originate-response', at: 2, application: 'PickupChan', ...answered });
    pbx.connected(c, '340');
    pbx.pickup(c, b);
    expect(pbx.calls.channel(c.name)).toMatchObject({ takes: false });
    pbx.hangup(26, b);
    pbx.connected(a, '320');
    c.linkedId = a.linkedId;
    pbx.dialed(a, c, 'ANSWER');
    pbx.state(a, 'up');
    pbx.enter(c, 'one');
    pbx.enter(a, 'one');
    pbx.request(a, 16);
    pbx.hangup(16, a, c);
    expect(pbx.of('320')).toEqual(['ringing <- 340', 'busy <- 340', 'hangup normal <- 340']);
    expect(pbx.of('370')).toEqual(['ringing <- 340', 'hangup answered-elsewhere <- 340']);
    expect(pbx.of('340')).toEqual(['ringing -> 370', 'rename -> 320', 'busy -> 320', 'hangup normal -> 320']);
  });

  test('a caller from outside who claims to be one of ours is not believed', () => {
    const { a, b, c } = taking('PJSIP/trunk');
    const [{ view } = { view: undefined }] = pbx.told.filter((each) => each.view.uniqueId === 'taker');
    expect(view).toMatchObject({ other: { number: '340' }, otherDevice: '', refChannel: a.name });
    pbx.hangup(16, a, b, c);
  });

  test.each([
    ['cancelled', 16, undefined],
    ['answered-elsewhere', 26, undefined],
    ['noanswer', 0, undefined],
    ['rejected', 21, 21],
  ] as const)('what ends before it is taken ends %s', (token, cause, requested) => {
    const { a, b, c } = taking();
    if (requested !== undefined) pbx.request(c, requested);
    pbx.hangup(cause, c);
    pbx.hangup(16, a, b);
    expect(pbx.of('320')).toEqual(['ringing <- 340', `hangup ${token} <- 340`]);
  });
});

describe('originated calls', () => {
  test('with the own caller ID: the target is told as soon as it is dialled, the callee sees the caller', () => {
    const a = pbx.channel('340');
    pbx.connected(a, '340');
    pbx.dial(undefined, a);
    pbx.state(a, 'ringing');
    pbx.state(a, 'up');
    pbx.dialed(undefined, a, 'ANSWER');
    a.exten = '370';
    const b = pbx.ring(a, '370');
    pbx.answer(a, b, 'one');
    pbx.hangup(16, a, b);
    expect(pbx.of('340')).toEqual(['ringing -> ', 'rename -> 370', 'busy -> 370', 'hangup normal -> 370']);
    expect(pbx.of('370')).toEqual(['ringing <- 340', 'busy <- 340', 'hangup normal <- 340']);
  });

  test('whoever originated knows the target before', () => {
    pbx.calls.expect('lab-1.1', '370');
    const a = pbx.channel('340');
    pbx.state(a, 'ringing');
    pbx.hangup(0, a);
    expect(pbx.of('340')).toEqual(['ringing -> 370', 'hangup noanswer -> 370']);
  });

  test('the target is learned while the own telephone rings', () => {
    const a = pbx.channel('340');
    pbx.state(a, 'ringing');
    pbx.calls.expect(a.uniqueId, '370');
    pbx.hangup(0, a);
    expect(pbx.of('340')).toEqual(['ringing -> ', 'rename -> 370', 'hangup noanswer -> 370']);
  });

  test('the own telephone declines', () => {
    const a = pbx.channel('340');
    pbx.dial(undefined, a);
    pbx.state(a, 'ringing');
    pbx.request(a, 21);
    pbx.hangup(21, a);
    expect(pbx.of('340')).toEqual(['ringing -> ', 'hangup rejected -> ']);
  });

  test('through a Local channel, optimized away', () => {
    const one = pbx.channel('Local/340@internal-00000001;1');
    const two = pbx.channel('Local/340@internal-00000001;2', { state: 'ring', exten: '340', by: one });
    pbx.dial(undefined, one);
    const a = pbx.ring(two, '340');
    pbx.state(one, 'ringing');
    pbx.answer(two, a, 'inner');
    pbx.state(one, 'up');
    one.exten = '370';
    const b = pbx.ring(one, '370');
    pbx.answer(one, b, 'outer');
    pbx.leave(a, 'inner');
    pbx.leave(one, 'outer');
    pbx.enter(a, 'outer', { swaps: one.uniqueId });
    pbx.leave(two, 'inner');
    pbx.hangup(16, one, two);
    pbx.connected(a, '370');
    pbx.hangup(16, a, b);
    expect(pbx.of('340')).toEqual(['ringing -> ', 'rename -> 370', 'busy -> 370', 'hangup normal -> 370']);
    // The Local channel had no number to show; who calls is known when they talk.
    expect(pbx.of('370')).toEqual(['ringing <- ', 'rename <- 340', 'busy <- 340', 'hangup normal <- 340']);
  });
});

describe('several telephones', () => {
  test('a group: the losers hear that somebody else answered, the caller who', () => {
    const a = pbx.channel('310', { state: 'ring', exten: '390' });
    const legs = ['340', '370', '320'].map((device) => {
      const dest = pbx.channel(device, { by: a });
      pbx.connected(dest, '310');
      pbx.dial(a, dest);
      return dest;
    });
    const [one, two, three] = legs;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three were made');
    for (const leg of legs) {
      pbx.state(leg, 'ringing');
      pbx.alert(a, leg);
    }
    pbx.state(two, 'up');
    pbx.dialed(a, one, 'CANCEL');
    pbx.dialed(a, two, 'ANSWER');
    pbx.dialed(a, three, 'CANCEL');
    pbx.hangup(26, one, three);
    pbx.connected(a, '370');
    pbx.state(a, 'up');
    pbx.enter(two, 'one');
    pbx.enter(a, 'one');
    pbx.hangup(16, a, two);
    expect(pbx.of('310')).toEqual(['ringing -> 390', 'rename -> 370', 'busy -> 370', 'hangup normal -> 370']);
    expect(pbx.of('340')).toEqual(['ringing <- 310', 'hangup answered-elsewhere <- 310']);
    expect(pbx.of('320')).toEqual(['ringing <- 310', 'hangup answered-elsewhere <- 310']);
    expect(pbx.of('370')).toEqual(['ringing <- 310', 'busy <- 310', 'hangup normal <- 310']);
  });

  test('two contacts of one user are two channels, and one call to pick up', () => {
    const a = pbx.channel('370', { state: 'ring', exten: '2340' });
    const desk = pbx.ring(a, '340');
    const soft = pbx.ring(a, '340');
    pbx.dialed(a, soft, 'CANCEL');
    pbx.answer(a, desk, 'one');
    pbx.hangup(26, soft);
    pbx.hangup(16, a, desk);
    expect(pbx.pickups).toEqual(['PJSIP/340 ringing', 'PJSIP/340 gone']);
    expect(pbx.of('340').filter((line) => line.startsWith('hangup'))).toEqual([
      'hangup answered-elsewhere <- 370',
      'hangup normal <- 370',
    ]);
  });

  test('a queue rings all: its name while it rings and during the call', () => {
    const a = pbx.channel('trunk', { state: 'ring', exten: '500', number: '+491' });
    pbx.state(a, 'up');
    pbx.queue('queue-join', a, 'Support');
    const [one, two] = ['340', '370'].map((device) => {
      const dest = pbx.channel(device, { by: a });
      dest.connectedNumber = '+491';
      // The telephone rings before the queue says that it rings it.
      pbx.state(dest, 'ringing');
      pbx.dial(a, dest);
      pbx.alert(a, dest);
      return dest;
    });
    if (one === undefined || two === undefined) throw new Error('two were made');
    pbx.state(one, 'up');
    pbx.dialed(a, two, 'CANCEL');
    pbx.dialed(a, two, 'CANCEL');
    pbx.dialed(a, one, 'ANSWER');
    pbx.queue('queue-leave', a, 'Support');
    pbx.hangup(26, two);
    pbx.enter(one, 'one');
    pbx.enter(a, 'one');
    pbx.hangup(16, a, one);
    expect(pbx.of('340')).toEqual([
      'ringing Support <- +491',
      'busy Support <- +491',
      'hangup normal <- +491',
    ]);
    expect(pbx.of('370')).toEqual(['ringing Support <- +491', 'hangup answered-elsewhere <- +491']);
  });
});

describe('forwarding', () => {
  test('by the telephone (302)', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '310' });
    const b = pbx.ring(a, '310');
    pbx.dialed(a, b, 'CANCEL', '370');
    pbx.hangup(23, b);
    const one = pbx.channel('Local/370@internal-00000001;1', { by: a, exten: '370' });
    const two = pbx.channel('Local/370@internal-00000001;2', {
      by: a,
      state: 'ring',
      exten: '370',
      number: '340',
    });
    pbx.dial(a, one);
    const c = pbx.ring(two, '370');
    pbx.connected(a, '370');
    pbx.answer(two, c, 'inner');
    pbx.state(one, 'up');
    pbx.dialed(a, one, 'ANSWER');
    pbx.state(a, 'up');
    pbx.enter(one, 'outer');
    pbx.enter(a, 'outer');
    pbx.hangup(16, a, one, two, c);
    expect(pbx.of('310')).toEqual(['ringing <- 340', 'redirect <- 340', 'hangup redirected <- 340']);
    expect(pbx.of('340')).toEqual(['ringing -> 310', 'rename -> 370', 'busy -> 370', 'hangup normal -> 370']);
    expect(pbx.of('370')).toEqual([
      'ringing <- 340 from 310',
      'busy <- 340 from 310',
      'hangup normal <- 340 from 310',
    ]);
  });

  test('Local channels that stay for the whole call (/n)', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '6370' });
    const one = pbx.channel('Local/370@internal-00000001;1', { by: a, exten: '370' });
    const two = pbx.channel('Local/370@internal-00000001;2', {
      by: a,
      state: 'ring',
      exten: '370',
      number: '340',
    });
    pbx.dial(a, one);
    const b = pbx.ring(two, '370');
    pbx.connected(a, '370');
    pbx.answer(two, b, 'inner');
    pbx.state(one, 'up');
    pbx.dialed(a, one, 'ANSWER');
    pbx.state(a, 'up');
    expect(pbx.of('370')).toEqual(['ringing <- 340']);
    pbx.enter(one, 'outer');
    pbx.enter(a, 'outer');
    pbx.hold(a);
    pbx.unhold(a);
    pbx.request(b, 16);
    pbx.hangup(16, b, two, one, a);
    expect(pbx.of('340')).toEqual([
      'ringing -> 370',
      'busy -> 370',
      'hold -> 370',
      'unhold -> 370',
      'hangup normal -> 370',
    ]);
    expect(pbx.of('370')).toEqual([
      'ringing <- 340',
      'busy <- 340',
      'hold remote <- 340',
      'unhold remote <- 340',
      'hangup normal <- 340',
    ]);
    expect(pbx.told.some(({ view }) => view.refChannel.startsWith('Local/'))).toBe(false);
  });
});

describe('services and parking', () => {
  test('a parked call that nobody fetches rings back', () => {
    const [a, b] = pbx.call('340', '370', 'one');
    pbx.park('parked', a, 'PJSIP/370');
    pbx.leave(a, 'one');
    pbx.enter(a, 'lot', { type: 'parking' });
    pbx.request(b, 16);
    pbx.hangup(16, b);
    pbx.park('park-timeout', a, 'PJSIP/370');
    pbx.leave(a, 'lot', 'parking');
    a.exten = 'PJSIP_370';
    const c = pbx.ring(a, '370');
    pbx.answer(a, c, 'two');
    pbx.hangup(16, a, c);
    expect(pbx.of('340')).toEqual(['ringing -> 370', 'busy -> 370', 'hangup normal -> 370']);
    expect(pbx.of('370').slice(3)).toEqual(['ringing <- 340', 'busy <- 340', 'hangup normal <- 340']);
  });

  test('no answer, then the voicemail: a feed that tells applications, and one that does not', () => {
    for (const named of [true, false]) {
      const a = pbx.channel('340', { state: 'ring', exten: '9370' });
      if (named) pbx.application(a, 'Dial', 'PJSIP/370');
      const b = pbx.ring(a, '370');
      pbx.dialed(a, b, 'NOANSWER');
      pbx.hangup(0, b);
      if (named) pbx.application(a, 'VoiceMail', '370');
      pbx.state(a, 'up');
      pbx.request(a, 16);
      pbx.hangup(16, a);
    }
    expect(pbx.of('340')).toEqual([
      'ringing -> 370',
      'busy mailbox -> 370',
      'hangup normal -> 370',
      'ringing -> 370',
      'busy service -> 370',
      'hangup normal -> 370',
    ]);
  });

  test('an answered caller is not busy until it is known with whom', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '501' });
    pbx.application(a, 'Answer');
    pbx.state(a, 'up');
    expect(pbx.of('340')).toEqual([]);
    pbx.application(a, 'Playback', 'welcome');
    pbx.application(a, 'Queue', 'Sales');
    pbx.queue('queue-join', a, 'Sales');
    const b = pbx.ring(a, '370');
    pbx.answer(a, b, 'one');
    pbx.hangup(16, a, b);
    expect(pbx.of('340')).toEqual([
      'busy announcement -> 501',
      'rename queue -> 501',
      'rename -> 370',
      'hangup normal -> 370',
    ]);
  });

  test('another technology is another name', () => {
    const a = pbx.channel('SIP/340', { state: 'ring', exten: '370', number: '340' });
    const b = pbx.ring(a, 'SCCP/370', { number: '370' });
    pbx.answer(a, b, 'one');
    pbx.hangup(16, a, b);
    expect(pbx.told.map(({ type, view }) => `${view.device} ${type}`)).toEqual([
      'SIP/340 ringing',
      'SCCP/370 ringing',
      'SIP/340 busy',
      'SCCP/370 busy',
      'SIP/340 hangup',
      'SCCP/370 hangup',
    ]);
  });
});

describe('what was missed', () => {
  test('a channel whose name is given to another one has ended unheard', () => {
    const a = pbx.channel('340', { state: 'ring', exten: '370' });
    const b = pbx.ring(a, '370');
    const namesake = {
      ...b,
      uniqueId: 'lab-2.1',
      linkedId: 'lab-2.1',
      state: 'ring' as const,
      connectedNumber: '',
      connectedName: '',
      exten: '320',
    };
    pbx.play({ type: 'channel-new', at: 1_700_000_001_000, channel: namesake });
    pbx.hangup(0, namesake, a);
    expect(pbx.of('370')).toEqual([
      'ringing <- 340',
      'hangup unknown <- 340',
      'ringing -> 320',
      'hangup failed -> 320',
    ]);
    expect(pbx.calls.channels()).toEqual([]);
  });
});
