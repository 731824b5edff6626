import { afterEach, expect, it } from 'vitest';
import { hostHere } from './chaos/host.ts';
import { startWorld, type World } from './chaos/world.ts';
import { until } from './servers/until.ts';

let world: World | undefined;
afterEach(() => world?.stop());

/** Calls that begin and end, one after the other; as many as it takes for `enough`. */
async function makeCalls({ asterisk }: World, enough: () => boolean): Promise<number> {
  const [from, to] = [asterisk.phone('340'), asterisk.phone('341')];
  let made = 0;
  for (; made < 20_000 && !enough(); made++) {
    from.call(to.number);
    await until('it rings', () => to.state().length === 1);
    to.answer();
    from.hangup();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return made;
}

it('sums up what a server does not take in time: bounded memory, no lost end, no call that is over', async () => {
  const limits = { eventMarkBytes: 50_000, eventBytes: 100_000, pingEveryMs: 60_000 };
  const host = hostHere(limits);
  world = await startWorld(host);
  const { asterisk, server, clients } = world;
  const { bridge, xmpp } = host.present;
  const { backlog } = bridge.publish;

  // A call that is told, and goes on while the server stops reading.
  asterisk.phone('342').call('343');
  asterisk.phone('343').answer();
  await world.converged('the first call');
  const connection = await server.online();
  connection.pause();

  await makeCalls(world, () => backlog.waiting > 0);
  const { replaced } = backlog;
  const toldBefore = clients.told;
  let most = 0;
  const more = await makeCalls(world, () => {
    most = Math.max(most, backlog.waiting, 0);
    return backlog.replaced >= replaced + 200;
  });
  expect(xmpp.counters.buffered).toBeLessThanOrEqual(limits.eventBytes);
  // The two calls of a moment, whatever the number of those that are over.
  expect(most).toBeLessThanOrEqual(8);
  asterisk.phone('342').hangup();
  asterisk.phone('344').call('345');
  asterisk.phone('345').answer();
  await until('all of it has reached the bridge', () => bridge.calls === 2);

  connection.resume();
  await world.converged('the server reads again');
  expect(clients.shown('342@example.test/x').size).toBe(0);
  expect([...clients.shown('344@example.test/x').values()]).toEqual([{ state: 'busy', held: false }]);
  expect(more).toBeGreaterThan(20);
  expect(clients.told).toBeGreaterThan(toldBefore);
  expect(xmpp.counters.refused).toBe(0);
});
