/** A busy call centre on the simulated Asterisk: nothing is lost, and every queue's events come in their order, to everybody they concern. */

import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createBridge } from '../src/bridge.ts';
import { callsOf } from '../src/directory/calls.ts';
import { parseDirectory } from '../src/directory/parse.ts';
import { modules } from '../src/modules/index.ts';
import { CMD_NS } from '../src/protocol/envelope.ts';
import { parseJid } from '../src/protocol/jid.ts';
import { xml } from '../src/protocol/xml.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { startAsterisk } from './asterisk/asterisk.ts';
import { deflectionsOver, fixed, idlePresence, idleXmpp, placesOver } from './idle.ts';
import { adapter } from './pbx/adapter.ts';
import {
  agentNamed,
  business,
  busy,
  type CentreEvent,
  centreUsers,
  lineOf,
  opening,
  queueNamed,
} from './queues/centre.ts';
import { until } from './servers/until.ts';
import { journal, phonebook, settings } from './settings.ts';

const domain = 'example.org';
const perSecond = 1000;

it('50 queues, 500 agents, 200 waiting calls, 1,000 events a second', async () => {
  const account = { username: 'bridge', secret: 'secret' };
  const asterisk = await startAsterisk({
    users: [{ ...account, read: ['all'], write: ['all'] }],
    queues: Array.from({ length: busy.queues }, (_, n) => ({
      name: queueNamed(n),
      number: `${500 + n}`,
      members: [],
    })),
  });
  const parsed = parseDirectory(centreUsers(busy), [domain]);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  const store = createMemoryStore();
  /** What each was told, by queue, in order. */
  const told = new Map<string, Map<string, string[]>>();
  const pbx = adapter(asterisk.port, { control: account, feed: account });
  const places = placesOver(fixed(parsed.directory), pbx, store);
  const bridge = createBridge({
    modules,
    xmpp: idleXmpp({
      send(bytes) {
        const stanza = Buffer.from(bytes).toString();
        const to = /to='(\w+)@/.exec(stanza)?.[1] ?? '';
        const [queue, line] = lineOf(stanza) ?? [];
        if (queue === undefined || line === undefined) return true;
        const queues = told.get(to) ?? new Map<string, string[]>();
        const lines = queues.get(queue) ?? [];
        lines.push(line);
        queues.set(queue, lines);
        told.set(to, queues);
        return true;
      },
      request: async () => xml('iq'),
    }),
    pbx,
    store,
    calls: callsOf(() => places.directory.current),
    directory: places.directory,
    places,
    domains: [domain],
    journal,
    phonebook,
    settings,
    limits: {
      sessions: 1000,
      perUser: 5,
      subscriptions: 20,
      perSecond: 1e6,
      burst: 1e6,
      inFlight: 1000,
      commandMs: 8000,
      graceMs: 100,
      pingEveryMs: 3_600_000,
      pingsPerSecond: 10,
    },
    presence: idlePresence(),
    deflections: deflectionsOver(pbx, () => places.directory.current),
    askPresence: false,
    audit: () => {},
    webhook: async () => {},
    log: pino({ level: 'silent' }),
    now: Date.now,
    monotonic: () => performance.now(),
  });
  await bridge.start();
  const subscribe = async (who: string, scope: string) => {
    const from = parseJid(`${who}@${domain}/client`);
    if (from === undefined) throw new Error('no JID');
    await bridge.dispatch(
      from,
      xml('cmd', { xmlns: CMD_NS, module: 'event' }, [
        xml('AddSubscription', {}, [xml('Subscription', { module: 'queue', type: '*', scope })]),
      ]),
    );
  };
  await subscribe('boss', 'supervisor');
  for (let n = 0; n < busy.queues * busy.agentsPerQueue; n++) await subscribe(agentNamed(n), 'user');

  const expected = new Map<string, string[]>();
  let lines = 0;
  const emit = ({ event, headers, privilege, told: line }: CentreEvent) => {
    asterisk.emit(event, headers, privilege);
    if (line === undefined) return;
    const [queue, text] = line;
    expected.set(queue, [...(expected.get(queue) ?? []), text]);
    lines += 1;
  };
  for (const each of opening(busy)) emit(each);
  const heard = () => [...(told.get('boss')?.values() ?? [])].reduce((sum, each) => sum + each.length, 0);
  await until('it is busy', () => heard() === lines, 60);
  const began = performance.now();
  let sent = 0;
  for (const each of business(busy)) {
    emit(each);
    sent += 1;
    if (sent >= 2 * perSecond) break;
    if (sent % 20 === 0) await wait(Math.max(0, (sent / perSecond) * 1000 - (performance.now() - began)));
  }
  await until('the supervisor has heard everything', () => heard() === lines, 60).catch((error: unknown) => {
    throw new Error(`${heard()} of ${lines}`, { cause: error });
  });
  expect(Object.fromEntries(told.get('boss') ?? [])).toEqual(Object.fromEntries(expected));
  for (let n = 0; n < busy.queues * busy.agentsPerQueue; n++) {
    const queue = queueNamed(Math.floor(n / busy.agentsPerQueue));
    const own = told.get(agentNamed(n));
    // Nothing of other queues; of the own one everything since the agent is in it.
    expect([...(own?.keys() ?? [])]).toEqual([queue]);
    const all = expected.get(queue) ?? [];
    expect(own?.get(queue)).toEqual(all.slice(all.indexOf(`login ${agentNamed(n)}`)));
  }
  // Nothing of it was a reason to read the queues again.
  expect(asterisk.actions.filter(({ name }) => name === 'QueueStatus')).toHaveLength(1);
  await bridge.stop();
  await asterisk.stop();
}, 180_000);
