/** Child processes that never outlive this one. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { triplet } from './debian.ts';
import { atExit } from './exit.ts';

/** A program with its arguments. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing of ours is added. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A started program. */
export interface Running {
  readonly pid: number;
  /** False once it has ended. */
  alive(): boolean;
  /** The end of what it wrote to stdout and stderr, at most 64 KiB. */
  log(): string;
  /**
   * Resolves with the exit code (null: ended by a signal) once it has ended and its output is complete, or, where a process
   * that it left behind keeps the output open, two seconds later.
   */
  readonly ended: Promise<number | null>;
  /** SIGTERM, and SIGKILL if it has not ended after `seconds`. */
  stop(seconds?: number): Promise<void>;
  /** SIGKILL, as a crash would look. */
  kill(): Promise<void>;
  /** Sends a line to its standard input. */
  write(text: string): void;
  /** Its standard input ends. */
  end(): void;
}

const logLimit = 64 * 1024;

/** How long the output of a program that has ended may stay open, milliseconds. */
const outputMs = 2000;

/** Ends the child with its parent even when that is killed by SIGKILL; part of util-linux, which Debian always has. */
const tether = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] : [];

/**
 * `program` (a path inside `root`) by the dynamic loader of the tree, so that the version of the host's C library does not matter.
 * @throws ServersUnavailable on an architecture without packages.
 */
export async function fromTree(root: string, program: string, args: readonly string[]): Promise<Command> {
  const libraries = libraryFolders(root);
  const loader = await findLoader(libraries);
  return { program: loader, args: ['--library-path', libraries.join(':'), join(root, program), ...args] };
}

function libraryFolders(root: string): string[] {
  return [...['lib', 'usr/lib'].map((folder) => join(root, folder, triplet())), join(root, 'usr/lib')];
}

async function findLoader(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    const names = existsSync(folder) ? await readdir(folder) : [];
    const name = names.find((entry) => /^ld-linux-.*\.so\.\d$/.test(entry));
    if (name) return join(folder, name);
  }
  throw new Error(
    `No dynamic loader below ${folders.join(', ')}: delete this folder of the cache and try again`,
  );
}

/**
 * Starts `command` in a process group of its own: an interrupt on the terminal reaches us, not the server. `onOutput` gets what it
 * writes to stdout, as it comes.
 */
export function start(command: Command, onOutput: (text: string) => void = () => {}): Running {
  const [program, ...args] = [...tether, command.program, ...command.args];
  const child = spawn(program ?? command.program, args, {
    cwd: command.cwd,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', ...command.env },
    detached: true,
    stdio: 'pipe',
  });
  let output = '';
  const remember = (chunk: string) => {
    output = (output + chunk).slice(-logLimit);
  };
  child.stdout.setEncoding('utf8').on('data', remember).on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', remember);
  child.stdin.on('error', (error) => remember(`${error}\n`));
  child.on('error', (error) => remember(`${error}\n`));

  const signal = (name: NodeJS.Signals) => {
    // The group, not the process: ejabberd has children of its own.
    if (child.pid !== undefined && alive) process.kill(-child.pid, name);
  };
  const forget = atExit(() => signal('SIGKILL'));
  let alive = child.pid !== undefined;
  const ended = new Promise<number | null>((resolve) => {
    const end = (code: number | null) => {
      forget();
      resolve(code);
    };
    child.once('exit', (code) => {
      alive = false;
      setTimeout(end, outputMs, code).unref();
    });
    child.once('close', end);
    if (!alive) end(null);
  });
  const kill = async () => {
    signal('SIGKILL');
    await ended;
  };
  return {
    pid: child.pid ?? -1,
    alive: () => alive,
    log: () => output,
    ended,
    kill,
    async stop(seconds = 5) {
      signal('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), seconds * 1000);
      await ended;
      clearTimeout(timer);
    },
    write: (text) => child.stdin.write(text),
    end: () => void child.stdin.end(),
  };
}
