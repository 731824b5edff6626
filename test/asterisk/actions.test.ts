import { describe, expect, it } from 'vitest';
import type { Asterisk } from './asterisk.ts';
import { drain, login, start } from './fixture.ts';

describe('actions', () => {
  it('lists channels, their bridge and what state every device is in', async () => {
    const asterisk = await start();
    const client = await login(asterisk, 'lab', 'off');
    asterisk.phone('340').call('370');
    asterisk.phone('370').answer();
    asterisk.phone('340').hold();
    await client.action('CoreShowChannels');
    await client.action('BridgeList');
    await client.action('DeviceStateList');
    await client.action('PJSIPShowContacts');
    await client.action('Status');
    await drain(client);
    expect(client.events('CoreShowChannel').map((item) => item.get('Application'))).toEqual([
      'Dial',
      'AppDial',
    ]);
    const bridge = client.events('BridgeListItem')[0]?.get('BridgeUniqueid') ?? '';
    await client.action('BridgeInfo', { BridgeUniqueid: bridge });
    await client.until(() => client.events('BridgeInfoComplete').length === 1);
    expect(client.events('BridgeInfoChannel').map((item) => item.get('CallerIDNum'))).toEqual(['370', '340']);
    const devices = new Map(
      client.events('DeviceStateChange').map((item) => [item.get('Device'), item.get('State')]),
    );
    expect([devices.get('PJSIP/340'), devices.get('PJSIP/370'), devices.get('PJSIP/310')]).toEqual([
      'INUSE',
      'ONHOLD',
      'UNAVAILABLE',
    ]);
    expect(client.events('ContactList').map((item) => item.get('Endpoint'))).toEqual([
      '320',
      '340',
      '370',
      'trunk',
    ]);
    expect(client.events('StatusComplete')[0]?.get('Items')).toBe('2');
  });

  it('discovers endpoints, mailboxes and hints', async () => {
    const asterisk = await start();
    const client = await login(asterisk, 'lab', 'off');
    for (const name of ['PJSIPShowEndpoints', 'VoicemailUsersList', 'ExtensionStateList'])
      await client.action(name);
    await drain(client);
    expect(client.events('EndpointList').map((item) => item.get('ObjectName'))).toContain('340');
    expect(client.events('VoicemailUserEntry').map((item) => item.get('Fullname'))).toContain(
      'Bernd "Bär" Schmidt',
    );
    expect(client.events('ExtensionStatus').map((item) => item.get('Hint'))).toContain('PJSIP/370');
  });

  it('keeps values in the AstDB', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const at = { Family: 'CF', Key: '340' };
    expect((await client.action('DBGet', at)).get('Message')).toBe('Database entry not found');
    await client.action('DBPut', { ...at, Val: 'Wärt: 1' });
    await client.action('DBGet', at);
    await client.until(() => client.events('DBGetResponse')[0]?.get('Val') === 'Wärt: 1');
    expect((await client.action('DBDel', at)).get('Message')).toBe('Key deleted successfully');
    expect((await client.action('DBDel', at)).get('Message')).toBe('Database entry could not be deleted');
  });

  it.each([
    [{ Channel: '' }, 'Channel not specified'],
    [{ Channel: 'nothing' }, 'Invalid channel'],
    [{ Channel: 'PJSIP/340', Context: 'internal', Exten: '999', Priority: '1' }, 'Extension does not exist.'],
    [{ Channel: 'PJSIP/340', Context: 'internal', Exten: '370', Priority: 'one' }, 'Invalid priority'],
  ])('refuses the Originate %j', async (headers, message) => {
    const asterisk = await start();
    const client = await login(asterisk);
    const answer = await client.action('Originate', { ...headers, Async: 'true' });
    expect([answer.get('Response'), answer.get('Message')]).toEqual(['Error', message]);
    expect(asterisk.channels()).toEqual([]);
  });

  it.each([
    ['busy', (asterisk: Asterisk) => asterisk.phone('340').busy(), '0'],
    ['declined', (asterisk: Asterisk) => asterisk.phone('340').decline(), '0'],
    ['timed out', (asterisk: Asterisk) => asterisk.phone('340').timeout(), '3'],
  ])('tells of an asynchronous Originate that was %s', async (_, refuse, reason) => {
    const asterisk = await start();
    const client = await login(asterisk);
    const answer = await client.action('Originate', {
      Channel: 'PJSIP/340',
      Application: 'Wait',
      Data: '1',
      Async: 'true',
    });
    expect(answer.get('Message')).toBe('Originate successfully queued');
    refuse(asterisk);
    await client.until(() => client.events('OriginateResponse').length === 1);
    const [event] = client.events('OriginateResponse');
    expect([event?.get('Response'), event?.get('Reason'), event?.get('Channel')]).toEqual([
      'Failure',
      reason,
      'PJSIP/340',
    ]);
  });

  it('answers a synchronous Originate after the attempt', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const headers = { Channel: 'PJSIP/310', Application: 'Wait', Data: '1' };
    expect((await client.action('Originate', headers)).get('Message')).toBe('Originate failed');
  });

  it('says “No such channel” for what is not there', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    expect((await client.action('Hangup', { Channel: 'PJSIP/340-99999999' })).get('Message')).toBe(
      'No such channel',
    );
  });

  it('transfers blindly, and says why it cannot', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const caller = asterisk.phone('340').call('370') ?? '';
    const transfer = async (exten: string) =>
      (await client.action('BlindTransfer', { Channel: caller, Context: 'internal', Exten: exten })).get(
        'Message',
      );
    expect(await transfer('320')).toBe('Transfer invalid');
    asterisk.phone('370').answer();
    expect(await transfer('999')).toBe('Transfer failed');
    expect(await transfer('320')).toBe('Transfer succeeded');
    expect(asterisk.phone('340').state()).toEqual([]);
    expect(asterisk.phone('320').state()).toMatchObject([{ state: 'ringing', number: '370' }]);
    await client.until(() => client.events('BlindTransfer').length === 1);
  });

  it('redirects both channels of a conversation', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const caller = asterisk.phone('340').call('370') ?? '';
    const [callee] = asterisk.phone('370').state();
    asterisk.phone('370').answer();
    const answer = await client.action('Redirect', {
      Channel: caller,
      ExtraChannel: callee?.channel ?? '',
      Context: 'internal',
      Exten: '800',
      Priority: '1',
    });
    expect(answer.get('Response')).toBe('Success');
    await client.until(() => client.events('ConfbridgeJoin').length === 2, 'both in the conference');
    expect(asterisk.channels()).toHaveLength(2);
    asterisk.phone('340').hangup();
    asterisk.phone('370').hangup();
    await client.until(() => client.events('ConfbridgeEnd').length === 1, 'the end of the conference');
  });
});
