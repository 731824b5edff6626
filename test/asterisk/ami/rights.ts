/** Event and action classes of manager.conf (`perms`, main/manager.c). */
export const classes = [
  'system',
  'call',
  'log',
  'verbose',
  'command',
  'agent',
  'user',
  'config',
  'dtmf',
  'reporting',
  'cdr',
  'dialplan',
  'originate',
  'agi',
  'cc',
  'aoc',
  'test',
  'security',
  'message',
] as const;

/** Whether rights cover one of the classes asked for; nothing asked for is always covered. */
export function covers(rights: readonly string[], wanted: readonly string[]): boolean {
  return wanted.length === 0 || rights.includes('all') || wanted.some((one) => rights.includes(one));
}

/**
 * The classes an `Events` header or an EventMask switches on (`strings_to_mask`): a list of classes, yes and no words,
 * or a number. Returns undefined when it is none of these.
 */
export function eventMask(text: string): readonly string[] | undefined {
  const word = text.trim().toLowerCase();
  if (['on', 'yes', 'true', 'y', 't', 'all', '-1'].includes(word)) return ['all'];
  if (['off', 'no', 'false', 'n', 'f', 'none', '0'].includes(word)) return [];
  const wanted = word.split(',').map((part) => part.trim());
  return wanted.every((part) => (classes as readonly string[]).includes(part)) ? wanted : undefined;
}
