import { behave } from './behaviour.ts';
import { dialStatusOf } from './cause.ts';
import {
  type Channel,
  connect,
  destroy,
  hangupRequest,
  identify,
  newChannel,
  newExten,
  setState,
  setVariable,
} from './channel.ts';
import { dialEvent } from './dial.ts';
import { exists, run } from './dialplan.ts';
import { lines } from './event.ts';
import { createLocal } from './local.ts';
import type { Line, Pbx } from './pbx.ts';
import { spy } from './spy.ts';
import { finish } from './talk.ts';

/** An Originate whose headers have been checked. */
export interface OriginateSpec {
  /** As sent, such as `PJSIP/340`. */
  readonly channel: string;
  readonly destination:
    | { readonly context: string; readonly exten: string; readonly priority: number }
    | { readonly application: string; readonly data: string };
  /** CallerID as given; either part may be absent. */
  readonly callerId: { readonly number: string | undefined; readonly name: string | undefined } | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly channelId: string | undefined;
  readonly account: string;
  readonly variables: readonly (readonly [string, string])[];
}

/** How it ended; reasons as in OriginateResponse: 4 answered, 3 timed out, 0 everything else. */
export interface OriginateResult {
  readonly success: boolean;
  readonly reason: 0 | 3 | 4;
  readonly channel: Channel | undefined;
  /** False where there was nothing to ring, so that no channel ever was. */
  readonly tried: boolean;
}

/**
 * Rings a telephone and, when it answers, runs the destination for it. `ended` is called once, when it has answered
 * or failed; its destination's own end is no part of it (main/manager.c, main/dial.c).
 */
export function originate(pbx: Pbx, spec: OriginateSpec, ended: (result: OriginateResult) => void): void {
  const local = /^Local\/([^@/]+)@([^/]+)\/n$/.exec(spec.channel);
  if (local !== null) {
    originateLocal(pbx, spec, local[1] ?? '', local[2] ?? '', ended);
    return;
  }
  const target = targetOf(pbx, spec.channel);
  const taken = [...pbx.channels.values()].some((other) => other.uniqueid === spec.channelId);
  if (target === undefined || !target.line.registered || taken) {
    ended({ success: false, reason: 0, channel: undefined, tried: false });
    return;
  }
  const { line, dialString } = target;
  const channel = newChannel(pbx, {
    line,
    state: 0,
    context: line.endpoint.context,
    exten: 's',
    uniqueid: spec.channelId,
    account: spec.account,
  });
  newExten(pbx, channel, 'AppDial2', '(Outgoing Line)');
  for (const [name, value] of spec.variables) setVariable(pbx, channel, name, value);
  if (spec.callerId !== undefined) {
    const own = channel.callerId;
    const { number, name } = spec.callerId;
    identify(pbx, channel, { number: number ?? own?.number ?? '', name: name ?? own?.name });
    connect(pbx, channel, { number: number ?? '', name });
  }
  dialEvent(pbx, 'DialBegin', undefined, channel, `DialString: ${dialString}\r\n`);
  // Time may run out before the device has rung, so that the limit stands before the first state.
  const cancelTimer = pbx.later(spec.timeout, timedOut);
  channel.ringing = {
    answered: () => answer(),
    refused(cause, techCause, request) {
      cancelTimer();
      if (request) hangupRequest(pbx, channel, cause, techCause);
      channel.ringing = undefined;
      dialEvent(pbx, 'DialEnd', undefined, channel, `DialStatus: ${dialStatusOf(cause)}\r\n`);
      fail(0, cause, techCause);
    },
    timedOut,
  };
  setState(pbx, channel, 5);
  dialEvent(pbx, 'DialState', undefined, channel, 'DialStatus: RINGING\r\n');
  pbx.settle();
  behave(pbx, channel);

  function timedOut(): void {
    if (channel.ringing === undefined) return;
    cancelTimer();
    channel.ringing = undefined;
    fail(3, 0);
  }

  function fail(reason: 0 | 3, cause: number, techCause?: number): void {
    destroy(pbx, channel, cause, techCause);
    pbx.settle();
    ended({ success: false, reason, channel: undefined, tried: true });
  }

  function answer(): void {
    cancelTimer();
    channel.ringing = undefined;
    setState(pbx, channel, 6);
    dialEvent(pbx, 'DialEnd', undefined, channel, 'DialStatus: ANSWER\r\n');
    pbx.settle();
    ended({ success: true, reason: 4, channel, tried: true });
    if (channel.gone) return;
    if ('application' in spec.destination) {
      runApplication(pbx, channel, spec.destination.application, spec.destination.data);
      return;
    }
    channel.context = spec.destination.context;
    channel.exten = spec.destination.exten;
    channel.priority = spec.destination.priority;
    run(pbx, channel);
  }
}

