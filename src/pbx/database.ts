/** The AstDB: what the dialplan remembers by family and key; and the states of custom devices, which it keeps there, too. */

import { Failure, fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { type AmiAction, action } from './action.ts';
import { isUnknownAction } from './answer.ts';
import { type Control, text } from './control.ts';
import type { DeviceName, Pbx } from './pbx.ts';

// astdb keys are paths (`/family/key`), at most 256 bytes (db.c); `%` would be a pattern in a tree.
const name = /^[A-Za-z0-9*#+_.-]{1,79}$/;

function entry(family: string, key: string): Readonly<Record<string, string>> {
  if (!name.test(family) || !name.test(key)) {
    fail('invalid-target', 'Families and keys of the AstDB hold letters, digits and * # + _ . - only.');
  }
  return { Family: family, Key: key };
}

/** The value of an entry; undefined where there is none. Rejects as `Control.list` does. */
async function readEntry(control: Control, family: string, key: string): Promise<string | undefined> {
  try {
    const items = await control.list(action('DBGet', entry(family, key)));
    const found = items.find((item) => text(item, 'event') === 'DBGetResponse');
    return found === undefined ? undefined : text(found, 'val');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Every entry of a family by key; undefined where this Asterisk has no action for it. COMPAT: DBGetTree came with 18.18, 20.3 and 21.
 * Rejects as `Control.list` does.
 */
async function readFamily(
  control: Control,
  family: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (!name.test(family)) entry(family, '');
  try {
    const items = await control.list(action('DBGetTree', { Family: family }));
    const prefix = `/${family}/`;
    return new Map(
      items
        .filter((item) => text(item, 'key').startsWith(prefix))
        .map((item) => [text(item, 'key').slice(prefix.length), text(item, 'val')]),
    );
  } catch (error) {
    if (error instanceof Failure && isUnknownAction(error.message)) return undefined;
    if (isNotFound(error)) return new Map();
    throw error;
  }
}

/** Sets an entry. Throws `Failure` `invalid-target`. */
function putAction(family: string, key: string, value: string): AmiAction {
  return action('DBPut', { ...entry(family, key), Val: value });
}

/** Removes an entry; one that is not there is none the less. Rejects as `Control.run` does. */
async function removeEntry(control: Control, family: string, key: string): Promise<void> {
  try {
    await control.run(action('DBDel', entry(family, key)));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

// db.c: "Database entry not found", of DBDel in older versions "… could not be deleted".
function isNotFound(error: unknown): boolean {
  return (
    error instanceof Failure &&
    error.code === 'rejected' &&
    /^Database entry (not found|could)/.test(error.message)
  );
}

/** Sets the state of a custom device (func_devstate.c). Throws `Failure` `invalid-target`. */
function deviceStateAction(device: DeviceName, state: string): AmiAction {
  if (!/^Custom:[A-Za-z0-9*#_-]{1,70}$/.test(device)) {
    fail('invalid-target', 'Only the state of a custom device can be set.');
  }
  return action('Setvar', { Variable: `DEVICE_STATE(${device})`, Value: state });
}

/** The verbs of the AstDB and of custom devices. */
export function databaseVerbs({
  run,
  ask,
}: Acting): Pick<Pbx, 'dbGet' | 'dbFamily' | 'dbPut' | 'dbDel' | 'setDeviceState'> {
  return {
    dbGet: (family, key) => ask((control) => readEntry(control, family, key)),
    dbFamily: (family) => ask((control) => readFamily(control, family)),
    dbPut: async (family, key, value) => run(putAction(family, key, value)),
    dbDel: (family, key) => ask((control) => removeEntry(control, family, key)),
    setDeviceState: async (device, state) => run(deviceStateAction(device, state)),
  };
}
