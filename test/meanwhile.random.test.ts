/** People queue up, meet and get parked while one neighbour after the other fails: afterwards every screen shows what is. */

import { expect, it } from 'vitest';
import { connectClient } from './asterisk/client.ts';
import { faults } from './chaos/faults.ts';
import { hostHere } from './chaos/host.ts';
import { secret } from './chaos/names.ts';
import { createRandom } from './chaos/random.ts';
import { startWorld, type World } from './chaos/world.ts';
import { until } from './servers/until.ts';
import { elementsOf, find, type Tree, textIn } from './xmpp/tree.ts';

/** What is lost with these, only a state that is read anew can show. */
const kinds = Object.entries(faults).filter(([name]) =>
  /Asterisk|^the bridge (is restarted|crashes)$/.test(name),
);
const rounds = 2;

/** Who sees what: an agent the queue, somebody who stays in a room the others, somebody who parks the lot. */
const [agent, host, parker] = ['340', '344', '345'];
const others = ['341', '342'];

/** What clients show that believe what they are told, and what nobody should have told them. */
function createScreens() {
  const waiting: string[] = [];
  const members = new Set<string>();
  const inRoom = new Set<string>();
  const parked = new Set<string>();
  const broken: string[] = [];

  function set(things: Set<string>, thing: string, isIn: boolean): void {
    if (things.has(thing) === isIn) broken.push(`${thing} ${isIn ? 'comes' : 'goes'} once more`);
    if (isIn) things.add(thing);
    else things.delete(thing);
  }

  function see(event: Tree, who: string | undefined): void {
    const text = (name: string) => textIn(find(event, name));
    const call = find(event, 'QueueCallEntry');
    const [channel, place] = [textIn(find(call, 'channel')), Number(textIn(find(call, 'position')))];
    const { eventType = '', agent: name = '' } = event.attrs;
    const about = `${who} ${event.name}`;
    if (about === `${agent} QueueMemberState`) {
      if (/^log/.test(eventType)) set(members, name, eventType === 'login');
    } else if (about === `${agent} QueueJoinEvent`) {
      if (waiting.includes(channel)) broken.push(`${channel} joins once more`);
      waiting.splice(place - 1, 0, channel);
    } else if (about === `${agent} QueueLeaveEvent`) {
      if (waiting[place - 1] !== channel) broken.push(`${channel} leaves from ${place} of ${waiting}`);
      if (waiting.includes(channel)) waiting.splice(waiting.indexOf(channel), 1);
    } else if (about === `${host} ConferenceEvent`)
      set(inRoom, text('eventId'), text('eventType') === 'join');
    else if (about === `${parker} ParkEvent`) set(parked, text('eventId'), text('eventType') === 'parked');
  }
  return {
    see(stanza: Tree) {
      const [event] = elementsOf(find(stanza, 'cmd'));
      if (stanza.name === 'message' && event !== undefined) see(event, stanza.attrs.to?.split('@')[0]);
    },
    broken,
    shown: () => ({
      waiting,
      members: [...members].sort(),
      inRoom: [...inRoom].sort(),
      parked: [...parked].sort(),
    }),
  };
}

/** The office: what people do, and what is. */
function createOffice({ asterisk }: World, random: ReturnType<typeof createRandom>) {
  const dynamic = new Set<string>();
  const running = (application: string) =>
    asterisk
      .channels()
      .filter((each) => each.application === application)
      .map(({ channel }) => channel);
  const where = (inside: (bridge: string) => boolean) =>
    asterisk
      .channels()
      .filter(({ bridge = '' }) => inside(bridge))
      .map(({ channel }) => channel);
  const lot = () => where((bridge) => bridge.startsWith('parking'));
  function queue(): string[] {
    const alone = new Set(where((bridge) => bridge === ''));
    return running('Queue').filter((each) => alone.has(each));
  }
  async function act(name: string, headers: Record<string, string>): Promise<void> {
    const client = await connectClient(asterisk.port);
    await client.action('Login', { Username: 'control', Secret: secret });
    await client.action(name, headers);
    client.close();
  }

  /** A caller comes, or the one who has waited longest gives up. */
  function callers(): void {
    const [first] = queue();
    if (first !== undefined && random.below(2) === 0) asterisk.outside.hangup(first);
    else if (queue().length < 6) asterisk.outside.call('4930123455', { number: '0301' });
  }
  function answers(): void {
    const phone = asterisk.phone(agent ?? '');
    const [call] = phone.state();
    if (call?.state === 'ringing') phone.answer(call.channel);
    else if (call !== undefined) phone.hangup(call.channel);
  }
  async function logsIn(): Promise<void> {
    const who = others[random.below(others.length)] ?? '';
    const isIn = dynamic.delete(who);
    if (!isIn) dynamic.add(who);
    await act(isIn ? 'QueueRemove' : 'QueueAdd', { Queue: 'Support', Interface: `PJSIP/${who}` });
  }
  function meets(): void {
    const phone = asterisk.phone('343');
    const [call] = phone.state();
    if (call === undefined) phone.call('800');
    else phone.hangup(call.channel);
  }
  async function parks(): Promise<void> {
    const phone = asterisk.phone(parker ?? '');
    const [first] = lot();
    if (first !== undefined && random.below(2) === 0) return asterisk.outside.hangup(first);
    const customer = asterisk.outside.call(phone.number, { number: '0302' });
    phone.answer();
    const [own] = phone.state();
    await act('Park', { Channel: customer ?? '', TimeoutChannel: own?.channel ?? '' });
    phone.hangup();
  }
  return {
    /** What can be done while Asterisk takes no connections. */
    quietly() {
      callers();
      meets();
    },
    async busily() {
      callers();
      answers();
      callers();
      await logsIn();
      meets();
      await parks();
    },
    truth: () => ({
      waiting: queue(),
      // The agent was one before anybody subscribed.
      members: [...dynamic].sort(),
      inRoom: running('ConfBridge').sort(),
      parked: lot().sort(),
    }),
  };
}

it('queues, rooms and parked calls are shown as they are after every fault', {
  timeout: 120_000,
}, async () => {
  const random = createRandom(7);
  const screens = createScreens();
  const here = hostHere();
  const world = await startWorld(here, screens.see);
  try {
    const office = createOffice(world, random);
    for (const who of [agent, host, parker]) {
      const wanted = ['base', 'conference', 'queue'].map(
        (module) => `<Subscription module='${module}' type='*'/>`,
      );
      const id = world.ask(who ?? '', `<AddSubscription>${wanted.join('')}</AddSubscription>`);
      await until('it is subscribed', () => world.clients.answers.has(id));
    }
    world.asterisk.phone(host ?? '').call('800');
    const isTrue = () => JSON.stringify(screens.shown()) === JSON.stringify(office.truth());
    for (const [name, fault] of Array.from({ length: rounds }, () => kinds).flat()) {
      await office.busily();
      // What may not have arrived is told once more.
      await until('all has arrived', () => here.present.bridge.publish.backlog.unconfirmed === 0);
      const end = await fault(world, random, office.quietly);
      office.quietly();
      await end();
      await until('all connections are back', async () => (await world.host.standing()).ready, 20);
      await until(`screens show what is after: ${name}`, isTrue, 20).catch(() => {
        expect(screens.shown(), name).toEqual(office.truth());
      });
    }
    expect(screens.broken).toEqual([]);
  } finally {
    await world.stop();
  }
});
