/** Who works in the office of the conversations. */

/** One colleague: an XMPP account, an extension, a telephone. */
export interface Colleague {
  /** Local part of the JID. */
  readonly name: string;
  readonly fullName: string;
  readonly extension: string;
  readonly supervisor: boolean;
}

const colleague = (name: string, fullName: string, extension: string, supervisor = false): Colleague => ({
  name,
  fullName,
  extension,
  supervisor,
});

/** Anna and Bernd call each other, Carla supervises, Emil's telephone is never plugged in. */
export const people = {
  anna: colleague('anna', 'Anna Müller', '340'),
  bernd: colleague('bernd', 'Bernd Schmidt', '370'),
  carla: colleague('carla', 'Carla Österreich', '320', true),
  emil: colleague('emil', 'Emil Extra', '310'),
} satisfies Record<string, Colleague>;

/** Everybody. */
export const everybody: readonly Colleague[] = Object.values(people);

/** Name of a colleague's telephone in the directory. */
export const deviceOf = ({ extension }: Colleague) => `Desk ${extension}`;

/** The number behind `viasetting`. */
export const voicemail = { setting: 'sys.asterisk.dialplan.global.voicebox.own.value', number: '*100' };

/** The directory file, as YAML. */
export function directoryYaml(): string {
  const users = everybody.map((person) =>
    [
      `  - name: ${person.name}`,
      `    fullName: ${person.fullName}`,
      `    extension: ${person.extension}`,
      `    mailbox: ${person.extension}@default`,
      '    devices:',
      `      - { name: ${deviceOf(person)}, device: PJSIP/${person.extension}, capabilities: [dial, hangup, transfer] }`,
      ...(person.supervisor ? ['    roles: [xmpp.supervisor]'] : []),
    ].join('\n'),
  );
  return `users:\n${users.join('\n')}\nsettings:\n  ${voicemail.setting}: '${voicemail.number}'\nrules:\n  dialFrom: true\n`;
}
