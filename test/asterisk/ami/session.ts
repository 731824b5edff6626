import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ActionSession, createContext } from '../actions/define.ts';
import { actionNamed } from '../actions/table.ts';
import type { AmiSession, AmiUser, ReceivedAction } from '../api.ts';
import { lines, type Outgoing } from '../pbx/event.ts';
import type { Pbx } from '../pbx/pbx.ts';
import { type FaultState, isMuted } from './faults.ts';
import { createFilters } from './filter.ts';
import { createFraming, type Frame } from './framing.ts';
import { createOutput } from './output.ts';
import { covers, eventMask } from './rights.ts';

/** First line of every connection. */
const banner = 'Asterisk Call Manager/11.0.0\r\n';

/** Bytes kept of what a client sent. */
const recordingLimit = 4 * 1024 * 1024;

/** A connection as the server holds it. */
export interface Session extends AmiSession {
  /** Offers an event, which goes out if rights, mask and filters let it. */
  offer(event: Outgoing): void;
  /** Sends bytes as they are. */
  garbage(bytes: Buffer): void;
  drop(): void;
  /** From now on neither reads nor writes nor notices the end. */
  freeze(): void;
  forget(): void;
}

/** What a session needs from its server. */
export interface SessionContext {
  readonly id: number;
  readonly pbx: Pbx;
  readonly users: readonly AmiUser[];
  readonly faults: FaultState;
  received(action: ReceivedAction): void;
  closed(): void;
}

/** Serves one AMI connection (`session_do`, main/manager.c). */
export function createSession(socket: Socket, context: SessionContext): Session {
  const { id, pbx, users, faults } = context;
  const output = createOutput(socket, faults);
  let user: AmiUser | undefined;
  let mask: readonly string[] = ['all'];
  let filters = createFilters();
  let challenge = '';
  let recording: Buffer[] = [];
  let recorded = 0;
  let frozen = false;
  let connected = true;
  let closing = false;

  const framing = createFraming(receive);
  socket.on('data', (chunk: Buffer) => {
    if (frozen) return;
    record(chunk);
    framing(chunk);
  });
  socket.on('end', () => {
    if (!frozen) output.end();
  });
  socket.on('error', (error) => pbx.log(`AMI ${id}: ${error.message}`));
  socket.on('close', () => {
    connected = false;
    context.closed();
  });
  send(banner);

  const actor: ActionSession = {
    id,
    get user() {
      return user;
    },
    get filters() {
      return filters;
    },
    close() {
      closing = true;
      output.end();
    },
    login,
    challenge() {
      challenge = String(randomInt(100_000_000, 999_999_999));
      return challenge;
    },
    setMask(wanted) {
      mask = wanted;
    },
  };

  return {
    id,
    get user() {
      return user?.username;
    },
    get connected() {
      return connected;
    },
    get received() {
      return Buffer.concat(recording);
    },
    offer(event) {
      if (user === undefined || !covers(user.read, [event.privilege]) || !covers(mask, [event.privilege]))
        return;
      if (filters.passes(event.text)) send(event.text);
    },
    garbage(bytes) {
      if (!frozen) output.send(bytes);
    },
    drop: () => {
      socket.destroy();
    },
    freeze() {
      frozen = true;
      socket.pause();
    },
    forget() {
      recording = [];
      recorded = 0;
    },
  };

  function send(text: string): void {
    if (!frozen && !socket.destroyed && !isMuted(faults, user?.username)) output.send(text);
  }

  function record(chunk: Buffer): void {
    recording.push(chunk);
    recorded += chunk.length;
    while (recorded > recordingLimit && recording.length > 1) recorded -= recording.shift()?.length ?? 0;
  }

  function receive(frame: Frame): void {
    if (closing) return;
    const action = received(frame);
    context.received(action);
    if (faults.late > 0) pbx.later(faults.late, () => perform(action));
    else perform(action);
  }

  function received(frame: Frame): ReceivedAction {
    const header = (name: string) => {
      const wanted = name.toLowerCase();
      return frame.headers.find(([key, value]) => key.toLowerCase() === wanted && value !== '')?.[1] ?? '';
    };
    return { session: id, user: user?.username, name: header('Action'), header, ...frame };
  }

  function perform(action: ReceivedAction): void {
    const fault = faults.actions.get(action.name.toLowerCase());
    if (fault?.what === 'stall') return;
    const answer = createContext(pbx, actor, action, fault?.what === 'swallow' ? () => {} : send);
    const known = actionNamed(action.name);
    if (action.framing === 'too many headers') {
      send('Response: Error\r\nMessage: Too many lines in message or allocation failure\r\n\r\n');
    } else if (action.framing === 'line too long') answer.error('Failed to parse message: line too long');
    else if (action.name === '') answer.error('Missing action in request');
    else if (fault?.what === 'fail') answer.error(fault.message);
    else if (user === undefined && !/^(login|logoff|challenge)$/i.test(action.name))
      answer.error('Permission denied');
    else if (known === undefined) {
      answer.error(
        `Invalid/unknown command: ${action.name}. Use Action: ListCommands to show available commands.`,
      );
    } else if (!covers(user?.write ?? [], known.privilege)) answer.error('Permission denied');
    else known.run(answer);
  }

  function login(action: ReceivedAction): (() => void) | undefined {
    const account = users.find((candidate) => candidate.username === action.header('Username'));
    if (account === undefined) return undefined;
    const md5 = action.header('AuthType').toUpperCase() === 'MD5' && challenge !== '';
    const given = md5 ? action.header('Key').toLowerCase() : action.header('Secret');
    const right = md5
      ? createHash('md5')
          .update(challenge + account.secret)
          .digest('hex')
      : account.secret;
    if (given === '' || !same(given, right)) return undefined;
    user = account;
    filters = createFilters(account.filters);
    mask = action.header('Events') === '' ? ['all'] : (eventMask(action.header('Events')) ?? []);
    return () => greet(account);
  }

  /** FullyBooted has no SystemName and goes to this session alone. */
  function greet(account: AmiUser): void {
    const uptime = Math.floor((Date.now() - pbx.started) / 1000);
    const body = lines([
      ['Uptime', uptime],
      ['LastReload', uptime],
      ['Status', 'Fully Booted'],
    ]);
    if (covers(account.read, ['system']) && covers(mask, ['system'])) {
      send(`Event: FullyBooted\r\nPrivilege: system,all\r\n${body}\r\n`);
    }
    if (!pbx.noise) return;
    const time = new Date().toISOString().replace('Z', '+0000');
    const auth = lines([
      ['EventTV', time],
      ['Severity', 'Informational'],
      ['Service', 'AMI'],
      ['EventVersion', 1],
      ['AccountID', account.username],
      ['SessionID', `0x${id.toString(16).padStart(12, '0')}`],
      ['LocalAddress', `IPV4/TCP/127.0.0.1/${socket.localPort ?? 0}`],
      ['RemoteAddress', `IPV4/TCP/127.0.0.1/${socket.remotePort ?? 0}`],
      ['UsingPassword', 0],
      ['SessionTV', time],
    ]);
    pbx.publish('SuccessfulAuth', 'security', auth);
  }
}

function same(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
