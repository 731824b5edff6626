#!/usr/bin/env node
/** The program: reads the environment, catches signals, exits. The only file that touches `process`. */

import { readFileSync } from 'node:fs';
import { makeStore, recordingsOf } from './adapters.ts';
import { assemble } from './assemble.ts';
import { eraseCommand, journalCommand, type WithStore } from './cli/books.ts';
import { explainCommand } from './cli/explain.ts';
import { recordCommand } from './cli/record.ts';
import { replayCommand } from './cli/replay.ts';
import { UsageError } from './cli/usage.ts';
import { ConfigError, readConfig } from './config.ts';
import { DirectoryFileError } from './directory/file.ts';
import { createLog } from './log.ts';

const usage = `offhook: telephone features of an Asterisk PBX for Prosody and ejabberd

usage: offhook            run the bridge, configured by environment variables and .env
       offhook health     ask a running bridge whether it is ready; exit code 0 or 1
       offhook record [--mask] [--max-mb N] FILE
                          write what Asterisk tells into FILE.ami and FILE.json,
                          without secrets; --mask hides names and numbers, too
       offhook replay [--directory users.yaml] [--as JID] FILE…
                          print what users would be told of a recording; exit
                          code 1 where something cannot be
       offhook explain [--directory users.yaml] [--at TIME] JID module.Command [name=value …]
                          say why somebody may use a command, or may not; exit
                          code 1 where it is refused
       offhook journal export [--format csv|json] [JID …]
                          print the journals of these users, or of all
       offhook erase JID  remove a user's journal and all else that is kept of
                          the user's calls
       offhook --version
       offhook --help

Settings: see .env.example. Documentation: docs/operating.md.
`;

/** Exit codes as sysexits.h has them, so that service managers can tell a mistake from a crash. */
const EX_USAGE = 64;
const EX_CONFIG = 78;
/** How long a command waits for the store, milliseconds. */
const STORE_MS = 10_000;

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

function complain(lines: readonly string[], exitCode: number): void {
  for (const line of lines) process.stderr.write(`offhook: ${line}\n`);
  process.exitCode = exitCode;
}

async function run(): Promise<void> {
  const { config, warnings, secrets } = readConfig(process.env);
  const log = createLog({ ...config.log, secrets });
  for (const warning of warnings) log.warn(warning);
  const began = performance.now();
  const offhook = assemble(config, log, version());

  let stopping: Promise<void> | undefined;
  const stop = (signal: string) => {
    if (stopping !== undefined) {
      log.warn({ signal }, 'stopping at once');
      process.exit(1);
    }
    log.info({ signal }, 'stopping; answering what is in flight');
    stopping = offhook.stop().then(() => log.info('stopped'));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('unhandledRejection', (reason) => {
    log.error({ err: reason }, 'a defect: a promise was left alone');
  });

  log.info({ version: version(), component: config.xmpp.component, node: process.version }, 'starting');
  try {
    await offhook.start();
  } catch (error) {
    await offhook.stop();
    throw error;
  }
  if (stopping === undefined) log.info({ ms: Math.round(performance.now() - began) }, 'ready');
  await stopping;
}

/** Asks the bridge that runs with the same settings. */
async function health(): Promise<void> {
  const { config } = readConfig(process.env);
  const { listen } = config.http;
  if (listen === undefined) return complain(['HTTP_LISTEN is empty: there is nobody to ask'], EX_CONFIG);
  const host = listen.host === '0.0.0.0' || listen.host === '::' ? '127.0.0.1' : listen.host;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${listen.port}/readyz`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(3000) });
    process.stdout.write(await response.text());
    if (!response.ok) process.exitCode = 1;
  } catch {
    complain([`nobody answers at ${address}`], 1);
  }
}

const printLine = (line: string) => void process.stdout.write(`${line}\n`);
const reportLine = (line: string) => void process.stderr.write(`${line}\n`);

async function recordUntilInterrupted(args: readonly string[]): Promise<void> {
  const recorder = await recordCommand(args, process.env, reportLine);
  process.on('SIGINT', () => recorder.stop());
  process.on('SIGTERM', () => recorder.stop());
  await recorder.ended;
}

/** The store of the configuration; its log stays silent, for what it would say is thrown. */
const withStore: WithStore = async (use) => {
  const { config } = readConfig(process.env);
  if (config.store.kind === 'memory') {
    throw new ConfigError(['STORE=memory: what a bridge keeps is in its own memory, and ends with it']);
  }
  const store = makeStore(config, createLog({ ...config.log, level: 'silent', secrets: [] }));
  try {
    await store.start(STORE_MS);
    if (!store.state.usable) throw new Error(store.state.reason);
    return await use(store);
  } finally {
    await store.stop(0);
  }
};

/** The recordings of the configuration, if there are any. */
function shelf() {
  const { config } = readConfig(process.env);
  return recordingsOf(config, createLog({ ...config.log, level: 'error', secrets: [] }))?.shelf;
}

/** Mistakes in the command line: ours, and those of `parseArgs`. */
function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

async function main([command, ...rest]: readonly string[]): Promise<void> {
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (command === 'replay') {
    process.exitCode = replayCommand(rest, printLine, reportLine);
    return;
  }
  if (command === 'explain') {
    process.exitCode = await explainCommand(rest, process.env, printLine);
    return;
  }
  if (command === 'erase') return eraseCommand(rest, withStore, shelf, printLine);
  if (command === 'journal') return journalCommand(rest, withStore, printLine);
  if (command === 'record') return recordUntilInterrupted(rest);
  if (rest.length > 0) throw new UsageError(`unexpected: ${rest.join(' ')}`);
  switch (command) {
    case undefined:
      return run();
    case 'health':
      return health();
    case '--version':
      process.stdout.write(`offhook ${version()}\n`);
      return;
    case '--help':
    case '-h':
      process.stdout.write(usage);
      return;
    default:
      throw new UsageError(`unknown command: ${command}`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError) {
    const count = error.mistakes.length === 1 ? 'a mistake' : `${error.mistakes.length} mistakes`;
    complain([`the configuration has ${count}:`, ...error.mistakes.map((line) => `  ${line}`)], EX_CONFIG);
  } else if (isUsage(error)) {
    complain([error.message, 'try: offhook --help'], EX_USAGE);
  } else if (error instanceof DirectoryFileError) {
    complain(error.mistakes, EX_CONFIG);
  } else {
    complain([error instanceof Error ? error.message : String(error)], 1);
  }
});
