/**
 * Watchers who went without a word: a server tells a component of a client's end only where presence flows that way.
 * Whoever was told something and has not been heard of for a while is asked about, so that looking costs only
 * where something happens.
 */

import { fullJid } from '../protocol/jid.ts';
import type { Asking } from '../xmpp/alive.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import type { Audience, Watcher } from './audience.ts';

/** What {@link createDoubts} needs. Times are milliseconds. */
export interface DoubtOptions {
  readonly xmpp: Pick<Xmpp, 'state'>;
  readonly asking: Pick<Asking, 'ask'>;
  readonly audience: Audience;
  /** How long somebody counts as present after a sign of life. */
  readonly trustMs: number;
  readonly timeoutMs: number;
  /** Watchers asked about at once. */
  readonly atOnce: number;
  readonly monotonic: () => number;
}

/** Makes it: called with each watcher that was told something. */
export function createDoubts(options: DoubtOptions): (watcher: Watcher) => void {
  const { xmpp, asking, audience, trustMs, timeoutMs, atOnce, monotonic } = options;
  const waiting = new Set<Watcher>();
  const underWay = new Set<Watcher>();

  async function ask(watcher: Watcher): Promise<void> {
    const since = monotonic() - trustMs;
    for (const [resource, heard] of [...watcher.resources]) {
      const jid = fullJid({ bare: watcher.jid, resource });
      if (heard > since || jid === undefined) continue;
      const finding = await asking.ask({ jid }, timeoutMs);
      // Where the server could not say: asked again when there is something to tell.
      if (finding === 'here') audience.arrived(watcher.jid, resource, monotonic());
      // Not one that came back meanwhile.
      else if (finding === 'gone' && watcher.resources.get(resource) === heard)
        audience.left(watcher.jid, resource);
    }
  }

  function next(): void {
    for (const watcher of waiting) {
      if (underWay.size >= atOnce || xmpp.state.status !== 'online') return;
      waiting.delete(watcher);
      underWay.add(watcher);
      void ask(watcher).finally(() => {
        underWay.delete(watcher);
        next();
      });
    }
  }

  return (watcher) => {
    // Who is not sure to be known whole counts as online whatever a ping says.
    if (!watcher.sure || waiting.has(watcher) || underWay.has(watcher)) return;
    const since = monotonic() - trustMs;
    for (const heard of watcher.resources.values()) {
      if (heard > since) continue;
      waiting.add(watcher);
      next();
      return;
    }
  };
}
