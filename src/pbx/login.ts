import { createHash } from 'node:crypto';
import { type AmiAction, action } from './action.ts';
import type { AmiMessage } from './message.ts';

/** An account of manager.conf. */
export interface Account {
  readonly username: string;
  readonly secret: string;
}

/** Asterisk was reached and does not want us as we are: only a change of configuration helps, so there is no hurry to try again. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * Logs in by MD5 challenge (manager.c authenticate), so that the secret does not cross the wire. Where challenges are not
 * to be had the secret is sent, but over TLS only.
 *
 * `exchange` sends an action and resolves with its answer. Rejects with {@link Refused}, and with what `exchange` rejects with.
 */
export async function login(
  exchange: (action: AmiAction) => Promise<AmiMessage>,
  { username, secret }: Account,
  options: { readonly encrypted: boolean; readonly events: boolean },
): Promise<void> {
  const events = options.events ? 'on' : 'off';
  const offer = await exchange(action('Challenge', { AuthType: 'MD5' }));
  const challenge = offer.get('Challenge');
  if (challenge === '' && !options.encrypted) {
    const said = offer.get('Message');
    throw new Refused(
      `Asterisk offers no MD5 challenge (${said}), and without TLS the secret is not sent: turn TLS on`,
    );
  }
  const proof =
    challenge === ''
      ? { Secret: secret }
      : { AuthType: 'MD5', Key: createHash('md5').update(challenge).update(secret).digest('hex') };
  const answer = await exchange(action('Login', { Username: username, ...proof, Events: events }));
  if (answer.get('Response') === 'Success') return;
  // Wrong secret, unknown user and a denied address all read the same, on purpose.
  throw new Refused(
    `Asterisk refused the login of '${username}' (${answer.get('Message')}): ` +
      'check username, secret and permit/deny in manager.conf',
  );
}
