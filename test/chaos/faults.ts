/** What can go wrong with the neighbors, each with the way back to health. */

import { until } from '../servers/until.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** A fault: does its harm, and returns what ends it. `use` lets people telephone while there is no bridge. */
export type Fault = (world: World, random: Random, use: () => void) => Promise<() => Promise<void>>;

const over = async () => {};

/** By name, as reports show them. */
export const faults: Readonly<Record<string, Fault>> = {
  'Asterisk drops its connections': async ({ asterisk }) => {
    asterisk.faults.drop();
    return over;
  },
  'Asterisk drops the event connection': async ({ asterisk }) => {
    asterisk.faults.drop('feed');
    return over;
  },
  'Asterisk is mute': async ({ asterisk }) => {
    asterisk.faults.mute();
    // What it did not say meanwhile it never says: only a new connection brings the truth.
    return async () => {
      asterisk.faults.unmute();
      asterisk.faults.drop();
    };
  },
  'Asterisk is a dead peer': async ({ asterisk }) => {
    asterisk.faults.halfOpen();
    return over;
  },
  'Asterisk refuses connections': async ({ asterisk }) => {
    await asterisk.faults.refuse();
    asterisk.faults.drop();
    return () => asterisk.faults.accept();
  },
  'Asterisk talks garbage': async ({ asterisk }, random) => {
    asterisk.faults.garbage(
      Buffer.from(Array.from({ length: 1 + random.below(5000) }, () => random.below(256))),
    );
    asterisk.faults.garbage('\r\n\r\n');
    return over;
  },
  'Asterisk says a line of a megabyte': async ({ asterisk }) => {
    asterisk.faults.garbage(`Event: Newchannel\r\nChannel: ${'x'.repeat(1_000_000)}\r\n\r\n`);
    return over;
  },
  'Asterisk answers no list': async ({ asterisk }) => {
    asterisk.faults.swallow('CoreShowChannels');
    asterisk.faults.drop('feed');
    return () => asterisk.faults.clear();
  },
  'the XMPP server drops the stream': async ({ server }) => {
    server.connections.at(-1)?.destroy();
    return over;
  },
  'the XMPP server loses what it was sent, then drops the stream': async ({ server }) => {
    server.connections.at(-1)?.freeze();
    return async () => server.connections.at(-1)?.destroy();
  },
  'the XMPP server does not read': async ({ server }) => {
    const connection = server.connections.at(-1);
    connection?.pause();
    return async () => connection?.resume();
  },
  'the XMPP server refuses the component': async ({ server }) => {
    server.behave({ condition: 'conflict' });
    server.connections.at(-1)?.destroy();
    return async () => server.behave('serve');
  },
  'the XMPP server accepts and says nothing': async ({ server }) => {
    server.behave('mute');
    server.connections.at(-1)?.destroy();
    return async () => server.behave('serve');
  },
  'the XMPP server talks garbage': async ({ server }) => {
    server.connections.at(-1)?.write('<<<>&');
    return over;
  },
  'Redis is killed and comes back': async ({ redis }) => {
    await redis.kill();
    return () => redis.restart();
  },
  'Redis is emptied': async ({ inspect, host }) => {
    await inspect((client) => client.flushall());
    // Before it is noticed, whatever ends the bridge ends the sessions.
    return async () =>
      void (await until('everything is written anew', async () => {
        const written = await inspect((client) => client.hlen('chaos:sessions'));
        return written === (await host.standing()).sessions;
      }));
  },
  'Redis is full': async ({ inspect }) => {
    await inspect((client) => client.config('SET', 'maxmemory', '1'));
    return async () => void (await inspect((client) => client.config('SET', 'maxmemory', '0')));
  },
  'Redis is read-only': async ({ inspect }) => {
    await inspect((client) => client.replicaof('127.0.0.1', 1));
    return async () => void (await inspect((client) => client.replicaof('NO', 'ONE')));
  },
  'Redis is a dead peer': async ({ lines }) => {
    lines.redis.freeze();
    return async () => lines.redis.mend();
  },
  'the bridge is restarted': async (world, _, use) => {
    await world.restart(use);
    return over;
  },
  'the bridge crashes': async (world, _, use) => {
    await world.crash(use);
    return over;
  },
  'the bridge crashes while the XMPP server does not read': async (world, _, use) => {
    world.server.connections.at(-1)?.pause();
    use();
    await world.crash(use);
    return over;
  },
};
