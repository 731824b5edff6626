import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Asterisk } from './asterisk.ts';
import { type Client, parse } from './client.ts';
import { drain, hungUp, login, start } from './fixture.ts';
import { headerOrders, sequences } from './sequence.ts';

const recording = async (name: string) =>
  readFile(new URL(`./recorded/${name}.ami`, import.meta.url), 'utf8');

describe('the same events as a recorded Asterisk', () => {
  /** What is done on the telephones and over AMI, and how many channels end. */
  const scenarios: Record<
    string,
    { channels: number; play(asterisk: Asterisk, client: Client): Promise<void> | void }
  > = {
    '01_call_caller_hangs_up': {
      channels: 2,
      play(asterisk) {
        asterisk.phone('340').call('370');
        asterisk.phone('370').answer();
        asterisk.phone('340').hangup();
      },
    },
    '03_no_answer': {
      channels: 2,
      play(asterisk) {
        asterisk.phone('340').call('8370');
        asterisk.phone('370').timeout();
      },
    },
    '04a_busy': {
      channels: 2,
      play(asterisk) {
        asterisk.phone('370').behaviour = 'busy';
        asterisk.phone('340').call('370');
      },
    },
    '04c_unregistered': {
      channels: 1,
      play(asterisk) {
        asterisk.phone('340').call('310');
      },
    },
    '05_caller_cancels': {
      channels: 2,
      play(asterisk) {
        asterisk.phone('340').call('370');
        asterisk.phone('340').hangup();
      },
    },
    '06a_hold_unhold': {
      channels: 2,
      play(asterisk) {
        const [anna, bernd] = [asterisk.phone('340'), asterisk.phone('370')];
        anna.call('370');
        bernd.answer();
        for (const phone of [anna, bernd]) {
          phone.hold();
          phone.unhold();
        }
        anna.hangup();
      },
    },
    '07a_refer_by_callee': {
      channels: 3,
      play(asterisk) {
        asterisk.phone('340').call('370');
        asterisk.phone('370').answer();
        asterisk.phone('370').transfer('320');
        asterisk.phone('320').answer();
        asterisk.phone('340').hangup();
      },
    },
    '08e_ami_redirect_ringing': {
      channels: 3,
      async play(asterisk, client) {
        const channel = asterisk.phone('340').call('370') ?? '';
        const answer = await client.action('Redirect', {
          Channel: channel,
          Context: 'internal',
          Exten: '320',
          Priority: '1',
        });
        expect(answer.get('Message')).toBe('Redirect successful');
        asterisk.phone('320').answer();
        asterisk.phone('340').hangup();
      },
    },
    '11a_originate_async': {
      channels: 2,
      async play(asterisk, client) {
        await client.action('Originate', {
          Channel: 'PJSIP/340',
          Context: 'internal',
          Exten: '370',
          Priority: '1',
          CallerID: '"Click 370" <370>',
          Async: 'true',
          Variable: '__CTIID=4711',
        });
        asterisk.phone('340').answer();
        asterisk.phone('370').answer();
        asterisk.phone('340').hangup();
      },
    },
    '11c_originate_external': {
      channels: 2,
      async play(asterisk, client) {
        await client.action('Originate', {
          Channel: 'PJSIP/340',
          Context: 'internal',
          Exten: '01725556677',
          Priority: '1',
          Async: 'true',
          ChannelId: 'cti-1-a',
        });
        asterisk.phone('340').answer();
        asterisk.outside.answer();
        asterisk.phone('340').hangup();
      },
    },
    '11d_originate_app': {
      channels: 1,
      async play(asterisk, client) {
        await client.action('Originate', {
          Channel: 'PJSIP/340',
          Application: 'Wait',
          Data: '2',
          Async: 'true',
        });
        asterisk.phone('340').answer();
      },
    },
    '27a_external_in': {
      channels: 2,
      play(asterisk) {
        asterisk.outside.call('493012345340', { number: '+4915112345678', name: 'Max Mustermann' });
        asterisk.phone('340').answer();
        asterisk.outside.hangup();
      },
    },
    '29_ami_hangup': {
      channels: 4,
      async play(asterisk, client) {
        asterisk.phone('340').call('370');
        const [ringing] = asterisk.phone('370').state();
        await client.action('Hangup', { Channel: ringing?.channel ?? '', Cause: '21' });
        const caller = asterisk.phone('340').call('370') ?? '';
        asterisk.phone('370').answer();
        await client.action('Hangup', { Channel: caller });
      },
    },
    '13a_queue_agent_hangs_up': {
      channels: 2,
      play(asterisk) {
        asterisk.outside.call('4930123455', { number: '+4915112345678', name: 'Max Mustermann' });
        asterisk.phone('340').answer();
        asterisk.phone('340').hangup();
      },
    },
  };

  it.each(Object.entries(scenarios))('%s', async (name, scenario) => {
    const asterisk = await start();
    const client = await login(asterisk);
    await scenario.play(asterisk, client);
    await hungUp(client, scenario.channels);
    await drain(client);

    const recorded = await recording(name);
    const dialplan = new Set(['VarSet', 'Newexten']);
    const live = client
      .messages()
      .filter((message) => message.has('Privilege') && !dialplan.has(message.get('Event') ?? ''));
    const real = parse(recorded).filter(
      (message) => message.has('Privilege') && !dialplan.has(message.get('Event') ?? ''),
    );
    expect(sequences(live)).toEqual(sequences(real));

    const orders = headerOrders(client.text());
    for (const [event, expected] of headerOrders(recorded)) {
      if (event === 'ChallengeSent') continue;
      const mine = orders.get(event) ?? new Set();
      for (const order of mine) expect(expected, `headers of ${event}`).toContain(order);
    }
  });
});

