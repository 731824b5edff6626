/** A whole office: a real XMPP server, a simulated Asterisk, the bridge between them as `main` would make it. */

import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { assemble, type Offhook } from '../../src/assemble.ts';
import { readConfig } from '../../src/config.ts';
import { type Asterisk, startAsterisk } from '../asterisk/asterisk.ts';
import { runFolder } from '../servers/folders.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { login, type User } from '../xmpp/client.ts';

export const DOMAIN = 'example.test';
export const PBX = 'pbx.example.test';
export const secret = 'handshake';

/** The people, their extensions (telephones of the simulated Asterisk) and groups. */
export const people = {
  anna: { name: 'anna', fullName: 'Anna Müller', extension: '340', groups: ['Sales'] },
  bernd: { name: 'bernd', fullName: 'Bernd Schmidt', extension: '370', groups: ['Sales'] },
  carla: { name: 'carla', fullName: 'Carla Österreich', extension: '320', groups: ['Support'] },
} as const;

interface Person {
  readonly name: string;
  readonly fullName: string;
  readonly extension: string;
  readonly groups: readonly string[];
}

export const users = Object.values(people).map(({ name }) => ({ name, password: `${name}-secret` }));

/** What an XMPP server is started with. */
export const serverOptions: XmppOptions = {
  domain: DOMAIN,
  users,
  component: { jid: PBX, secret },
};

/** A place where somebody can sit down: nobody's telephone. */
export const place = { name: 'Desk 1', extension: '310' } as const;

function directoryYaml(list: readonly Person[]): string {
  const entries = list.map(({ name, fullName, extension, groups }) =>
    [
      `  - name: ${name}`,
      `    fullName: ${fullName}`,
      `    extension: "${extension}"`,
      `    groups: [${groups.join(', ')}]`,
      `    devices: [{ name: Phone ${extension}, device: PJSIP/${extension} }]`,
    ].join('\n'),
  );
  const desk = `{ name: ${place.name}, devices: [{ name: Phone of ${place.name}, device: PJSIP/${place.extension} }] }`;
  return `users:\n${entries.join('\n')}\nplaces:\n  - ${desk}\n`;
}

export interface Office {
  readonly server: XmppServer;
  readonly asterisk: Asterisk;
  /** What the bridge logged. */
  readonly lines: readonly string[];
  /** The present bridge; `start` makes another one with the same settings, or with changes to them. */
  readonly bridge: Offhook;
  start(changes?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
  /** Logs a person in. */
  login(person: Person, resource?: string): Promise<User>;
  /** Rewrites the directory. */
  staff(list: readonly Person[]): Promise<void>;
}

/** Opens an office on a server; all of it ends with the test. `settings` are environment variables. */
export async function open(
  server: XmppServer,
  settings: Readonly<Record<string, string>> = {},
): Promise<Office> {
  const folder = await runFolder('office');
  onTestFinished(() => folder.remove());
  const asterisk = await startAsterisk();
  onTestFinished(() => asterisk.stop());
  const file = join(folder.path, 'users.yaml');
  await writeFile(file, directoryYaml(Object.values(people)));
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });

  function make(changes: Readonly<Record<string, string>> = {}): Offhook {
    const { config } = readConfig({
      XMPP_SERVICE: `xmpp://${server.host}:${server.componentPort}`,
      XMPP_COMPONENT: PBX,
      XMPP_SECRET: secret,
      AMI_HOST: asterisk.host,
      AMI_PORT: `${asterisk.port}`,
      AMI_USERNAME: 'control',
      AMI_SECRET: 'control-secret',
      AMI_FEED_USERNAME: 'feed',
      AMI_FEED_SECRET: 'feed-secret',
      DIRECTORY_FILE: file,
      HTTP_LISTEN: '',
      ...settings,
      ...changes,
    });
    return assemble(config, log, 'test');
  }

  let bridge = make();
  let running = false;
  onTestFinished(async () => {
    if (running) await bridge.stop();
  });
  const office: Office = {
    server,
    asterisk,
    lines,
    get bridge() {
      return bridge;
    },
    async start(changes) {
      bridge = make(changes);
      running = true;
      await bridge.start();
    },
    async stop() {
      running = false;
      await bridge.stop();
    },
    // A resource of its own for each: a session of an earlier test may still be in hibernation (XEP-0198).
    async login({ name }, resource = `desk-${randomUUID()}`) {
      const user = await login(server, { name, password: `${name}-secret` }, resource);
      // RFC 6121 §2.2: who has not asked for the roster is told nothing of subscriptions.
      await user.ask(`${name}@${DOMAIN}`, `<query xmlns='jabber:iq:roster'/>`);
      return user;
    },
    staff: (list) => writeFile(file, directoryYaml(list)),
  };
  await office.start();
  return office;
}

/** The presence stanzas of a contact that somebody got, as `type`, or `show: status`, or `available`. */
export function seen(user: User, from: string): string[] {
  return user.stanzas
    .filter(({ name, attrs }) => name === 'presence' && attrs.from === from)
    .map((stanza) => {
      if (stanza.attrs.type !== undefined) return stanza.attrs.type;
      const show = stanza.getChildText('show');
      return show === null ? 'available' : `${show}: ${stanza.getChildText('status')}`;
    });
}

/** Waits until the last presence of a contact is this one. */
export async function sees(user: User, from: string, expected: string): Promise<void> {
  await until(
    `${user.jid} sees ${from} ${expected}, not ${seen(user, from).join(', ')}`,
    () => seen(user, from).at(-1) === expected,
  );
}

/** Subscribes as a client does: roster entry, then request (RFC 6121 §3.1.2). */
export async function subscribe(user: User, contact: string): Promise<void> {
  await user.send(`<presence type='subscribe' to='${contact}'/>`);
}
