/** What clients were told of parked calls, rooms and queues stays true when nobody listened for a while. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, connectClient } from './asterisk/client.ts';
import { hostHere } from './chaos/host.ts';
import { secret } from './chaos/names.ts';
import { startWorld, type World } from './chaos/world.ts';
import { until } from './servers/until.ts';
import { elementsOf, find, type Tree, textIn } from './xmpp/tree.ts';

const host = hostHere();
let world: World;
let manager: Client;
/** Events by session, each in a few words. */
const heard = new Map<string, string[]>();

const told = (extension: string) => heard.get(extension) ?? [];

/** What an event of a client says, in a few words; undefined for other events. */
function wordsOf(event: Tree): string | undefined {
  const { attrs } = event;
  const text = (name: string) => textIn(find(event, name));
  if (event.name === 'ParkEvent') return `${text('eventType')} ${text('eventId')} ${text('space')}`;
  if (event.name === 'ConferenceEvent') return `${text('eventType')} ${text('eventId')} ${text('room')}`;
  if (event.name === 'QueueMemberState') return `${attrs.eventType} ${attrs.agent}`;
  const call = find(event, 'QueueCallEntry');
  const place = `${textIn(find(call, 'channel'))} at ${textIn(find(call, 'position'))}`;
  if (event.name === 'QueueJoinEvent') return `joins: ${place}`;
  if (event.name === 'QueueLeaveEvent')
    return `${attrs.eventDetails}: ${place}${attrs.agent === '' ? '' : ` by ${attrs.agent}`}`;
  return undefined;
}

/** All that was told has arrived, and is known to: what may have been in vain is told once more. */
const arrived = () => until('all has arrived', () => host.present.bridge.publish.backlog.unconfirmed === 0);

const kinds = ['ParkEvent', 'ConferenceEvent', 'QueueMemberState', 'QueueJoinEvent', 'QueueLeaveEvent'];
/** How much of what is looked at here the bridge has learned, whether or not it could be told. */
const occurred = () =>
  host.present.bridge.publish.counters
    .filter(({ event }) => kinds.includes(event))
    .reduce((sum, each) => sum + each.occurred, 0);

async function leavesXmpp(): Promise<void> {
  await arrived();
  world.lines.xmpp.cut();
  await until('the bridge notices', async () => !(await world.host.standing()).ready);
}

/** Something happens while nobody can be told, for each of these reasons; of so much of it Asterisk has events. */
const reasons: readonly [string, (meanwhile: () => Promise<void>, events: number) => Promise<void>][] = [
  [
    'the feed is away',
    async (meanwhile) => {
      world.lines.ami.cut();
      await until('the bridge notices', async () => !(await world.host.standing()).ready);
      await meanwhile();
      world.lines.ami.mend();
    },
  ],
  [
    'the bridge is restarted',
    async (meanwhile) => {
      await arrived();
      await world.restart(meanwhile);
    },
  ],
  [
    'the bridge crashes',
    async (meanwhile) => {
      await arrived();
      await world.crash(meanwhile);
    },
  ],
  [
    'the XMPP server is away, and the bridge ends before it comes back',
    async (meanwhile, events) => {
      await leavesXmpp();
      const before = occurred();
      await meanwhile();
      await until('the bridge knows of it', () => occurred() >= before + events);
      await world.restart(() => world.lines.xmpp.mend());
    },
  ],
];

beforeAll(async () => {
  world = await startWorld(host, (stanza) => {
    const [event] = elementsOf(find(stanza, 'cmd'));
    const words = stanza.name === 'message' && event !== undefined ? wordsOf(event) : undefined;
    const extension = stanza.attrs.to?.split('@')[0] ?? '';
    if (words !== undefined) heard.set(extension, [...told(extension), words]);
  });
  manager = await connectClient(world.asterisk.port);
  await manager.action('Login', { Username: 'control', Secret: secret });
  for (const extension of ['340', '342', '345']) {
    const wanted = ['base', 'conference', 'queue'].map(
      (module) => `<Subscription module='${module}' type='*'/>`,
    );
    const id = world.ask(extension, `<AddSubscription>${wanted.join('')}</AddSubscription>`);
    await until('it is subscribed', () => world.clients.answers.has(id));
  }
});

afterAll(async () => {
  manager?.close();
  await world?.stop();
});

/** Some call joins at this place. */
const joins = (place: number) => expect.stringMatching(new RegExp(`^joins: PJSIP/trunk-\\w+ at ${place}$`));

/** How much of what was told has been looked at, by extension. */
const seen = new Map<string, number>();

/** Runs `act`, and waits until this was told to the user of this extension, and nothing besides since the last time. */
async function tells(extension: string, words: readonly string[], act: () => Promise<void>): Promise<void> {
  const before = seen.get(extension) ?? 0;
  await act();
  await until(`${extension} is told`, () => told(extension).length - before >= words.length, 15).catch(
    () => {},
  );
  seen.set(extension, told(extension).length);
  expect(told(extension).slice(before)).toEqual(words);
}

