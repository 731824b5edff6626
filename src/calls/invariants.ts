/** What must be true of everything the call model tells, whatever the telephone system did. Checked from outside, by what was told. */

import type { CallChange, ChannelChange, ChannelEventType, PickupChange } from './changes.ts';

/** Checks changes one after the other. */
export interface Invariants {
  /** Sentences about what this change breaks; empty where it breaks nothing. */
  check(change: CallChange): readonly string[];
  /** Channels that were told of and have not ended: right in mid-call, wrong when all telephones are idle. */
  open(): readonly string[];
}

interface Told {
  outbound: boolean;
  busySince: number;
  held: boolean;
  remoteHeld: boolean;
  number: string;
}

const onlyWhenBusy: ReadonlySet<ChannelEventType> = new Set(['hold', 'unhold']);

/** Makes a checker that has seen nothing. It remembers the name of every channel: for tests and replays, not for service. */
export function createInvariants(): Invariants {
  const calls = new Map<string, Told>();
  const ended = new Set<string>();
  const offered = new Set<string>();

  function channel(change: ChannelChange, says: (text: string) => void): void {
    const { type, details, view } = change;
    const id = view.uniqueId;
    if (ended.has(id)) says(`${type} after hangup`);
    if (/^(Local|CBAnn|CBRec|Announcer|Recorder|Snoop|Surrogate)\//.test(view.channel))
      says('no telephone has such a channel');
    const told = calls.get(id);
    if (told === undefined) {
      if (type !== 'ringing' && type !== 'busy') says(`begins with ${type}`);
      const begun = {
        outbound: view.outbound,
        busySince: 0,
        held: false,
        remoteHeld: false,
        number: view.other.number,
      };
      calls.set(id, begun);
      follow(change, begun, says);
      return;
    }
    if (type === 'ringing') says('rings twice');
    if (told.outbound !== view.outbound) says('the direction changed');
    if (type !== 'rename' && told.number !== view.other.number) {
      says(`the other party became ${view.other.number} with ${type}${details === '' ? '' : ` ${details}`}`);
    }
    follow(change, told, says);
  }

  function follow(change: ChannelChange, told: Told, says: (text: string) => void): void {
    const { type, details, view } = change;
    if (type === 'busy' && told.busySince !== 0) says('answered twice');
    if (type === 'busy' && view.busySince === 0) says('answered at no time');
    if (told.busySince !== 0 && view.busySince !== told.busySince) says('busySince changed');
    if (told.busySince === 0 && view.busySince !== 0 && type !== 'busy') says(`answered with ${type}`);
    if (onlyWhenBusy.has(type) && told.busySince === 0) says(`${type} before the answer`);
    if (type === 'hold' || type === 'unhold') {
      const key = details === 'remote' ? 'remoteHeld' : 'held';
      if (told[key] === (type === 'hold')) says(`${type} ${details} twice`);
      told[key] = type === 'hold';
    }
    if (view.held !== told.held || view.remoteHeld !== told.remoteHeld)
      says(`is on hold or not, and was not told so`);
    if (type === 'redirect' && (view.outbound || told.busySince !== 0)) says('redirected, but does not ring');
    told.busySince = view.busySince;
    told.number = view.other.number;
    if (type !== 'hangup') return;
    if (details === '') says('ends without a reason');
    if (view.state !== 'ended') says('ends, but is not ended');
    ended.add(view.uniqueId);
    calls.delete(view.uniqueId);
  }

  function pickup(change: PickupChange, says: (text: string) => void): void {
    if (offered.has(change.channel) === (change.type === 'ringing')) says(`pickup ${change.type} twice`);
    if (change.type === 'ringing') offered.add(change.channel);
    else offered.delete(change.channel);
  }

  return {
    check(change) {
      const broken: string[] = [];
      const says = (text: string) =>
        broken.push(`${change.kind === 'device' ? change.device : nameOf(change)}: ${text}`);
      if (change.kind === 'channel') channel(change, says);
      if (change.kind === 'pickup') pickup(change, says);
      return broken;
    },
    open: () => [...calls.keys()],
  };
}

function nameOf(change: Exclude<CallChange, { kind: 'device' }>): string {
  return change.kind === 'channel' ? change.view.channel : change.channel;
}
