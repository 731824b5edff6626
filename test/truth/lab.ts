/** A real Asterisk with SIP phones, and the clients of their users: what the clients are told is held against what the phones did. */

import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callsOf } from '../../src/directory/calls.ts';
import { fromEndpoints } from '../../src/directory/discovered.ts';
import { createDirectory, type Directory } from '../../src/directory.ts';
import { createLog } from '../../src/log.ts';
import { action } from '../../src/pbx/action.ts';
import { createAsterisk } from '../../src/pbx/asterisk.ts';
import { openControl } from '../../src/pbx/control.ts';
import type { DeviceName, Pbx, PbxId } from '../../src/pbx/pbx.ts';
import { type AsteriskOptions, type AsteriskServer, startAsterisk, until } from '../servers/index.ts';
import { type Client, type Clients, seatClients } from './clients.ts';
import { type Line, openLine } from './line.ts';

/** A telephone system, the bridge's half that listens to it, and everybody's client. */
export interface Lab {
  readonly asterisk: AsteriskServer;
  readonly pbx: Pbx;
  readonly line: Line;
  readonly clients: Clients;
  readonly directory: Directory;
  client(extension: string): Client;
  /** Sends an action that the port does not offer. Rejects with what Asterisk said. */
  act(name: string, headers: Readonly<Record<string, string>>): Promise<void>;
  /** Rings a user's telephone and connects it with a number, as `base.Dial` does. */
  dial(call: { from: string; name: string; exten: string; ringMs: number }): Promise<void>;
  /** Names of the channels of a device that are there. */
  channels(extension: string): Promise<string[]>;
  /** Resolves when the feed has told of everything up to now. */
  caughtUp(): Promise<void>;
  /** Ends the event connection at once; resolves when it has come back. `meanwhile` runs while it is away. */
  interrupted(meanwhile?: () => Promise<void>): Promise<void>;
  /** Writes what the feed said, for `offhook replay`; resolves with the file's path. */
  recording(name: string): Promise<string>;
  stop(): Promise<void>;
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
  const line = await openLine(asterisk.host, asterisk.amiPort);
  const log = createLog({ level: 'silent', format: 'json', secrets: [] });
  const pbx = createAsterisk({
    id: 'main' as PbxId,
    host: line.host,
    port: line.port,
    control: asterisk.managers.control,
    feed,
    actionTimeoutMs: 10_000,
    clock: Date,
    log,
    limits: { reconnectMinMs: 50, reconnectMaxMs: 100 },
  });
  const directory = directoryOf(asterisk);
  const calls = callsOf(() => directory);
  const clients = seatClients(directory, calls);
  const seen = new Set<string>();
  pbx.onEvent((event) => {
    clients.onEvent(event);
    if (event.type === 'device-state') seen.add(`${event.device} ${event.state}`);
  });
  await pbx.start();
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
    asterisk,
    pbx,
    line,
    clients,
    directory,
    client: (extension) => clients.at(extension),
    async act(name, headers) {
      await acting.run(action(name, headers));
    },
    async dial({ from, name, exten, ringMs }) {
      const uniqueId = `offhook-${randomUUID()}`;
      clients.expect(uniqueId, exten);
      const device = `PJSIP/${from}`;
      await pbx.originate({
        uniqueId,
        device,
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
    async interrupted(meanwhile = async () => {}) {
      line.cut();
      await until('the feed is known to be away', () => !pbx.state.feed);
      await meanwhile();
      line.mend();
      await until('the feed is back', () => pbx.state.feed && pbx.state.control);
    },
    async recording(name) {
      const path = join(tmpdir(), `offhook-truth-${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${process.pid}`);
      await line.record(feed.username, path);
      return `${path}.ami`;
    },
    async stop() {
      acting.close('stopped');
      await pbx.stop();
      await line.close();
      await asterisk.stop();
    },
  };
  return lab;
}

/** Every extension is a user; all share a pickup group. */
function directoryOf(asterisk: AsteriskServer): Directory {
  const endpoints = [...asterisk.extensions.values()].map(({ number, name }) => ({
    device: `PJSIP/${number}` as DeviceName,
    extension: number,
    fullName: name,
    mailbox: '',
  }));
  const group = new Set(['office']);
  const { users } = fromEndpoints(endpoints, 'example.test');
  return createDirectory(users.map((user) => ({ ...user, pickupGroups: group, callGroups: group })));
}
