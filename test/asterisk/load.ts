import type { LoadReport, LoadSpec } from './api.ts';
import { newChannel, setVariable } from './pbx/channel.ts';
import { dial } from './pbx/dial.ts';
import { createLoadEndpoint, type Endpoint, type Pbx } from './pbx/pbx.ts';
import { finish, hangup } from './pbx/talk.ts';

/** Rhythm of the generator, ms: calls that are due begin together, as they do on a busy PBX. */
const tick = 10;

/**
 * Makes calls at a steady rate between pairs of telephones of its own, each with the full event sequence. A pair is
 * used again when its call is over; there are as many pairs as calls at once. `sent` tells how many events went out.
 */
export function runLoad(pbx: Pbx, spec: LoadSpec, sent: () => number): Promise<LoadReport> {
  if (!(spec.callsPerSecond > 0) || !(spec.calls >= 0)) {
    throw new Error('load: callsPerSecond must be above 0 and calls at least 0');
  }
  const free: (readonly [Endpoint, Endpoint])[] = [];
  const before = sent();
  const start = Date.now();
  let made = 0;
  let begun = 0;
  let ended = 0;

  return new Promise((resolve) => {
    const step = () => {
      const due = Math.min(spec.calls, Math.floor(((Date.now() - start) * spec.callsPerSecond) / 1000) + 1);
      while (begun < due) begin();
      if (begun < spec.calls) pbx.later(tick, step);
      else if (spec.calls === 0) done();
    };

    const done = () =>
      resolve({ calls: ended, events: sent() - before, seconds: (Date.now() - start) / 1000 });

    function begin(): void {
      begun += 1;
      const pair = free.pop() ?? ([endpoint(), endpoint()] as const);
      const [from, to] = pair;
      const [fromLine, toLine] = [from.lines[0], to.lines[0]];
      if (fromLine === undefined || toLine === undefined) throw new Error('a load telephone has no line');
      toLine.behaviour = { answer: spec.ring ?? 50 };
      const caller = newChannel(pbx, {
        line: fromLine,
        state: 4,
        context: 'internal',
        exten: to.number,
        dialed: to.number,
      });
      spec.onBegin?.(from.number, to.number);
      setVariable(pbx, caller, 'SIPDOMAIN', '127.0.0.1');
      caller.application = 'Dial';
      caller.data = `PJSIP/${to.number},30,tT`;
      dial(pbx, caller, [{ line: toLine, dialString: to.number }], 30, (result) =>
        finish(pbx, caller, result.cause, result.techCause),
      );
      // Nobody hangs up before the answer, however late this process is with it.
      const end = () => {
        if (caller.bridge === undefined) cancel = pbx.later(tick, end);
        else hangup(pbx, caller, 'phone');
      };
      let cancel = pbx.later((spec.ring ?? 50) + (spec.talk ?? 200), end);
      caller.onGone = () => {
        cancel();
        // The callee's Hangup follows within the same step.
        queueMicrotask(() => {
          ended += 1;
          free.push(pair);
          spec.onEnd?.(from.number, to.number);
          if (ended === spec.calls) done();
        });
      };
    }

    function endpoint(): Endpoint {
      const number = String(1000 + made++);
      const known = pbx.endpoints.get(number) ?? createLoadEndpoint(number);
      pbx.endpoints.set(number, known);
      return known;
    }

    step();
  });
}
