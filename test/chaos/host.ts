/** Where the bridge of a world lives: in this process, to be looked into, or in one of its own, whose memory is its own. */

import { type Apart, startApart } from '../apart/apart.ts';
import { type Ports, type Started, startBridge } from './bridge.ts';

/** How a bridge is, as far as the world has to know. */
export interface Standing {
  readonly ready: boolean;
  readonly sessions: number;
  readonly subscriptions: number;
  /** The store has what was told. */
  readonly stored: boolean;
}

/** A place for one bridge at a time. */
export interface Host {
  /** Starts a bridge; it knows its users when this resolves. */
  start(ports: Ports): Promise<void>;
  standing(): Promise<Standing>;
  /** Ends the bridge in order. */
  stop(): Promise<void>;
  /** Ends whatever is there. */
  close(): Promise<void>;
}

/** In this process. */
export interface Here extends Host {
  /** The bridge that runs, or ran last. */
  readonly present: Started;
}

export function hostHere(limits: Parameters<typeof startBridge>[1] = {}): Here {
  let started: Started | undefined;
  const present = () => {
    if (started === undefined) throw new Error('no bridge has been started');
    return started;
  };
  return {
    get present() {
      return present();
    },
    async start(ports) {
      started = await startBridge(ports, limits);
    },
    async standing() {
      const { bridge, store } = present();
      return {
        ready: bridge.isReady,
        sessions: bridge.sessions.size,
        subscriptions: bridge.subscriptions,
        stored: bridge.told.waiting === 0 && store.state.pending === 0,
      };
    },
    stop: () => present().bridge.stop(),
    close: async () => started?.bridge.stop(),
  };
}

/** In a process of its own, which a promise that is left alone ends: then whatever is asked of it fails. */
export interface There extends Host, Pick<Apart, 'memory'> {
  /** What Node.js warned of there. */
  readonly warnings: readonly string[];
}

export function hostThere(): There {
  const warnings: string[] = [];
  const apart = startApart(new URL('worker.ts', import.meta.url), (news, value) => {
    if (news === 'warning') warnings.push(String(value));
  });
  return {
    warnings,
    memory: apart.memory,
    start: (ports) => apart.ask('start', ports),
    standing: () => apart.ask('standing'),
    stop: () => apart.ask('stop'),
    close: apart.stop,
  };
}
