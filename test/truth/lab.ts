/** A real Asterisk, and what the clients of its users are told. */

import { randomBytes, randomUUID } from 'node:crypto';
import { action } from '../../src/pbx/action.ts';
import { openControl } from '../../src/pbx/control.ts';
import { type AsteriskOptions, type AsteriskServer, startAsterisk, until } from '../servers/index.ts';
import type { Client } from './clients.ts';
import { type Listening, listen } from './listening.ts';

/** A telephone system that is listened to. */
export interface Lab extends Listening {
  readonly asterisk: AsteriskServer;
  client(extension: string): Client;
  /** Sends an action that the port does not offer. Rejects with what Asterisk said. */
  act(name: string, headers: Readonly<Record<string, string>>): Promise<void>;
  /** Rings a user's telephone and connects it with a number, as `base.Dial` does. */
  dial(call: { from: string; name: string; exten: string; ringMs: number }): Promise<void>;
  /** Names of the channels of a device that are there. */
  channels(extension: string): Promise<string[]>;
  /** Resolves when the feed has told of everything up to now. */
  caughtUp(): Promise<void>;
}

/** Opens a lab; ready when it resolves. */
export async function openLab(options: AsteriskOptions = {}): Promise<Lab> {
  const feed = { username: 'listener', secret: randomBytes(12).toString('hex') };
  const actor = { username: 'actor', secret: randomBytes(12).toString('hex') };
  const asterisk = await startAsterisk({
    ...options,
    managers: [
      { ...feed, read: 'system,call,agent,dialplan', write: 'system,reporting' },
      { ...actor, read: 'call', write: 'all' },
    ],
  });
  const seen = new Set<string>();
  const listening = await listen({
    host: asterisk.host,
    port: asterisk.amiPort,
    control: asterisk.managers.control,
    feed,
    people: asterisk.extensions.values(),
    onEvent(event) {
      if (event.type === 'device-state') seen.add(`${event.device} ${event.state}`);
    },
  });
  const acting = await openControl({
    host: asterisk.host,
    port: asterisk.amiPort,
    connectTimeoutMs: 5000,
    loginTimeoutMs: 5000,
    actionTimeoutMs: 40_000,
    pingMs: 60_000,
    maxPending: 1000,
    account: actor,
    signal: new AbortController().signal,
  });
  let marks = 0;
  const lab: Lab = {
    ...listening,
    asterisk,
    client: (extension) => listening.clients.at(extension),
    async act(name, headers) {
      await acting.run(action(name, headers));
    },
    async dial({ from, name, exten, ringMs }) {
      const uniqueId = `offhook-${randomUUID()}`;
      listening.clients.expect(uniqueId, exten);
      await listening.pbx.originate({
        uniqueId,
        device: `PJSIP/${from}`,
        context: 'internal',
        exten,
        callerName: name,
        callerNumber: from,
        ringMs,
      });
    },
    async channels(extension) {
      const listed = await asterisk.cli('core show channels concise');
      return listed
        .split('\n')
        .map((text) => text.split('!')[0] ?? '')
        .filter((name) => name.startsWith(`PJSIP/${extension}-`));
    },
    async caughtUp() {
      // The state of a device that is nobody's.
      marks += 1;
      const device = `Custom:mark${marks}`;
      await lab.act('Setvar', { Variable: `DEVICE_STATE(${device})`, Value: 'BUSY' });
      await until(`the feed has told of ${device}`, () => seen.delete(`${device} BUSY`));
    },
    async stop() {
      acting.close('stopped');
      await listening.stop();
      await asterisk.stop();
    },
  };
  return lab;
}
