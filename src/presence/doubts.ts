/**
 * Watchers who went without a word: a server tells a component of a client's end only where presence flows that way.
 * Whoever was told something and has not been heard of for a while is pinged (XEP-0199), so that looking costs only
 * where something happens.
 */

import { StanzaError } from '../errors.ts';
import { xml } from '../protocol/xml.ts';
import { PING_NS } from '../xmpp/namespaces.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import type { Audience, Watcher } from './audience.ts';

/** What {@link createDoubts} needs. Times are milliseconds. */
export interface DoubtOptions {
  readonly xmpp: Pick<Xmpp, 'request' | 'state'>;
  readonly audience: Audience;
  /** How long somebody counts as present after a sign of life. */
  readonly trustMs: number;
  readonly timeoutMs: number;
  /** Pings under way at once. */
  readonly atOnce: number;
  readonly monotonic: () => number;
}

/** What servers answer for a resource that is no more (RFC 6121 §8.5.3.2.3). */
const gone = new Set(['service-unavailable', 'item-not-found', 'recipient-unavailable', 'gone']);

/** Makes it: called with each watcher that was told something. */
export function createDoubts(options: DoubtOptions): (watcher: Watcher) => void {
  const { xmpp, audience, trustMs, timeoutMs, atOnce, monotonic } = options;
  const waiting = new Set<Watcher>();
  const asking = new Set<Watcher>();

  async function ask(watcher: Watcher): Promise<void> {
    const since = monotonic() - trustMs;
    for (const [resource, heard] of [...watcher.resources]) {
      if (heard > since) continue;
      try {
        await xmpp.request(`${watcher.jid}/${resource}`, 'get', xml('ping', { xmlns: PING_NS }), timeoutMs);
      } catch (error) {
        const condition = error instanceof StanzaError ? error.condition : undefined;
        if (condition !== undefined && gone.has(condition)) {
          // Not one that came back meanwhile.
          if (watcher.resources.get(resource) === heard) audience.left(watcher.jid, resource);
          continue;
        }
        // The server could not say: asked again when there is something to tell.
        if (condition === 'remote-server-timeout' || condition === 'resource-constraint') continue;
      }
      // A pong, or an error of the client's own making: both are signs of life.
      audience.arrived(watcher.jid, resource, monotonic());
    }
  }

  function next(): void {
    for (const watcher of waiting) {
      if (asking.size >= atOnce || xmpp.state.status !== 'online') return;
      waiting.delete(watcher);
      asking.add(watcher);
      void ask(watcher).finally(() => {
        asking.delete(watcher);
        next();
      });
    }
  }

  return (watcher) => {
    // Who is not sure to be known whole counts as online whatever a ping says.
    if (!watcher.sure || waiting.has(watcher) || asking.has(watcher)) return;
    const since = monotonic() - trustMs;
    for (const heard of watcher.resources.values()) {
      if (heard > since) continue;
      waiting.add(watcher);
      next();
      return;
    }
  };
}