describe.each(reasons)('while %s', (_, away) => {
  it('a parked call goes and another comes', async () => {
    const { asterisk } = world;
    const phone = asterisk.phone('345');
    async function park(space: string): Promise<string> {
      const parked = asterisk.outside.call('345', { number: '0301234', name: 'Customer' }) ?? '';
      phone.answer();
      const [own] = phone.state();
      await manager.action('Park', { Channel: parked, TimeoutChannel: own?.channel ?? '' });
      await until(`it is parked in ${space}`, () =>
        asterisk
          .channels()
          .some(({ channel, bridge }) => channel === parked && bridge === `parking-${space}`),
      );
      phone.hangup();
      return parked;
    }
    let [first, second] = ['', ''];
    await tells('345', [expect.stringMatching(/^parked PJSIP\/trunk-\w+ 701$/)], async () => {
      first = await park('701');
    });
    const both = [`abandoned ${first} 701`, expect.stringMatching(/^parked PJSIP\/trunk-\w+ 702$/)];
    await tells('345', both, () =>
      away(async () => {
        second = await park('702');
        asterisk.outside.hangup(first);
      }, both.length),
    );
    await tells('345', [`abandoned ${second} 702`], async () => asterisk.outside.hangup(second));
  });

  it('callers give up and come, and members go and take a break', async () => {
    const { asterisk } = world;
    const calls = (number: string) => asterisk.outside.call('4930123455', { number }) ?? '';
    const member = (name: string, headers: Record<string, string>) =>
      manager.action(name, { Queue: 'Support', ...headers });
    await tells(
      '340',
      ['login 341'],
      async () => void (await member('QueueAdd', { Interface: 'PJSIP/341' })),
    );
    const [first, second] = [calls('0301'), calls('0302')];
    await tells('340', [`joins: ${first} at 1`, `joins: ${second} at 2`], async () => {});
    let third = '';
    const changes = ['logout 341', `abandoned: ${first} at 1`, 'pause 340', joins(2)];
    await tells('340', changes, () =>
      away(async () => {
        asterisk.outside.hangup(first);
        third = calls('0303');
        await member('QueuePause', { Interface: 'PJSIP/340', Paused: 'true' });
        await member('QueueRemove', { Interface: 'PJSIP/341' });
      }, changes.length),
    );
    await tells('340', [`abandoned: ${second} at 1`, `abandoned: ${third} at 1`, 'unpause 340'], async () => {
      for (const each of [second, third]) asterisk.outside.hangup(each);
      await member('QueuePause', { Interface: 'PJSIP/340', Paused: 'false' });
    });
  });

  it('a member takes a call, and another one waits', async () => {
    const { asterisk } = world;
    const phone = asterisk.phone('340');
    const first = asterisk.outside.call('4930123455', { number: '0301' }) ?? '';
    await asterisk.until(() => phone.state().some(({ state }) => state === 'ringing'));
    await tells('340', [`joins: ${first} at 1`], async () => {});
    let second = '';
    const changes = [`connected: ${first} at 1 by 340`, joins(1)];
    await tells('340', changes, () =>
      away(async () => {
        phone.answer();
        second = asterisk.outside.call('4930123455', { number: '0302' }) ?? '';
      }, changes.length),
    );
    await tells('340', [`abandoned: ${second} at 1`], async () => asterisk.outside.hangup(second));
    phone.hangup();
  });

  it('somebody leaves a room and another comes, one is silenced, and the room is locked', async () => {
    const { asterisk } = world;
    const enter = (number: string) => asterisk.phone(number).call('800') ?? '';
    const inRoom = (name: string, headers: Record<string, string> = {}) =>
      manager.action(name, { Conference: '800', ...headers });
    const [own, other] = [enter('342'), enter('343')];
    await tells('342', [`join ${own} 800`, `join ${other} 800`], async () => {});
    let third = '';
    const changes = [
      `leave ${other} 800`,
      `mute ${own} 800`,
      expect.stringMatching(/^join PJSIP\/344-\w+ 800$/),
      'lock  800',
    ];
    await tells('342', changes, () =>
      away(
        async () => {
          asterisk.phone('343').hangup();
          third = enter('344');
          await inRoom('ConfbridgeMute', { Channel: own });
          await inRoom('ConfbridgeLock');
        },
        // Of locks there are none.
        changes.length - 1,
      ),
    );
    await tells('342', [`unmute ${own} 800`, `leave ${third} 800`, `leave ${own} 800`], async () => {
      await inRoom('ConfbridgeUnmute', { Channel: own });
      asterisk.phone('344').hangup();
      asterisk.phone('342').hangup();
    });
  });
});

it('who comes while the XMPP server is away is told of with the place by then, from the front on', async () => {
  const { asterisk } = world;
  const calls = (number: string) => asterisk.outside.call('4930123455', { number }) ?? '';
  const first = calls('0301');
  await tells('340', [`joins: ${first} at 1`], async () => {});
  await leavesXmpp();
  const before = occurred();
  const [second, third, fourth] = [calls('0302'), calls('0303'), calls('0304')];
  for (const each of [first, second]) asterisk.outside.hangup(each);
  await until('it knows of all', () => occurred() === before + 5);
  await tells(
    '340',
    [`abandoned: ${first} at 1`, `joins: ${third} at 1`, `joins: ${fourth} at 2`],
    async () => world.lines.xmpp.mend(),
  );
  await tells('340', [`abandoned: ${third} at 1`, `abandoned: ${fourth} at 1`], async () => {
    for (const each of [third, fourth]) asterisk.outside.hangup(each);
  });
});
