/** The bridge's half that listens to a telephone system, over a line that can be cut, and everybody's client behind it. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callsOf } from '../../src/directory/calls.ts';
import { fromEndpoints } from '../../src/directory/discovered.ts';
import { createDirectory, type Directory } from '../../src/directory.ts';
import { createLog } from '../../src/log.ts';
import { createAsterisk } from '../../src/pbx/asterisk.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { DeviceName, Pbx, PbxId } from '../../src/pbx/pbx.ts';
import { type ManagerLogin, until } from '../servers/index.ts';
import { type Clients, seatClients } from './clients.ts';
import { type Line, openLine } from './line.ts';

/** Whom to listen to, and who is told. */
export interface ListeningOptions {
  /** Where AMI is. */
  readonly host: string;
  readonly port: number;
  readonly control: ManagerLogin;
  readonly feed: ManagerLogin;
  /** Who has a telephone `PJSIP/<number>`; all share a pickup group. */
  readonly people: Iterable<{ readonly number: string; readonly name: string }>;
  /** Sees every event after the clients. */
  onEvent?(event: PbxEvent): void;
}

/** What is told of a telephone system. */
export interface Listening {
  readonly pbx: Pbx;
  readonly line: Line;
  readonly clients: Clients;
  readonly directory: Directory;
  /** Breaks both connections at once; resolves when they have come back. `meanwhile` runs while they are away. */
  interrupted(meanwhile?: () => Promise<void>): Promise<void>;
  /** Writes what the feed has said since it came back, for `offhook replay`; resolves with the file's path. */
  recording(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Begins to listen; the clients know the present state when it resolves. */
export async function listen(options: ListeningOptions): Promise<Listening> {
  const { host, port, control, feed, people, onEvent = () => {} } = options;
  const line = await openLine(host, port);
  const pbx = createAsterisk({
    id: 'main' as PbxId,
    host: line.host,
    port: line.port,
    control,
    feed,
    actionTimeoutMs: 10_000,
    clock: Date,
    log: createLog({ level: 'silent', format: 'json', secrets: [] }),
    limits: { reconnectMinMs: 50, reconnectMaxMs: 100 },
  });
  const directory = directoryOf(people);
  const clients = seatClients(
    directory,
    callsOf(() => directory),
  );
  pbx.onEvent((event) => {
    clients.onEvent(event);
    onEvent(event);
  });
  await pbx.start();
  return {
    pbx,
    line,
    clients,
    directory,
    async interrupted(meanwhile = async () => {}) {
      line.cut();
      await until('the feed is known to be away', () => !pbx.state.feed);
      await meanwhile();
      line.mend();
      await until('the feed is back', () => pbx.state.feed && pbx.state.control, 30);
    },
    async recording(name) {
      const path = join(tmpdir(), `offhook-truth-${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${process.pid}`);
      await line.record(feed.username, path);
      return `${path}.ami`;
    },
    async stop() {
      await pbx.stop();
      await line.close();
    },
  };
}

function directoryOf(people: ListeningOptions['people']): Directory {
  const endpoints = [...people].map(({ number, name }) => ({
    device: `PJSIP/${number}` as DeviceName,
    extension: number,
    fullName: name,
    mailbox: '',
  }));
  const group = new Set(['office']);
  const { users } = fromEndpoints(endpoints, 'example.test');
  return createDirectory(users.map((user) => ({ ...user, pickupGroups: group, callGroups: group })));
}
