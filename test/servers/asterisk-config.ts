/** Fills the templates of asterisk/: every `@NAME@` in them is a value or a section from here. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A user of the PBX: a phone (PJSIP endpoint and login of this name), a hint and a mailbox. */
export interface Extension {
  readonly number: string;
  readonly name: string;
  readonly password: string;
}

/** A section of manager.conf; `read` and `write` are lists of classes as there. */
export interface ManagerAccount {
  readonly username: string;
  readonly secret: string;
  readonly read: string;
  readonly write: string;
}

/** Five colleagues. 340 is a member of queue Support, 370 of queue Sales. */
export const office: readonly Omit<Extension, 'password'>[] = [
  { number: '310', name: 'Emil Extra' },
  { number: '320', name: 'Carla Österreich' },
  { number: '330', name: 'Dora Forward' },
  { number: '340', name: 'Anna Müller' },
  { number: '370', name: 'Bernd Schmidt' },
];

interface Login {
  readonly username: string;
  readonly secret: string;
}

/** What differs from one Asterisk to another. */
export interface AsteriskSetup {
  readonly run: string;
  readonly modules: string;
  readonly ports: { readonly ami: number; readonly sip: number; readonly trunk: number };
  readonly extensions: readonly Extension[];
  readonly managers: { readonly control: Login; readonly feed: Login };
  readonly moreManagers: readonly ManagerAccount[];
  readonly tls?: { readonly port: number; readonly certificate: string };
}

const templates = fileURLToPath(new URL('./asterisk/', import.meta.url));

/** The configuration files by name. @throws Error when a template asks for something unknown. */
export async function asteriskConfig(setup: AsteriskSetup): Promise<Record<string, string>> {
  const values = new Map(Object.entries(placeholders(setup)));
  const files: Record<string, string> = {};
  for (const name of await readdir(templates)) {
    const text = await readFile(join(templates, name), 'utf8');
    files[name] = text.replaceAll(/@([A-Z_]+)@/g, (_, key: string) => {
      const value = values.get(key);
      if (value === undefined) throw new Error(`${name} asks for @${key}@, which does not exist`);
      return value;
    });
  }
  return files;
}

function placeholders(setup: AsteriskSetup): Record<string, string> {
  const { ports, extensions, managers } = setup;
  return {
    RUN: setup.run,
    MODULES: setup.modules,
    AMI_PORT: `${ports.ami}`,
    SIP_PORT: `${ports.sip}`,
    TRUNK_PORT: `${ports.trunk}`,
    CONTROL_SECRET: managers.control.secret,
    FEED_SECRET: managers.feed.secret,
    MANAGERS: setup.moreManagers.map(managerSection).join('\n'),
    TLS: setup.tls ? tlsLines(setup.tls) : '',
    PHONES: extensions.map(phoneSections).join('\n'),
    HINTS: extensions.map(({ number }) => `exten => ${number},hint,PJSIP/${number}`).join('\n'),
    MAILBOXES: extensions.map(({ number, name }) => `${number} => 1234,${name}`).join('\n'),
  };
}

function phoneSections({ number, name, password }: Extension): string {
  return `[${number}](phone)
auth = ${number}
aors = ${number}
callerid = "${name}" <${number}>
mailboxes = ${number}@default

[${number}](login)
username = ${number}
password = ${password}

[${number}](contacts)
`;
}

function managerSection({ username, secret, read, write }: ManagerAccount): string {
  return `[${username}]
secret = ${secret}
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
read = ${read}
write = ${write}
writetimeout = 5000
`;
}

function tlsLines({ port, certificate }: { readonly port: number; readonly certificate: string }): string {
  return `tlsenable = yes
tlsbindaddr = 127.0.0.1:${port}
tlscertfile = ${certificate}
tlsprivatekey = ${certificate}`;
}
