/** Who takes part in the demo. */

import { randomBytes } from 'node:crypto';

/** A user of the demo, and the password of the day. */
export interface DemoUser {
  readonly name: string;
  readonly fullName: string;
  readonly extension: string;
  readonly password: string;
  readonly supervisor: boolean;
}

const password = () => randomBytes(6).toString('base64url');

/** The one who calls, the one who is called, and one for the reader to log in as. */
export const people = {
  anna: { name: 'anna', fullName: 'Anna Müller', extension: '340', password: password(), supervisor: false },
  bernd: {
    name: 'bernd',
    fullName: 'Bernd Schmidt',
    extension: '370',
    password: password(),
    supervisor: false,
  },
  carla: {
    name: 'carla',
    fullName: 'Carla Österreich',
    extension: '320',
    password: password(),
    supervisor: true,
  },
} satisfies Record<string, DemoUser>;

/** The directory file of these people, as YAML. */
export function directoryYaml(users: readonly DemoUser[]): string {
  const entries = users.map(({ name, fullName, extension, supervisor }) =>
    [
      `  - name: ${name}`,
      `    fullName: ${fullName}`,
      `    extension: ${extension}`,
      `    mailbox: ${extension}@default`,
      '    devices:',
      `      - { name: Phone ${extension}, device: PJSIP/${extension}, type: hardphone, capabilities: [dial, hangup, transfer] }`,
      ...(supervisor ? ['    roles: [xmpp.supervisor]'] : []),
    ].join('\n'),
  );
  return `users:\n${entries.join('\n')}\nrules:\n  dialFrom: true\n`;
}
