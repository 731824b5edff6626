/** A directory file as it was parsed from YAML and not yet checked: maps, lists and texts. */

/** Steps from the top of the file to a value. */
export type Path = readonly (string | number)[];

/** True for maps and lists: what can be asked for a member. */
export function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The list under a key of a map; empty where it is none. */
export function listAt(value: unknown, key: string): readonly unknown[] {
  const list = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

/** The text under a key of a map; undefined where it is none. */
export function textAt(value: unknown, key: string): string | undefined {
  const text = isRecord(value) ? value[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}

/** `users[2].devices[0].name`. */
export function showPath(path: Path): string {
  return path.reduce<string>(
    (shown, step) =>
      typeof step === 'number' ? `${shown}[${step}]` : shown === '' ? step : `${shown}.${step}`,
    '',
  );
}

/** A value as mistakes quote it; long texts are cut. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'a map';
  if (value === '') return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…"` : text;
}
