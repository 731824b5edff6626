/** Webhooks: an HTTP POST to an address of the operator's, signed, tried a bounded number of times. */

import { createHmac } from 'node:crypto';
import { Failure } from './errors.ts';

/** One delivery. */
export interface Delivery {
  /** From the configuration, never from a client. */
  readonly url: string;
  /** The same in every attempt, so that the receiver can tell a repetition. */
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Key of the HMAC-SHA256 over `<timestamp>.<body>`; empty: not signed. */
  readonly secret: string;
  /** Limit for one attempt, milliseconds. */
  readonly timeoutMs: number;
  /** Further attempts where there was no answer, or one of 429 or 5xx. */
  readonly retries: number;
}

/**
 * Delivers; resolves when the receiver said 2xx. Rejects with `Failure`: `rejected` where it said something else,
 * `not-available` where no attempt was answered. Neither tells the address or what the receiver wrote.
 */
export type Webhook = (delivery: Delivery) => Promise<void>;

/** Wait before the second attempt, milliseconds; doubles. */
const FIRST_WAIT_MS = 200;

/** Makes the sender. `now` is epoch milliseconds; `pause` waits. */
export function createWebhook(now: () => number, pause: (ms: number) => Promise<void>): Webhook {
  async function attempt({ url, id, body, secret, timeoutMs }: Delivery): Promise<number> {
    const text = JSON.stringify(body);
    const timestamp = Math.floor(now() / 1000);
    const mac = createHmac('sha256', secret).update(`${timestamp}.${text}`).digest('hex');
    const response = await fetch(url, {
      method: 'POST',
      // An address that sends us elsewhere would get what was meant for another.
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'x-offhook-delivery': id,
        'x-offhook-timestamp': `${timestamp}`,
        ...(secret !== '' && { 'x-offhook-signature': `sha256=${mac}` }),
      },
      body: text,
      signal: AbortSignal.timeout(timeoutMs),
    });
    // Nobody reads it, and an unread body would hold the connection.
    await response.body?.cancel();
    return response.status;
  }

  return async (delivery) => {
    let status = 0;
    for (let number = 0; number <= delivery.retries; number++) {
      if (number > 0) await pause(FIRST_WAIT_MS * 2 ** (number - 1));
      // No answer counts as 0: refused, reset, too late, no such host.
      status = await attempt(delivery).catch(() => 0);
      if (status >= 200 && status < 300) return;
      if (status !== 0 && status !== 429 && status < 500) break;
    }
    if (status === 0)
      throw new Failure('not-available', 'The service behind this action does not answer. Try again later.');
    throw new Failure('rejected', `The service behind this action refused it (HTTP status ${status}).`);
  };
}
