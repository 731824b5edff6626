/** SIPp as a telephone: registers and takes calls by a scenario of sipp/. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OnProgress, tree } from './debian.ts';
import { runFolder } from './folders.ts';
import { freePort, loopback } from './ports.ts';
import { fromTree, start } from './process.ts';
import { type Server, startServer } from './server.ts';
import { sippTree } from './trees.ts';

/** Which phone, and what it does with a call. */
export interface SippOptions {
  readonly extension: string;
  readonly password: string;
  /** Default: answer. `noanswer` rings until the caller gives up. */
  readonly behaviour?: 'answer' | 'busy' | 'decline' | 'noanswer';
  /** How long it rings before it answers, in ms; 1 to 600 000. Default: 200. */
  readonly ring?: number;
  readonly onProgress?: OnProgress;
}

/** Something the phone did. */
export interface SippEvent {
  readonly kind: 'ringing' | 'connected' | 'ended' | 'cancelled' | 'refused';
  /** The From header of the call, as the phone would show it: `"Anna" <sip:340@127.0.0.1>;tag=…`. */
  readonly from: string;
}

/** A running SIPp. Its {@link Server.stop} unregisters it. */
export interface SippPhone extends Server {
  readonly extension: string;
  /** What it did so far, oldest first. */
  events(): Promise<SippEvent[]>;
}

/** Seconds a registration lasts; SIPp does not refresh it. */
const registration = 7200;

const scenarios = fileURLToPath(new URL('./sipp/', import.meta.url));

/** Where the phone registers: an Asterisk of `startAsterisk`. */
export interface Registrar {
  readonly host: string;
  readonly sipPort: number;
}

/**
 * Starts a phone and registers it.
 * @throws ServersUnavailable when SIPp cannot be fetched; Error when the registrar refuses or does not answer.
 */
export async function startSippPhone(registrar: Registrar, options: SippOptions): Promise<SippPhone> {
  const root = await tree(sippTree, options.onProgress);
  // SIPp takes ports besides those it is told, next to its media port; somebody may have one of them. Then it ends at once.
  for (let tries = 1; ; tries += 1) {
    try {
      return await launch(root, registrar, options);
    } catch (error) {
      const endedAtOnce = error instanceof Error && error.message.includes('ended at once');
      if (!endedAtOnce || tries === 3) throw error;
    }
  }
}

async function launch(root: string, registrar: Registrar, options: SippOptions): Promise<SippPhone> {
  const folder = await runFolder(`sipp-${options.extension}`);
  const port = await freePort();
  const contact = `sip:${options.extension}@${loopback}:${port}`;
  const scenario = join(folder.path, 'scenario.xml');
  await writeFile(scenario, await scenarioText(options));
  const log = join(folder.path, 'events.log');
  await writeFile(log, '');
  const remote = `${registrar.host}:${registrar.sipPort}`;
  const common = [remote, '-i', loopback, '-s', options.extension, '-nostdin', '-skip_rlimit'];
  const sipp = async (...args: string[]) => ({
    ...(await fromTree(root, 'usr/bin/sipp', [...common, '-cp', `${await freePort()}`, ...args])),
    env: { TERM: 'dumb' },
    cwd: folder.path,
  });

  const register = async (expires: number) => {
    const login = ['-au', options.extension, '-ap', options.password];
    const values = ['-set', 'contact', contact, '-set', 'expires', `${expires}`];
    const limits = ['-m', '1', '-timeout', '5s', '-timeout_error'];
    const own = ['-p', `${await freePort()}`];
    const once = start(
      await sipp('-sf', join(scenarios, 'register.xml'), ...own, ...login, ...values, ...limits),
    );
    if ((await once.ended) !== 0) {
      throw new Error(`SIPp could not register ${options.extension}: ${once.log().slice(-1500)}`);
    }
  };

  const takeCalls = ['-sf', scenario, '-aa', '-p', `${port}`];
  const media = ['-mp', `${await freePort()}`, '-mi', loopback, '-rtp_echo'];
  const server = await startServer({
    version: 'SIPp 3.6',
    folder,
    host: loopback,
    command: await sipp(...takeCalls, ...media, '-trace_logs', '-log_file', log, '-log_overwrite', 'false'),
    async ready() {
      await register(registration);
      return true;
    },
  });
  const { stop } = server;
  return Object.assign(server, {
    extension: options.extension,
    async events() {
      return parseEvents(await readFile(log, 'utf8'));
    },
    async stop() {
      // The registrar may be gone already; then there is nothing to take back.
      if (server.alive()) await register(0).catch(() => undefined);
      await stop();
    },
  });
}

async function scenarioText({ behaviour = 'answer', ring = 200 }: SippOptions): Promise<string> {
  const refusal = { busy: '486 Busy Here', decline: '603 Decline', answer: '', noanswer: '' }[behaviour];
  const template = await readFile(join(scenarios, refusal ? 'refuse.xml' : 'answer.xml'), 'utf8');
  const time = behaviour === 'noanswer' ? 600_000 : Math.max(1, Math.round(ring));
  return template
    .replace('after @RING@ ms', `after ${time} ms`)
    .replace('@RING@', `${time}`)
    .replaceAll('@STATUS@', refusal);
}

function parseEvents(log: string): SippEvent[] {
  return [...log.matchAll(/^(ringing|connected|ended|cancelled|refused)\s*(.*)$/gm)].map(
    ([, kind, from = '']) => ({
      kind: kind as SippEvent['kind'],
      from: from.trim(),
    }),
  );
}
