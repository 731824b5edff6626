/** The whole bridge on a real XMPP server and the simulated Asterisk, for clients that know of no component. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { assemble, type Offhook } from '../../src/assemble.ts';
import { readConfig } from '../../src/config.ts';
import { startAsterisk } from '../asterisk/asterisk.ts';
import { runFolder } from '../servers/folders.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';

const CMD_NS = 'http://www.pascom.net/mobydick';
/** Who works here. The telephone of tweber has the key that `phone.Offhook` presses. */
export const people = {
  tweber: { name: 'tweber', password: 'one', extension: '340', fullName: 'Thomas Weber' },
  mmeyer: { name: 'mmeyer', password: 'two', extension: '370', fullName: 'Max Meyer' },
} as const;

/** What every server of these tests is started with. */
export const serverOptions: XmppOptions = {
  domain: 'example.test',
  users: Object.values(people),
  component: { jid: 'pbx.example.test', secret: 'secret' },
  delegate: [CMD_NS],
};

const directory = `users:
${Object.values(people)
  .map(
    ({ name, extension, fullName }) => `  - name: ${name}
    fullName: ${fullName}
    extension: ${extension}
    devices:
      - { name: Snom ${extension}, device: PJSIP/${extension}, capabilities: [dial, hangup, offhook] }`,
  )
  .join('\n')}
`;

/** What a test can see and touch. */
export interface LegacyOffice {
  readonly offhook: Offhook;
  readonly asterisk: Awaited<ReturnType<typeof startAsterisk>>;
}

/**
 * Starts a bridge at the server, with `settings` besides the usual ones and delegation required, and waits until it is in force. All ends with the
 * test. `more` is put at the end of the directory file.
 */
export async function openOffice(
  server: XmppServer,
  settings: Readonly<Record<string, string>> = {},
  more = '',
): Promise<LegacyOffice> {
  const asterisk = await startAsterisk();
  const folder = await runFolder('legacy');
  const file = join(folder.path, 'users.yaml');
  await writeFile(file, `${directory}${more}`);
  const account = (name: string) => {
    const user = asterisk.users.find(({ username }) => username === name);
    if (user === undefined) throw new Error(`the simulated Asterisk has no account ${name}`);
    return user;
  };
  const { config } = readConfig({
    XMPP_SERVICE: `xmpp://${server.host}:${server.componentPort}`,
    XMPP_COMPONENT: server.component.jid,
    XMPP_SECRET: server.component.secret,
    XMPP_DELEGATION: 'required',
    AMI_HOST: asterisk.host,
    AMI_PORT: String(asterisk.port),
    AMI_USERNAME: account('control').username,
    AMI_SECRET: account('control').secret,
    AMI_FEED_USERNAME: account('feed').username,
    AMI_FEED_SECRET: account('feed').secret,
    PBX_OUTSIDE_PREFIX: '0',
    DIRECTORY_FILE: file,
    HTTP_LISTEN: '',
    ...settings,
  });
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const offhook = assemble(config, log, 'test');
  onTestFinished(async () => {
    await offhook.stop();
    await asterisk.stop();
    await folder.remove();
  });
  await offhook.start();
  const told = (text: string) => lines.some((line) => line.includes(text));
  await until('the log says that delegation is in force', () => told('delegation is in force'));
  return { offhook, asterisk };
}
