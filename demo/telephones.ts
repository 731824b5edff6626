/** The telephone side of the demo: a simulated Asterisk, or a real one with two SIP phones. */

import { startAsterisk as startSimulator } from '../test/asterisk/asterisk.ts';
import { type OnProgress, startAsterisk, startSippPhone } from '../test/servers/index.ts';

/** An AMI account. */
interface Account {
  readonly username: string;
  readonly secret: string;
}

/** A telephone system that rings. */
export interface Telephones {
  /** One line that says what it is. */
  readonly description: string;
  readonly host: string;
  readonly port: number;
  readonly control: Account;
  readonly feed: Account;
  /** How the telephones behave, for the reader. */
  readonly behavior: string;
  stop(): Promise<void>;
}

/** How long a telephone rings before it is answered, milliseconds: long enough to be seen. */
const RING_MS = 700;

/** Starts the simulated Asterisk; every telephone answers by itself. */
export async function simulated(): Promise<Telephones> {
  const asterisk = await startSimulator();
  for (const phone of asterisk.phones) phone.behaviour = { answer: RING_MS };
  const account = (name: string): Account => {
    const user = asterisk.users.find((each) => each.username === name);
    if (user === undefined) throw new Error(`the simulated Asterisk has no account ${name}`);
    return user;
  };
  return {
    description: `simulated Asterisk 22, AMI at ${asterisk.host}:${asterisk.port}`,
    host: asterisk.host,
    port: asterisk.port,
    control: account('control'),
    feed: account('feed'),
    behavior: 'every telephone answers by itself',
    stop: () => asterisk.stop(),
  };
}

/** Starts a real Asterisk and a SIPp phone for each extension. Rejects with `ServersUnavailable` where it cannot be had. */
export async function real(extensions: readonly string[], onProgress: OnProgress): Promise<Telephones> {
  const asterisk = await startAsterisk({ onProgress });
  const phones: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.allSettled(phones.map((phone) => phone.stop()));
    await asterisk.stop();
  };
  try {
    for (const extension of extensions) {
      const password = asterisk.extensions.get(extension)?.password ?? '';
      phones.push(await startSippPhone(asterisk, { extension, password, ring: RING_MS, onProgress }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    description: `${asterisk.version}, AMI at ${asterisk.host}:${asterisk.amiPort}, SIP at ${asterisk.host}:${asterisk.sipPort}`,
    host: asterisk.host,
    port: asterisk.amiPort,
    control: asterisk.managers.control,
    feed: asterisk.managers.feed,
    behavior: `SIPp phones ${extensions.join(' and ')} answer by themselves`,
    stop,
  };
}
