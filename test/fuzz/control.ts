/** Any noise on the connection that acts: every action is answered or refused all the same, and a connection that is given up is made again. */

import { Failure, StanzaError } from '../../src/errors.ts';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import type { Random } from '../chaos/random.ts';
import { adapter } from '../pbx/adapter.ts';
import { startWire } from '../pbx/wire.ts';
import { until } from '../servers/until.ts';

/** Names that asterisk-manager, its emitter and objects give a meaning to. */
const lines = [
  'Event: RawEvent',
  'Event: ManagerEvent',
  'Event: error',
  'Event: connect',
  'Event: newListener',
  'Event: UserEvent',
  'UserEvent: x',
  'ActionID: rawevent',
  'ActionID: error',
  'ActionID: offhook-0',
  'ActionID: 1764158400000',
  'Response: Success',
  'Response: Error',
  'Response: Follows',
  'response: follow me',
  '--END COMMAND--',
  '--END SMS EVENT--',
  'Asterisk Call Manager/1',
  'EventList: start',
  'EventList: Complete',
  'Variable: a=b',
  'variable: __proto__=x',
  '__proto__: x',
  'constructor: x',
  'Message: Permission denied',
  ': ',
  ':',
  '\r',
] as const;

function noise(random: Random): Buffer {
  const kind = random.below(40);
  if (kind === 0) return Buffer.alloc(70_000, 'x');
  if (kind === 1) return Buffer.alloc(random.below(3000), '\r\n');
  if (kind < 6) return Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
  const end = random.pick(['\r\n', '\n']);
  const some = Array.from({ length: random.below(8) }, () => random.pick(lines));
  return Buffer.from([...some, '', ''].join(end));
}

/** So many actions with noise before each. Rejects with what went wrong. */
export async function fuzzControl(random: Random, actions: number): Promise<void> {
  const wire = await startWire();
  const pbx = adapter(wire.port, { actionTimeoutMs: 5000, limits: { pingMs: 600_000, beginMs: 0 } });
  try {
    await pbx.start();
    for (let n = 0; n < actions; n++) {
      const socket = wire.peers.findLast(({ user }) => user === 'control')?.socket;
      // What nothing ends would take the answer in.
      socket?.setNoDelay(true).write(Buffer.concat([noise(random), Buffer.from('\r\n\r\n')]));
      await pbx.hangup('PJSIP/340-00000001' as ChannelId).catch((error: unknown) => {
        const isExpected =
          error instanceof Failure ? error.code === 'pbx-unavailable' : error instanceof StanzaError;
        if (!isExpected || pbx.state.control) throw error;
      });
      if (!pbx.state.control) await until('it is connected again', () => pbx.state.control, 20);
    }
  } finally {
    await pbx.stop();
    await wire.stop();
  }
}
