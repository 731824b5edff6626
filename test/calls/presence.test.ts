import { describe, expect, test } from 'vitest';
import type { ChannelView } from '../../src/calls/changes.ts';
import { telephoneState } from '../../src/calls/presence.ts';
import type { DeviceName } from '../../src/pbx/pbx.ts';
import { view } from '../modules/harness.ts';

const desk = 'PJSIP/340' as DeviceName;
const softphone = 'PJSIP/341' as DeviceName;

/** The state of a user whose devices are in these states and have these channels. */
function state(
  devices: Readonly<Record<string, string>>,
  channels: readonly Partial<ChannelView>[] = [],
  doNotDisturb = false,
): string {
  const views = channels.map((changes) => view({ device: desk, ...changes }));
  const calls = {
    deviceState: (device: DeviceName) => devices[device],
    channelsOf: (device: DeviceName) => views.filter((each) => each.device === device),
  };
  return telephoneState([desk, softphone], calls, doNotDisturb);
}

describe('one telephone', () => {
  test.each([
    ['UNAVAILABLE', 'unavailable'],
    ['INVALID', 'unavailable'],
    ['NOT_INUSE', 'free'],
    ['UNKNOWN', 'free'],
    ['RINGING', 'ringing'],
    ['INUSE', 'busy'],
    ['BUSY', 'busy'],
    ['RINGINUSE', 'busy'],
    ['ONHOLD', 'busy'],
  ])('that Asterisk calls %s is %s', (device, expected) => {
    expect(state({ [desk]: device })).toBe(expected);
  });

  test('of which nothing was ever told is not there', () => {
    expect(state({})).toBe('unavailable');
    expect(telephoneState([], { deviceState: () => 'NOT_INUSE', channelsOf: () => [] }, false)).toBe(
      'unavailable',
    );
  });

  test('rings and talks with its channels, before Asterisk says so of the device', () => {
    const idle = { [desk]: 'NOT_INUSE' };
    expect(state(idle, [{ state: 'new' }])).toBe('free');
    expect(state(idle, [{ state: 'ringing' }])).toBe('ringing');
    expect(state(idle, [{ state: 'busy' }])).toBe('busy');
    expect(state(idle, [{ state: 'busy', held: true }])).toBe('busy');
    expect(state(idle, [{ state: 'ended' }])).toBe('free');
  });

  test('is in use as soon as its user dials', () => {
    expect(state({ [desk]: 'INUSE' }, [{ outbound: true, state: 'new' }])).toBe('busy');
    expect(state({ [desk]: 'NOT_INUSE' }, [{ outbound: true, state: 'ringing' }])).toBe('busy');
  });

  test('rings when its user clicked to dial and has not taken it off the hook', () => {
    expect(state({ [desk]: 'RINGING' }, [{ outbound: true, state: 'new' }])).toBe('ringing');
  });

  test('talks although its registration has run out', () => {
    expect(state({ [desk]: 'UNAVAILABLE' }, [{ state: 'busy' }])).toBe('busy');
  });
});

describe('several telephones', () => {
  test('are what the busiest one is', () => {
    expect(state({ [desk]: 'UNAVAILABLE', [softphone]: 'NOT_INUSE' })).toBe('free');
    expect(state({ [desk]: 'RINGING', [softphone]: 'NOT_INUSE' })).toBe('ringing');
    expect(state({ [desk]: 'RINGING', [softphone]: 'INUSE' })).toBe('busy');
    expect(state({ [desk]: 'NOT_INUSE' }, [{ device: softphone, state: 'busy' }])).toBe('busy');
  });
});

describe('do-not-disturb', () => {
  test('shows on a telephone that is there and not in use', () => {
    expect(state({ [desk]: 'NOT_INUSE' }, [], true)).toBe('dnd');
    expect(state({ [desk]: 'RINGING' }, [], true)).toBe('dnd');
  });

  test('does not hide that somebody talks, nor that there is no telephone', () => {
    expect(state({ [desk]: 'INUSE' }, [], true)).toBe('busy');
    expect(state({ [desk]: 'UNAVAILABLE' }, [], true)).toBe('unavailable');
  });
});
