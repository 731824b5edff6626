/** Finds what must be unique in a directory file and is not; works on files that have other mistakes, too. */

import { parseJid } from '../protocol/jid.ts';
import { isRecord, listAt, type Path, textAt } from './raw.ts';

/** A value that an earlier place of the file holds already. */
export interface Duplicate {
  readonly path: Path;
  /** The earlier place. */
  readonly first: Path;
  readonly value: string;
}

/** Compares user names, JIDs, extensions, names of places, device names, the devices themselves, and ids. `domain` completes missing JIDs. */
export function findDuplicates(raw: unknown, domain: string): Duplicate[] {
  const seen = new Map<string, Path>();
  const duplicates: Duplicate[] = [];
  /** `folded`: what is compared, where case does not count. False where the value was there already. */
  const check = (kind: string, value: string | undefined, path: Path, folded = value): boolean => {
    if (value === undefined) return true;
    const key = `${kind} ${folded}`;
    const first = seen.get(key);
    if (first) duplicates.push({ path, first, value });
    else seen.set(key, path);
    return first === undefined;
  };
  const checkDevices = (owner: unknown, at: Path): void => {
    for (const [number, device] of listAt(owner, 'devices').entries()) {
      check('device name', textAt(device, 'name'), [...at, number, 'name']);
      check('device', textAt(device, 'device'), [...at, number, 'device']);
    }
  };
  for (const [index, user] of listAt(raw, 'users').entries()) {
    const at = (...steps: Path): Path => ['users', index, ...steps];
    const name = textAt(user, 'name');
    const isNew = check('name', name, at('name'), name?.toLowerCase());
    const jid = textAt(user, 'jid');
    if (jid !== undefined) check('jid', jid, at('jid'), parseJid(jid)?.bare);
    // Of a name used twice it has been told; that the JIDs made from it are the same is no news.
    else if (isNew && name !== undefined)
      check('jid', `${name}@${domain}`, at('name'), parseJid(`${name}@${domain}`)?.bare);
    check('extension', textAt(user, 'extension'), at('extension'));
    checkDevices(user, at('devices'));
    const ids = isRecord(user) ? user.ids : undefined;
    for (const kind of isRecord(ids) ? Object.keys(ids) : [])
      check(`id ${kind}`, textAt(ids, kind), at('ids', kind));
  }
  for (const [index, place] of listAt(raw, 'places').entries()) {
    check('place', textAt(place, 'name'), ['places', index, 'name']);
    checkDevices(place, ['places', index, 'devices']);
  }
  return duplicates;
}