/** A Local channel whose second half is in the dialplan, and whose first runs the application when that has answered. */
function originateLocal(
  pbx: Pbx,
  spec: OriginateSpec,
  exten: string,
  context: string,
  ended: (result: OriginateResult) => void,
): void {
  if (!exists(pbx, context, exten) || !('application' in spec.destination)) {
    ended({ success: false, reason: 0, channel: undefined, tried: false });
    return;
  }
  const { application, data } = spec.destination;
  const { one, two } = createLocal(pbx, { exten, context, linkedid: undefined, callerId: undefined });
  // Neither half is left behind when the other ends.
  one.onGone = () => finishQuietly(pbx, two);
  two.onGone = () => finishQuietly(pbx, one);
  run(pbx, two);
  if (one.state !== 6) {
    finishQuietly(pbx, two);
    ended({ success: false, reason: 0, channel: undefined, tried: true });
    return;
  }
  ended({ success: true, reason: 4, channel: one, tried: true });
  runApplication(pbx, one, application, data);
}

function finishQuietly(pbx: Pbx, channel: Channel): void {
  if (channel.gone) return;
  channel.running?.interrupt('hangup', 16);
  destroy(pbx, channel, 16);
}

function targetOf(pbx: Pbx, channel: string): { line: Line; dialString: string } | undefined {
  const match = /^PJSIP\/(?:([^/@]+)@)?([^/@]+)$/i.exec(channel);
  const endpoint = match?.[2] === undefined ? undefined : pbx.endpoints.get(match[2]);
  if (match === null || endpoint === undefined) return undefined;
  const line = endpoint.lines.find((candidate) => candidate.registered) ?? endpoint.lines[0];
  return line === undefined ? undefined : { line, dialString: channel.slice('PJSIP/'.length) };
}

function runApplication(pbx: Pbx, channel: Channel, application: string, data: string): void {
  channel.application = application;
  channel.data = data;
  if (application.toLowerCase() === 'pickupchan') {
    const target = pbx.channels.get(data);
    if (target?.ringing?.taken === undefined) destroy(pbx, channel, 0);
    else target.ringing.taken(channel);
    pbx.settle();
    return;
  }
  if (application.toLowerCase() === 'chanspy') {
    spy(pbx, channel, data);
    return;
  }
  if (application.toLowerCase() === 'hangup') {
    finish(pbx, channel);
    return;
  }
  const seconds = application.toLowerCase() === 'wait' ? Number(data) : Number.NaN;
  const end = () => {
    destroy(pbx, channel, 0);
    pbx.settle();
  };
  const cancel = Number.isFinite(seconds) ? pbx.later(seconds * 1000, end) : () => {};
  channel.running = { interrupt: cancel };
}

/** The event that ends an asynchronous Originate; without a channel the dial string stands in its place. */
export function originateResponse(
  pbx: Pbx,
  spec: OriginateSpec,
  result: OriginateResult,
  actionId: string,
): void {
  const destination =
    'application' in spec.destination
      ? ([
          ['Application', spec.destination.application],
          ['Data', spec.destination.data],
        ] as const)
      : ([
          ['Context', spec.destination.context],
          ['Exten', spec.destination.exten],
        ] as const);
  const id = actionId === '' ? [] : [['ActionID', actionId] as const];
  pbx.publish(
    'OriginateResponse',
    'call',
    lines([
      ...id,
      ['Response', result.success ? 'Success' : 'Failure'],
      ['Channel', result.channel?.name ?? spec.channel],
      ...destination,
      ['Reason', result.reason],
      ['Uniqueid', result.channel?.uniqueid ?? spec.channelId ?? (result.tried ? '<unknown>' : '<null>')],
      ['CallerIDNum', spec.callerId?.number ?? '<unknown>'],
      ['CallerIDName', spec.callerId?.name ?? '<unknown>'],
    ]),
  );
}
