import { createServer, type Server } from 'node:net';
import type { AmiUser, Faults, ReceivedAction } from '../api.ts';
import type { Outgoing } from '../pbx/event.ts';
import type { Pbx } from '../pbx/pbx.ts';
import { createFaultState } from './faults.ts';
import { createSession, type Session } from './session.ts';

/** Actions kept in memory. */
const actionLimit = 100_000;

/** Sessions kept in memory after they have gone. */
const goneLimit = 200;

/** The AMI port. */
export interface AmiServer {
  readonly port: number;
  readonly faults: Faults;
  readonly actions: ReceivedAction[];
  readonly sessions: Session[];
  /** Offers an event to every session. */
  broadcast(event: Outgoing): void;
  stop(): Promise<void>;
}

/** Listens for AMI connections. Rejects when the port cannot be had. */
export async function serveAmi(
  pbx: Pbx,
  options: { host: string; port: number; users: readonly AmiUser[]; changed: () => void },
): Promise<AmiServer> {
  const state = createFaultState();
  const actions: ReceivedAction[] = [];
  const sessions: Session[] = [];
  let live: Session[] = [];
  let nextId = 1;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const session = createSession(socket, {
      id: nextId++,
      pbx,
      users: options.users,
      faults: state,
      received(action) {
        actions.push(action);
        if (actions.length > actionLimit) actions.splice(0, actionLimit / 10);
        pbx.log(`AMI ${action.session}: ${action.name || '(no action)'} ${action.header('ActionID')}`);
        queueMicrotask(options.changed);
      },
      closed() {
        live = live.filter((other) => other !== session);
        pbx.log(`AMI ${session.id}: closed`);
        options.changed();
      },
    });
    sessions.push(session);
    if (sessions.length > goneLimit + live.length) removeOldest(sessions);
    live.push(session);
    pbx.log(`AMI ${session.id}: connected`);
    options.changed();
  });
  await listen(server, options.port, options.host);
  const port = portOf(server);

  const chosen = (user: string | undefined) =>
    live.filter((session) => user === undefined || session.user === user);
  const faults: Faults = {
    drop(user) {
      for (const session of chosen(user)) session.drop();
    },
    mute: (user) => {
      state.muted.add(user ?? '*');
    },
    unmute: () => state.muted.clear(),
    slow(bytesPerSecond) {
      state.rate = bytesPerSecond;
    },
    garbage(bytes, user) {
      for (const session of chosen(user)) session.garbage(Buffer.from(bytes));
    },
    halfOpen(user) {
      for (const session of chosen(user)) session.freeze();
    },
    refuse: () => unlisten(server),
    accept: async () => {
      if (!server.listening) await listen(server, port, options.host);
    },
    stall: (action) => {
      state.actions.set(action.toLowerCase(), { what: 'stall' });
    },
    swallow: (action) => {
      state.actions.set(action.toLowerCase(), { what: 'swallow' });
    },
    fail: (action, message) => {
      state.actions.set(action.toLowerCase(), { what: 'fail', message });
    },
    late(ms) {
      state.late = ms;
    },
    async clear() {
      state.muted.clear();
      state.actions.clear();
      state.rate = 0;
      state.late = 0;
      await faults.accept();
    },
  };

  return {
    port,
    faults,
    actions,
    sessions,
    broadcast(event) {
      for (const session of live) session.offer(event);
    },
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const session of live) session.drop();
      await closed;
    },
  };
}

function removeOldest(sessions: Session[]): void {
  const gone = sessions.findIndex((session) => !session.connected);
  if (gone >= 0) sessions.splice(gone, 1);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops accepting; connections that are open stay, so that this does not wait for them. */
function unlisten(server: Server): Promise<void> {
  if (server.listening) server.close();
  return Promise.resolve();
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the AMI server has no TCP port');
  return address.port;
}
