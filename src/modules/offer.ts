/** Which commands work on this system: what the operator has switched on, and the telephone system lets the bridge do. */

import type { Logger } from 'pino';
import { fail } from '../errors.ts';
import type { Pbx } from '../pbx/pbx.ts';
import type { Policy } from '../rules/policy.ts';
import type { Command, Module } from './define.ts';

type Able = Pick<Pbx, 'abilities'>;

/** Names of the actions of the telephone system that a command lacks, each once. */
function lacking(command: Command, { abilities }: Able): readonly string[] {
  return [...new Set(command.needs.flatMap((verb) => abilities.lacks(verb)))];
}

/** Lets a command through that works here. Throws `Failure` `not-available` that says what is missing. */
export function demandOffered(module: string, command: Command, policy: Policy, pbx: Able): void {
  const off = command.off(policy);
  if (off !== undefined) fail('not-available', off);
  const missing = lacking(command, pbx);
  if (missing.length === 0) return;
  fail(
    'not-available',
    `${module}.${command.name} does not work on this system, for the telephone system does not offer ${missing.join(', ')} to the bridge: tell your administrator.`,
  );
}

/**
 * The commands that work, as `module.Command`. Of a telephone system that has not been reached yet nothing is promised.
 */
export function offeredCommands(modules: readonly Module[], policy: Policy, pbx: Able): readonly string[] {
  const works = (command: Command) =>
    command.off(policy) === undefined &&
    (command.needs.length === 0 || (pbx.abilities.known && lacking(command, pbx).length === 0));
  return modules.flatMap((module) =>
    [...module.commands.values()].filter(works).map(({ name }) => `${module.name}.${name}`),
  );
}

/** Says to the operator which commands cannot work, and for want of what: one line whenever that has become another. */
export function watchOffer(
  modules: readonly Module[],
  pbx: Able & Pick<Pbx, 'id' | 'onState'>,
  log: Logger,
): void {
  let said = '{}';
  pbx.onState(({ control }) => {
    if (!control) return;
    const commands = lackingCommands(modules, pbx);
    const text = JSON.stringify(commands);
    if (text === said) return;
    said = text;
    if (text === '{}') log.info({ pbx: pbx.id }, 'every command is offered');
    else
      log.warn(
        { pbx: pbx.id, commands },
        "commands are not offered: add the classes of these actions to 'write =' of the control account in manager.conf, or load the modules that have them",
      );
  });
}

/** The commands that cannot work, whatever the operator switches on, each with the actions that it lacks. */
function lackingCommands(modules: readonly Module[], pbx: Able): Readonly<Record<string, readonly string[]>> {
  const all = modules.flatMap((module) =>
    [...module.commands.values()].map(
      (command) => [`${module.name}.${command.name}`, lacking(command, pbx)] as const,
    ),
  );
  return Object.fromEntries(all.filter(([, missing]) => missing.length > 0));
}
