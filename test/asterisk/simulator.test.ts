import { describe, expect, it } from 'vitest';
import { hungUp, login, start } from './fixture.ts';

describe('telephones', () => {
  it('see the truth of each call', async () => {
    const asterisk = await start();
    const [anna, bernd] = [asterisk.phone('340'), asterisk.phone('370')];
    anna.call('370');
    expect(anna.state()).toMatchObject([{ state: 'calling', number: '370', name: 'Bernd Schmidt' }]);
    expect(bernd.state()).toMatchObject([{ state: 'ringing', number: '340', name: 'Anna Müller' }]);
    bernd.answer();
    bernd.hold();
    expect(bernd.state()).toMatchObject([{ state: 'held' }]);
    bernd.unhold();
    expect(anna.state()).toMatchObject([{ state: 'up' }]);
    anna.hangup();
    expect([...anna.state(), ...bernd.state()]).toEqual([]);
    expect(() => anna.answer()).toThrow(/cannot answer its call: it has no call/);
  });

  it('answer, refuse and give up by themselves', async () => {
    const asterisk = await start();
    const [anna, bernd] = [asterisk.phone('340'), asterisk.phone('370')];
    bernd.behaviour = { answer: 1 };
    anna.call('370');
    await asterisk.until(() => anna.state()[0]?.state === 'up', 'the answer');
    anna.hangup();
    for (const behaviour of ['busy', 'decline', { noanswer: 1 }] as const) {
      bernd.behaviour = behaviour;
      anna.call('370');
      await asterisk.until(() => anna.state().length === 0, 'the end of the call');
    }
  });

  it('ring together when a user has two, and the loser stops', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.phone('340', 2).register();
    asterisk.phone('370').call('2340');
    expect(asterisk.phone('340').state()).toMatchObject([{ state: 'ringing' }]);
    asterisk.phone('340', 2).answer();
    expect(asterisk.phone('340').state()).toEqual([]);
    asterisk.phone('370').hangup();
    await hungUp(client, 3);
    expect(client.events('Hangup').map((event) => event.get('Cause'))).toEqual(['26', '16', '16']);
  });

  it('get no channel for a number that does not exist', async () => {
    const asterisk = await start();
    expect(asterisk.phone('340').call('999')).toBeUndefined();
    expect(() => asterisk.phone('310').call('340')).toThrow(/not registered/);
    expect(() => asterisk.phone('399')).toThrow(/no telephone 399/);
  });

  it('come and go with PeerStatus, ContactStatus and device state', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.phone('310').register();
    asterisk.phone('310').unregister();
    await client.until(() => client.events('ContactStatus').length === 2);
    expect(client.events('PeerStatus').map((event) => event.get('PeerStatus'))).toEqual([
      'Reachable',
      'Unreachable',
    ]);
    expect(client.events('DeviceStateChange').map((event) => event.get('State'))).toEqual([
      'NOT_INUSE',
      'UNAVAILABLE',
    ]);
  });

  it.each([
    ['600', 'up'],
    ['602', 'calling'],
    ['*100', 'up'],
    ['500', 'up'],
  ])('reach the service %s', async (number, state) => {
    const asterisk = await start();
    asterisk.phone('340').call(number);
    expect(asterisk.phone('340').state()).toMatchObject([{ state, number }]);
    asterisk.phone('340').hangup();
    expect(asterisk.channels()).toEqual([]);
  });

  it.each([
    ['604', '17'],
    ['605', '34'],
  ])('are refused by the service %s', async (number, cause) => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.phone('340').call(number);
    await hungUp(client, 1);
    expect(client.events('Hangup')[0]?.get('Cause')).toBe(cause);
  });

  it('show names with quotes and backslashes escaped in channel events', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.outside.call('340', { number: '1', name: '"Mö" O\'Neil \\ 😀' });
    await client.until(() => client.events('Newchannel').length === 2);
    expect(client.events('Newchannel')[0]?.get('CallerIDName')).toBe('\\"Mö\\" O\\\'Neil \\\\ 😀');
    expect(asterisk.phone('340').state()).toMatchObject([{ name: '"Mö" O\'Neil \\ 😀' }]);
  });
});

describe('load', () => {
  it('makes interleaved calls and tells of their beginning and end', async () => {
    const asterisk = await start();
    const client = await login(asterisk, 'callonly');
    let begun = 0;
    let ended = 0;
    const report = await asterisk.load({
      callsPerSecond: 500,
      calls: 50,
      ring: 5,
      talk: 20,
      onBegin: () => {
        begun += 1;
      },
      onEnd: () => {
        ended += 1;
      },
    });
    expect([begun, ended, report.calls]).toEqual([50, 50, 50]);
    await hungUp(client, 100);
    expect(asterisk.channels()).toEqual([]);
    expect(client.events('BridgeEnter')).toHaveLength(100);
  });
});
