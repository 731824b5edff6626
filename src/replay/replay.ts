/** Plays a recording of an AMI connection through the call model: offline, and the same every time. */

import type { Calls } from '../calls/calls.ts';
import type { CallChange } from '../calls/changes.ts';
import type { PbxEvent } from '../pbx/events.ts';
import { createFramer } from '../pbx/framing.ts';
import { createTranslate, translatedEvents } from '../pbx/translate.ts';
import { wantedEvents } from '../pbx/wanted.ts';
import { createGatherer, listedEvents } from './gather.ts';

/** What lies beside a recording: when each piece of it was read. */
export interface Sidecar {
  /** Epoch seconds of the connect. */
  readonly started: number;
  /** Every read: seconds since the connect, place in the file, number of bytes. Ascending. */
  readonly chunks: readonly (readonly [seconds: number, offset: number, length: number])[];
}

/** Takes events in and says what is to be told; most pay no heed to what was said before them. No I/O, no clock. */
export interface Replayed<C> {
  apply(event: PbxEvent, changes: readonly CallChange[]): readonly C[];
}

/** One change, and when: seconds since the recording began; 0 where nothing tells times, seconds since 1970 where only Asterisk's stamps do. */
export type OnChange<C = CallChange> = (t: number, change: C | CallChange) => void;

// A recording without times plays in the first second of all: 0 would say of a call that it was never answered.
const timeless: Sidecar = { started: 1, chunks: [] };

/**
 * Plays `bytes` into `calls`, and into the models that follow the telephone world beside them, and hands over what changes. Times are those of the reads in the sidecar, or what Asterisk
 * stamped on its events (manager.conf `timestampevents`).
 *
 * Lists in the recording (CoreShowChannels, Status, BridgeList, BridgeInfo, DeviceStateList) that show other channels
 * than the events did are the snapshot of a feed that came (back) in mid-call, and are taken as that. So is a QueueStatus with all queues.
 */
export function replay<C extends { readonly at: number } = never>(
  bytes: Buffer,
  sidecar: Sidecar | undefined,
  calls: Pick<Calls, 'apply'>,
  onChange: OnChange<C>,
  following: readonly Replayed<C>[] = [],
): void {
  const started = (sidecar ?? timeless).started * 1000;
  const hand = (change: C | CallChange) => onChange((change.at - started) / 1000, change);
  forEachEvent(bytes, sidecar, (event) => {
    const changes = calls.apply(event);
    changes.forEach(hand);
    for (const model of following) model.apply(event, changes).forEach(hand);
  });
}

/** The events of a recording in order, snapshots where {@link replay} takes them. */
export function forEachEvent(
  bytes: Buffer,
  sidecar: Sidecar | undefined,
  take: (event: PbxEvent) => void,
): void {
  const { started, chunks } = sidecar ?? timeless;
  let now = started * 1000;
  const translate = createTranslate({ now: () => now });
  const gatherer = createGatherer();
  const flush = () => {
    const snapshot = gatherer.due();
    if (snapshot !== undefined) take({ type: 'snapshot', at: now, snapshot });
    const queues = gatherer.dueQueues();
    if (queues !== undefined) take({ type: 'queues', at: now, queues, meanwhile: [] });
  };
  const framer = createFramer({
    wanted: wantedEvents([...translatedEvents, ...listedEvents]),
    onMessage(message) {
      if (gatherer.take(message)) return;
      const event = translate(message);
      if (event === undefined) return;
      flush();
      gatherer.note(event);
      take(event);
    },
  });
  let read = 0;
  for (const [seconds, offset, length] of chunks) {
    now = (started + seconds) * 1000;
    framer.push(bytes.subarray(offset, offset + length));
    read = offset + length;
  }
  framer.push(bytes.subarray(read));
  flush();
}
