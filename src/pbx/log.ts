import type { Logger } from 'pino';

/** What the PBX side logs with. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
