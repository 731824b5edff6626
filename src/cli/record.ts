/** `offhook record`: writes what Asterisk tells into a file, until Ctrl-C. */

import { parseArgs } from 'node:util';
import { type Environment, readConfig } from '../config.ts';
import { record } from '../replay/record.ts';
import { UsageError } from './usage.ts';

/** A recording that runs. */
export interface Recorder {
  stop(): void;
  /** Resolves when the files are complete. */
  readonly ended: Promise<void>;
}

/** Starts a recording with the settings of the bridge. Throws {@link UsageError}, `ConfigError`, and what the login rejects with. */
export async function recordCommand(
  args: readonly string[],
  env: Environment,
  report: (line: string) => void,
): Promise<Recorder> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { mask: { type: 'boolean' }, 'max-mb': { type: 'string', default: '512' } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new UsageError('record: name one file to write');
  const megabytes = Number(values['max-mb']);
  if (!(megabytes > 0)) throw new UsageError('record: --max-mb takes a number of megabytes');
  const { ami } = readConfig(env).config;
  const path = name.replace(/\.ami$/, '');
  const run = await record({
    address: {
      host: ami.host,
      port: ami.port,
      connectTimeoutMs: 5000,
      ...(ami.tls && { tls: ami.tlsCa === undefined ? {} : { ca: ami.tlsCa } }),
    },
    account: { username: ami.feedUsername, secret: ami.feedSecret },
    path,
    mask: values.mask ?? false,
    maxBytes: megabytes * 1e6,
  });
  report(`recording ${path}.ami and ${path}.json; Ctrl-C ends it`);
  const ended = run.ended.then(({ reason, bytes }) => report(`${bytes} bytes recorded; ended: ${reason}`));
  return { stop: () => run.stop(), ended };
}
