/** The program as an operator starts it: a process of its own, its output, its exit code. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Asterisk, startAsterisk } from './asterisk/asterisk.ts';
import {
  freePort,
  type RunFolder,
  runFolder,
  startProsody,
  until,
  type XmppServer,
} from './servers/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const component = { jid: 'pbx.example.test', secret: 'component-secret-1234' };

type Environment = Readonly<Record<string, string>>;

interface Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly output: () => string;
  /** Log lines so far. */
  readonly lines: () => readonly {
    readonly level: string;
    readonly msg: string;
    readonly [field: string]: unknown;
  }[];
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Runs the program in an empty folder, with these variables and no others of its own. Ended with the test. */
function run(folder: string, args: readonly string[], environment: Environment): Run {
  const { PATH = '' } = process.env;
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(root, 'src/main.ts'), ...args],
    { cwd: folder, env: { PATH, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const lines = () =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as ReturnType<Run['lines']>[number]);
  return { child, output: () => text, lines, ended };
}

describe('the program', () => {
  let folder: RunFolder;
  let prosody: XmppServer;
  let asterisk: Asterisk;
  let httpPort: number;
  beforeAll(async () => {
    folder = await runFolder('program');
    [prosody, asterisk] = await Promise.all([
      startProsody({ domain: 'example.test', users: [], component }),
      startAsterisk(),
    ]);
    httpPort = await freePort();
  });
  afterAll(async () => {
    await asterisk?.stop();
    await prosody?.stop();
    await folder?.remove();
  });

  const settings = (): Environment => ({
    XMPP_SERVICE: `xmpp://${prosody.host}:${prosody.componentPort}`,
    XMPP_COMPONENT: component.jid,
    XMPP_SECRET: component.secret,
    AMI_HOST: asterisk.host,
    AMI_PORT: String(asterisk.port),
    AMI_USERNAME: 'control',
    AMI_SECRET: 'control-secret',
    AMI_FEED_USERNAME: 'feed',
    AMI_FEED_SECRET: 'feed-secret',
    HTTP_LISTEN: `127.0.0.1:${httpPort}`,
    LOG_FORMAT: 'json',
  });
  const start = (changes: Environment = {}, args: readonly string[] = []) =>
    run(folder.path, args, { ...settings(), ...changes });
  const logged = (program: Run, pattern: RegExp) =>
    until(
      `the log says ${pattern}`,
      () => program.lines().find((line) => pattern.test(JSON.stringify(line))),
      20,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${program.output()}`);
    });
  const expectNoSecrets = (program: Run, ...more: readonly string[]) => {
    for (const secret of [component.secret, 'control-secret', 'feed-secret', ...more]) {
      expect(program.output()).not.toContain(secret);
    }
  };

  it('starts, says that it is ready, tells its health, and stops on SIGTERM', async () => {
    const program = start();
    const ready = await logged(program, /"msg":"ready"/);
    expect(ready.ms).toBeTypeOf('number');
    const asked = start({}, ['health']);
    expect(await asked.ended).toBe(0);
    expect(asked.output()).toMatch(/^xmpp: up\npbx main: up\nstore: up\n$/);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.lines().at(-1)?.msg).toBe('stopped');
    expect(program.lines().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expectNoSecrets(program);
    const unanswered = start({}, ['health']);
    expect(await unanswered.ended).toBe(1);
    expect(unanswered.output()).toContain('nobody answers');
  });

  it('stops on SIGINT before it ever reached its neighbors', async () => {
    const program = start({
      XMPP_SERVICE: `xmpp://127.0.0.1:${await freePort()}`,
      AMI_PORT: String(await freePort()),
    });
    await logged(program, /not connected to the XMPP server/);
    await logged(program, /no connection to Asterisk/);
    const asked = start({}, ['health']);
    expect(await asked.ended).toBe(1);
    expect(asked.output()).toMatch(/^xmpp: down \(.+\)\npbx main: down \(.+\)\nstore: up\n$/);
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
    expect(program.output()).not.toContain('"msg":"ready"');
  });

  it('without settings: tells all mistakes at once', async () => {
    const program = run(folder.path, [], {});
    expect(await program.ended).toBe(78);
    for (const name of ['XMPP_COMPONENT', 'XMPP_SECRET', 'AMI_USERNAME', 'AMI_SECRET']) {
      expect(program.output()).toMatch(new RegExp(`^offhook: +${name}\\b.*missing`, 'm'));
    }
    expect(program.output()).not.toMatch(/\bat .*\.ts:\d+/);
  });

  it('with wrong settings: says what was expected, and shows no secret', async () => {
    const program = start({
      XMPP_SERVICE: 'http://example.org',
      AMI_PORT: '99999',
      STORE: 'redis',
      REDIS_URL: 'postgres://user:very-secret-1@localhost',
      LOG_LEVEL: 'loud',
      AMI_FEED_SECRET: '',
      RATE_LIMIT_BURST: '0',
    });
    expect(await program.ended).toBe(78);
    for (const name of [
      'XMPP_SERVICE',
      'AMI_PORT',
      'REDIS_URL',
      'LOG_LEVEL',
      'AMI_FEED_SECRET',
      'RATE_LIMIT_BURST',
    ]) {
      expect(program.output()).toContain(name);
    }
    expectNoSecrets(program, 'very-secret-1');
  });

  it('with a directory file that has mistakes: tells them with their lines', async () => {
    const file = join(folder.path, 'users.yaml');
    await writeFile(
      file,
      'users:\n  - name: anna\n    extension: none\n  - name: anna\n    extensoin: 340\n',
    );
    const program = start({ DIRECTORY_FILE: file });
    expect(await program.ended).toBe(78);
    expect(program.output()).toMatch(/users\.yaml.*:3\b/);
    expect(program.output()).toMatch(/extension/);
    expectNoSecrets(program);
  });

  it('with the wrong secret of the component: says what to compare, and goes on trying', async () => {
    const program = start({ XMPP_SECRET: 'not-the-secret-77' });
    await logged(program, /XMPP_SECRET/);
    expect(program.child.exitCode).toBeNull();
    expectNoSecrets(program, 'not-the-secret-77');
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  it('with a wrong secret of AMI: says which account to check, and goes on trying', async () => {
    const program = start({ AMI_SECRET: 'not-the-secret-88' });
    const line = await logged(program, /no connection to Asterisk/);
    expect(JSON.stringify(line)).toMatch(/control.*(?:account|secret|password|manager\.conf)/i);
    expect(program.child.exitCode).toBeNull();
    expectNoSecrets(program, 'not-the-secret-88');
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  it('where its HTTP port is taken: says so and ends', async () => {
    const program = start();
    await logged(program, /"msg":"ready"/);
    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(String(httpPort));
  });

  it('tells its version and its usage, and knows no other words', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const [told, usage, unknown, more] = [['--version'], ['--help'], ['--verbose'], ['health', 'now']].map(
      (args) => run(folder.path, args, {}),
    ) as [Run, Run, Run, Run];
    expect(await told.ended).toBe(0);
    expect(told.output()).toBe(`offhook ${version}\n`);
    expect(await usage.ended).toBe(0);
    expect(usage.output()).toContain('usage: offhook');
    expect(await unknown.ended).toBe(64);
    expect(unknown.output()).toContain('unknown command: --verbose');
    expect(await more.ended).toBe(64);
  });

  it('reads .env of the folder it is started in, and secrets from files', async () => {
    const file = join(folder.path, 'secret');
    await writeFile(file, `${component.secret}\n`);
    const { XMPP_SECRET: _, ...others } = settings();
    const text = Object.entries({ ...others, XMPP_SECRET_FILE: file }).map(
      ([name, value]) => `${name}=${value}\n`,
    );
    await writeFile(join(folder.path, '.env'), text.join(''));
    onTestFinished(() => writeFile(join(folder.path, '.env'), ''));
    const program = run(folder.path, [], {});
    await logged(program, /"msg":"ready"/);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expectNoSecrets(program);
  });
});
