/** A telephone system to be played by hand: says what Asterisk says, for sequences that no recording holds. */

import type { ChannelChange } from '../../src/calls/changes.ts';
import { createInvariants } from '../../src/calls/invariants.ts';
import type { Bridge, Channel, ChannelState, PbxEvent } from '../../src/pbx/events.ts';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import { officeCalls } from './office.ts';

const names: Readonly<Record<string, string>> = {
  '340': 'Anna Müller',
  '370': 'Bernd Schmidt',
  '320': 'Carla Österreich',
  '330': 'Dora Forward',
  '310': 'Emil Extra',
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Leg = Mutable<Channel>;

/** What a new channel is like; the rest follows from its name. */
interface Particulars {
  readonly state?: ChannelState;
  readonly exten?: string;
  /** The channel whose Dial made it. */
  readonly by?: Leg;
  readonly number?: string;
}

/** Plays events into a model of the office and keeps what it tells. */
export function createScript() {
  const calls = officeCalls();
  const invariants = createInvariants();
  const told: ChannelChange[] = [];
  const pickups: string[] = [];
  const broken: string[] = [];
  const sizes = new Map<string, number>();
  let ids = 0;
  let at = 1_700_000_000_000;

  function play(event: PbxEvent): void {
    for (const change of calls.apply(event)) {
      broken.push(...invariants.check(change));
      if (change.kind === 'channel') told.push(change);
      if (change.kind === 'pickup') pickups.push(`${change.device} ${change.type}`);
    }
  }
  const now = () => ({ at: ++at });
  const copy = (leg: Leg): Channel => ({ ...leg });
  const bridge = (id: string, type: string): Bridge => ({ id, type, size: sizes.get(id) ?? 0 });

  const script = {
    calls,
    told,
    pickups,
    broken,
    invariants,
    play,
    /** A channel of a device: `340` is PJSIP/340; names with a slash are taken as they are. */
    channel(device: string, { state = 'down', exten = 's', by, number }: Particulars = {}): Leg {
      ids += 1;
      const technology = device.includes('/') ? device : `PJSIP/${device}`;
      const name = technology.includes(';') ? technology : `${technology}-${String(ids).padStart(8, '0')}`;
      const uniqueId = `lab-1.${ids}`;
      const own = number ?? (names[device] === undefined ? '' : device);
      const leg: Leg = {
        name: name as ChannelId,
        uniqueId,
        linkedId: by?.linkedId ?? uniqueId,
        state,
        callerNumber: own,
        callerName: names[own] ?? '',
        connectedNumber: '',
        connectedName: '',
        context: 'internal',
        exten,
      };
      play({ type: 'channel-new', ...now(), channel: copy(leg) });
      return leg;
    },
    state(leg: Leg, state: ChannelState) {
      leg.state = state;
      play({ type: 'channel-update', ...now(), channel: copy(leg) });
    },
    connected(leg: Leg, number: string, name = names[number] ?? '') {
      leg.connectedNumber = number;
      leg.connectedName = name;
      play({ type: 'channel-update', ...now(), channel: copy(leg) });
    },
    application(leg: Leg, application: string, data = '') {
      play({ type: 'application', ...now(), channel: copy(leg), application, data });
    },
    dial(caller: Leg | undefined, dest: Leg) {
      const from = caller === undefined ? undefined : copy(caller);
      play({ type: 'dial-begin', ...now(), caller: from, dest: copy(dest), dialString: '' });
    },
    alert(caller: Leg, dest: Leg) {
      play({ type: 'dial-state', ...now(), caller: copy(caller), dest: copy(dest), status: 'RINGING' });
    },
    dialed(caller: Leg | undefined, dest: Leg, status: string, forward = '') {
      const from = caller === undefined ? undefined : copy(caller);
      play({ type: 'dial-end', ...now(), caller: from, dest: copy(dest), status, forward });
    },
    enter(leg: Leg, id: string, { type = 'basic', swaps = '' } = {}) {
      sizes.set(id, (sizes.get(id) ?? 0) + 1);
      play({ type: 'bridge-enter', ...now(), channel: copy(leg), bridge: bridge(id, type), swaps });
    },
    leave(leg: Leg, id: string, type = 'basic') {
      sizes.set(id, (sizes.get(id) ?? 1) - 1);
      play({ type: 'bridge-leave', ...now(), channel: copy(leg), bridge: bridge(id, type) });
    },
    hold(leg: Leg) {
      play({ type: 'hold', ...now(), channel: copy(leg) });
    },
    unhold(leg: Leg) {
      play({ type: 'unhold', ...now(), channel: copy(leg) });
    },
    request(leg: Leg, cause?: number) {
      play({ type: 'hangup-request', ...now(), channel: copy(leg), cause });
    },
    hangup(cause: number, ...legs: Leg[]) {
      for (const leg of legs) play({ type: 'hangup', ...now(), channel: copy(leg), cause });
    },
    blindTransfer(transferer: Leg, transferee: Leg, exten: string) {
      const parties = { transferer: copy(transferer), transferee: copy(transferee) };
      play({ type: 'blind-transfer', ...now(), ...parties, exten, success: true });
    },
    attendedTransfer(first: Leg, second: Leg, transferee: Leg, target: Leg | undefined) {
      play({
        type: 'attended-transfer',
        ...now(),
        first: copy(first),
        second: copy(second),
        transferee: copy(transferee),
        target: target === undefined ? undefined : copy(target),
        success: true,
      });
    },
    pickup(taker: Leg, target: Leg) {
      play({ type: 'pickup', ...now(), channel: copy(taker), target: copy(target) });
    },
    queue(type: 'queue-join' | 'queue-leave', caller: Leg, queue: string) {
      play({ type, ...now(), channel: copy(caller), queue, position: 1, count: 1 });
    },
    park(type: 'parked' | 'park-timeout', parkee: Leg, parker: string) {
      const place = { lot: 'default', space: '701', timeout: 60 };
      play({ type, ...now(), parkee: copy(parkee), parker, retriever: undefined, ...place });
    },

    /** One telephone rings another, up to where it rings. */
    ring(caller: Leg, device: string, particulars: Particulars = {}): Leg {
      const dest = script.channel(device, { by: caller, ...particulars });
      dest.exten = caller.exten;
      script.connected(dest, caller.callerNumber, caller.callerName);
      script.dial(caller, dest);
      script.connected(caller, dest.callerNumber, dest.callerName);
      script.state(dest, 'ringing');
      script.alert(caller, dest);
      return dest;
    },
    /** The rung telephone answers, and both meet in a bridge. */
    answer(caller: Leg, dest: Leg, id: string) {
      script.state(dest, 'up');
      dest.exten = '';
      script.dialed(caller, dest, 'ANSWER');
      script.state(caller, 'up');
      script.enter(dest, id);
      script.enter(caller, id);
    },
    /** A call that is answered. */
    call(from: string, to: string, id: string): [caller: Leg, dest: Leg] {
      const caller = script.channel(from, { state: 'ring', exten: to });
      const dest = script.ring(caller, to);
      script.answer(caller, dest, id);
      return [caller, dest];
    },
    /** What the users of a device were told, one line each. */
    of(device: string): string[] {
      return told
        .filter(({ view }) => view.device === `PJSIP/${device}`)
        .map(({ type, details, view }) => {
          const from = view.from.number === '' ? '' : ` from ${view.from.number}`;
          const arrow = view.outbound ? '->' : '<-';
          return `${type}${details === '' ? '' : ` ${details}`} ${arrow} ${view.other.number}${from}`;
        });
    },
  };
  return script;
}