describe('the order between channels', () => {
  it('is Asterisk’s where Asterisk’s is stable', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.phone('340').call('370');
    asterisk.phone('370').answer();
    asterisk.phone('370').hangup();
    await hungUp(client, 2);
    const told = client
      .events()
      .map((event) => `${event.get('Event')} ${event.get('CallerIDNum')} ${event.get('ChannelState')}`);
    const milestones = [
      'Newchannel 340 4',
      'Newchannel 370 0',
      'DialBegin 340 4',
      'Newstate 370 5',
      'Newstate 370 6',
      'DialEnd 340 4',
      'Newstate 340 6',
      'BridgeEnter 370 6',
      'BridgeEnter 340 6',
      'HangupRequest 370 6',
      'BridgeLeave 370 6',
      'BridgeLeave 340 6',
      'Hangup 370 6',
      'Hangup 340 6',
    ];
    expect(told.filter((line) => milestones.includes(line))).toEqual(milestones);
  });
});

describe('lists and rarer events', () => {
  it('have the headers of a recorded Asterisk, in its order', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    await client.action('DBPut', { Family: 'CF', Key: 'test', Val: '1' });
    await client.action('DBGet', { Family: 'CF', Key: 'test' });
    asterisk.phone('340').call('370');
    asterisk.phone('370').answer();
    asterisk.outside.call('4930123455');
    const lists = [
      'CoreShowChannels',
      'Status',
      'BridgeList',
      'QueueStatus',
      'PJSIPShowContacts',
      'PJSIPShowEndpoints',
      'VoicemailUsersList',
      'DeviceStateList',
      'ExtensionStateList',
    ];
    for (const name of lists) await client.action(name);
    const bridge = asterisk.channels()[0]?.bridge ?? '';
    await client.action('BridgeInfo', { BridgeUniqueid: bridge });
    asterisk.outside.hangup();
    asterisk.phone('340').hangup();
    asterisk.outside.call('4930123455');
    asterisk.phone('340').decline();
    asterisk.outside.hangup();
    asterisk.phone('320').call('800');
    asterisk.phone('320').hangup();
    asterisk.phone('310').register();
    asterisk.messages('370', 1);
    await drain(client);

    const orders = headerOrders(client.text());
    for (const [event, expected] of headerOrders(await recording('various'))) {
      const mine = orders.get(event) ?? new Set();
      expect(mine.size, `the simulator sends ${event}`).toBeGreaterThan(0);
      for (const order of mine) expect(expected, `headers of ${event}`).toContain(order);
    }
  });
});
