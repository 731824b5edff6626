/** Logging: JSON lines for machines, readable ones on a terminal. Secrets never get in, numbers only as far as allowed. */

import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** What the bridge's parts log with. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** Levels in rising order of urgency. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** `auto` is `pretty` on a terminal and `json` elsewhere. */
export const logFormats = ['auto', 'json', 'pretty'] as const;
/** One of {@link logFormats}. */
export type LogFormat = (typeof logFormats)[number];

/** Where lines go: standard output, or what a test reads. */
export interface Destination {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What {@link createLog} needs. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Texts that no line may hold, whatever field they would come in. */
  readonly secrets: readonly string[];
  /** Where lines go; standard output where left out. */
  readonly destination?: Destination;
}

/** Fields that hold secrets by their name, at the top and one level down. */
const secretFields = ['secret', 'password', 'pass', 'Secret', 'authorization'].flatMap((name) => [
  name,
  `*.${name}`,
]);

/**
 * Makes the process's logger. Two nets for secrets: fields by their name, and the known secrets by their text, since
 * an error of a library may quote what it was given.
 */
export function createLog({ level, format, secrets, destination = process.stdout }: LogOptions): Logger {
  const readable = format === 'pretty' || (format === 'auto' && destination.isTTY === true);
  const sink = readable ? prettyTo(destination) : destination;
  const hideSecrets = withoutSecrets(secrets);
  return pino(
    {
      level,
      redact: { paths: secretFields, censor: '[secret]' },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => escapeSteering(hideSecrets(line)) },
    },
    sink,
  );
}

/** Replaces every secret of 4 or more characters in a line; shorter ones would tear ordinary words apart. */
function withoutSecrets(secrets: readonly string[]): (line: string) => string {
  // As they stand in JSON. Longest first, should one be part of another.
  const forms = secrets
    .filter((secret) => secret.length >= 4)
    .map((secret) => JSON.stringify(secret).slice(1, -1))
    .sort((a, b) => b.length - a.length);
  return (line) =>
    forms.reduce((text, form) => (text.includes(form) ? text.replaceAll(form, '[secret]') : text), line);
}

// What steers a terminal or turns the direction of writing: C0, DEL, C1, line separators, bidirectional overrides.
const steering = /[\0-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g;
const steeringInJson = /[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g;

/** Escapes in a line of JSON what it may hold as it is, but a terminal should not get: names and JIDs are chosen by others. */
function escapeSteering(line: string): string {
  return line.replace(
    steeringInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text with visible signs (U+2400 Control Pictures) for what steers; `stack` keeps its lines. */
function visible(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.replace(steering, (character) => {
    if (key === 'stack' && character === '\n') return character;
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\uFFFD';
  });
}

/** Formats in the call itself, where pino-pretty's stream would lose the last lines of a process that exits. */
function prettyTo(destination: Destination): DestinationStream {
  const colorize = destination.isTTY === true;
  const format = prettyFactory({ colorize, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => void destination.write(format(JSON.parse(line, visible))) };
}

/** Shows a number as far as logs may: `+4930123456` → `+********56`. The last two digits tell calls apart. */
export function maskNumber(number: string): string {
  const digits = number.replace(/\D/g, '').length;
  const open = digits > 4 ? 2 : 0;
  let left = digits - open;
  return number.replace(/\d/g, (digit) => (left-- > 0 ? '*' : digit));
}

/** {@link maskNumber} where masking is on, else the number as it is. */
export function numberShower(masked: boolean): (number: string) => string {
  return masked ? maskNumber : (number) => number;
}
