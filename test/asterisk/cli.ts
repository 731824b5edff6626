import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type AmiUser, type Asterisk, defaultUsers, numbers, startAsterisk } from './asterisk.ts';
import { createCommands } from './commands.ts';

const usage = `Usage: npm run asterisk -- [options]

A simulated Asterisk 22 for client developers: AMI, telephones, a dialplan.

  --port N        AMI port, 0 for a free one (default 5038)
  --host ADDRESS  address to listen on (default 127.0.0.1)
  --user NAME     one account with all rights instead of the default three
  --secret WORD   its secret (default offhook-secret)
  --quiet         no VarSet and Newexten events
  --log           one line per AMI action and call
  --help          this text`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '5038' },
      host: { type: 'string', default: '127.0.0.1' },
      user: { type: 'string' },
      secret: { type: 'string', default: 'offhook-secret' },
      quiet: { type: 'boolean', default: false },
      log: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) {
    throw new Error(`--port ${values.port}: give a port from 0 to 65535`);
  }
  const users: readonly AmiUser[] =
    values.user === undefined
      ? defaultUsers
      : [{ username: values.user, secret: values.secret, read: ['all'], write: ['all'] }];
  const asterisk = await startAsterisk({
    port: Number(values.port),
    host: values.host,
    users,
    noise: !values.quiet,
    ...(values.log ? { log: (line: string) => console.log(`  · ${line}`) } : {}),
  });
  console.log(welcome(asterisk));
  converse(asterisk);
}

function welcome(asterisk: Asterisk): string {
  const accounts = asterisk.users.map((user) => {
    const rights = user.write.includes('all') ? 'all rights' : `write ${user.write.join(',')}`;
    return `  ${user.username.padEnd(10)}${user.secret.padEnd(18)}${rights}`;
  });
  const phones = asterisk.phones.map((phone, index) => {
    const device = asterisk.phones
      .slice(0, index + 1)
      .filter((other) => other.number === phone.number).length;
    const name = device === 1 ? phone.number : `${phone.number}/${device}`;
    return `  ${name.padEnd(10)}${phone.endpoint.padEnd(18)}${phone.name}${phone.registered ? '' : ' (not registered)'}`;
  });
  return [
    `Simulated Asterisk 22, AMI on ${asterisk.host} port ${asterisk.port}`,
    '',
    'Accounts (name, secret)',
    ...accounts,
    '',
    'Telephones, in context internal',
    ...phones,
    '',
    'Numbers',
    ...numbers.map((line) => `  ${line}`),
    '',
    "Type 'call 340 370', then 'answer 370'; 'help' lists the commands; Ctrl-C ends.",
    '',
  ].join('\n');
}

/** Reads commands until quit or a signal. The end of standard input is not the end: a container has none. */
function converse(asterisk: Asterisk): void {
  const commands = createCommands(asterisk);
  const reader = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  let reading = true;
  let turn: Promise<void> = Promise.resolve();
  const end = () => {
    reader.close();
    void asterisk.stop();
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  reader.on('SIGINT', end);
  reader.on('close', () => {
    reading = false;
  });
  reader.on('line', (line) => {
    // One after the other, so that pasted commands answer in their order.
    turn = turn.then(() => obey(line));
  });
  reader.prompt();

  async function obey(line: string): Promise<void> {
    if (line.trim() === 'quit') {
      end();
      return;
    }
    try {
      const text = await commands.execute(line);
      if (text !== '') console.log(text);
    } catch (error) {
      console.log(error instanceof Error ? error.message : String(error));
    }
    if (reading) reader.prompt();
  }
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message.includes('EADDRINUSE') ? `${message}: choose another port with --port` : message);
  process.exitCode = 1;
});
