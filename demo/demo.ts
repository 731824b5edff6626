/**
 * `npm run demo`: the bridge's main job, to watch. Two people log in to a real Prosody, one calls the other; then it stays up
 * for the reader's own client. `--asterisk`: a real Asterisk instead of the simulated one; `--redis`: a real Redis;
 * `--once`: ends after the call.
 */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assemble } from '../src/assemble.ts';
import { readConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import {
  type Progress,
  runFolder,
  ServersUnavailable,
  startProsody,
  startRedis,
  until,
} from '../test/servers/index.ts';
import { logIn, type Person } from './client.ts';
import { directoryYaml, people } from './people.ts';
import { exchange, fact, heading, paint, progress, say } from './screen.ts';
import { real, simulated } from './telephones.ts';

const DOMAIN = 'demo.localhost';
const COMPONENT = `pbx.${DOMAIN}`;
const everybody = Object.values(people);

/** What has to be undone, last thing first. */
const undo: (() => Promise<void>)[] = [];
let ending: Promise<void> | undefined;

function end(): Promise<void> {
  ending ??= (async () => {
    for (const step of undo.splice(0).reverse()) await step();
  })();
  return ending;
}

function keep<T extends { stop(): Promise<void> }>(it: T): T {
  undo.push(() => it.stop());
  return it;
}

function showProgress({ name, step, done, total }: Progress): void {
  const part = total > 0 ? ` ${Math.floor((100 * done) / total)} % of ${Math.ceil(total / 1e6)} MB` : '';
  progress(`${name}: ${{ list: 'looking it up', download: 'fetching', unpack: 'unpacking' }[step]}${part}`);
}

async function startEverything(options: { asterisk: boolean; redis: boolean }) {
  heading('Starting (servers are fetched once, into a cache folder)');
  const secret = randomBytes(12).toString('hex');
  const users = everybody.map(({ name, password }) => ({ name, password }));
  const component = { jid: COMPONENT, secret };
  const prosody = keep(
    await startProsody({ domain: DOMAIN, users, component, installed: 'auto', onProgress: showProgress }),
  );
  progress('');
  fact('XMPP server', `${prosody.version}, clients at ${prosody.host}:${prosody.c2sPort}`);
  const called = [people.anna.extension, people.bernd.extension];
  const telephones = keep(options.asterisk ? await real(called, showProgress) : await simulated());
  progress('');
  fact('telephones', telephones.description);
  const redis = options.redis ? keep(await startRedis({ onProgress: showProgress })) : undefined;
  progress('');
  fact('store', redis ? `${redis.version} at ${redis.host}:${redis.port}` : 'memory');

  const folder = await runFolder('demo');
  undo.push(() => folder.remove());
  const directory = join(folder.path, 'users.yaml');
  await writeFile(directory, directoryYaml(everybody));
  const { config, secrets } = readConfig({
    XMPP_SERVICE: `xmpp://${prosody.host}:${prosody.componentPort}`,
    XMPP_COMPONENT: COMPONENT,
    XMPP_SECRET: secret,
    AMI_HOST: telephones.host,
    AMI_PORT: String(telephones.port),
    AMI_USERNAME: telephones.control.username,
    AMI_SECRET: telephones.control.secret,
    AMI_FEED_USERNAME: telephones.feed.username,
    AMI_FEED_SECRET: telephones.feed.secret,
    DIRECTORY_FILE: directory,
    ...(redis && { STORE: 'redis', REDIS_URL: redis.url }),
    HTTP_LISTEN: '',
    LOG_LEVEL: 'error',
  });
  const began = performance.now();
  const offhook = keep(assemble(config, createLog({ ...config.log, secrets }), 'demo'));
  await offhook.start();
  fact('bridge', `${COMPONENT}, ready in ${Math.round(performance.now() - began)} ms`);
  return { prosody, telephones };
}

/** Waits until a person's client has been told. */
async function sees(person: Person, type: string): Promise<void> {
  await until(
    `${person.jid} is told "${type}"`,
    () => person.events.some((event) => event.type === type),
    20,
  );
}

async function story(anna: Person, bernd: Person): Promise<void> {
  heading('1. Both log in and say what they want to hear about');
  await anna.handshake();
  await bernd.handshake();

  heading('2. Anna clicks to dial; her telephone rings first, then Bernd’s');
  await anna.command('base', 'Dial', { target: people.bernd.extension });
  await Promise.all([sees(anna, 'ringing'), sees(bernd, 'ringing')]);
  await Promise.all([sees(anna, 'busy'), sees(bernd, 'busy')]);
  exchange('both', '☎', 'talking', 'Bernd has answered');

  heading('3. Anna hangs up');
  await anna.command('base', 'Hangup', {});
  await Promise.all([sees(anna, 'hangup'), sees(bernd, 'hangup')]);
}

function invite(host: string, port: number, behavior: string): void {
  heading('Your turn: log in with an XMPP client of your own');
  fact('server', `${host} port ${port}, without TLS: allow plain text`);
  for (const { name, password, extension, supervisor } of everybody) {
    const role = supervisor ? ', supervisor' : '';
    fact(`extension ${extension}`, `${name}@${DOMAIN}, password ${password}${role}`);
  }
  fact('telephones', `add 370@${COMPONENT} as a contact, and see it ring and talk`);
  fact('bridge', `${COMPONENT}; into an XML console, for example:`);
  say();
  say(`    <iq type='set' to='${COMPONENT}' id='d1'>`);
  say("      <cmd xmlns='http://www.pascom.net/mobydick' module='base'>");
  say("        <Dial target='370'/>");
  say('      </cmd>');
  say('    </iq>');
  say();
  say(`  ${behavior[0]?.toUpperCase()}${behavior.slice(1)}.`);
  say('  Ctrl-C ends the demo and leaves nothing behind.');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { asterisk: { type: 'boolean' }, redis: { type: 'boolean' }, once: { type: 'boolean' } },
  });
  say(paint('bold', 'offhook demo: chat server and telephone system, joined'));
  const { prosody, telephones } = await startEverything({
    asterisk: values.asterisk ?? false,
    redis: values.redis ?? false,
  });
  const { host, c2sPort: port } = prosody;
  const logInAs = async ({ name, password }: (typeof everybody)[number]) => {
    const person = await logIn({ host, port, domain: DOMAIN, component: COMPONENT, name, password });
    undo.push(() => person.logout());
    return person;
  };
  const anna = await logInAs(people.anna);
  const bernd = await logInAs(people.bernd);
  await story(anna, bernd);
  if (values.once) return end();
  invite(host, port, telephones.behavior);
  await new Promise<void>((resolve) => undo.unshift(async () => resolve()));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Ctrl-C comes twice: from the terminal, and passed on by tsx.
    if (ending !== undefined) return;
    progress('');
    say('\n  ending …');
    void end().then(() => process.exit(0));
  });
}

main().catch(async (error: unknown) => {
  progress('');
  if (ending !== undefined) return ending;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof ServersUnavailable ? message : `demo: ${message}`}\n`);
  await end();
  process.exitCode = 1;
});
