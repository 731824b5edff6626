import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { connectClient } from './client.ts';
import { drain, hungUp, login, open, start } from './fixture.ts';

describe('logging in', () => {
  it('greets, accepts a secret and tells that it has booted', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    expect(client.text().startsWith('Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n')).toBe(true);
    await client.until(() => client.events('FullyBooted').length === 1);
    expect(asterisk.sessions.map((session) => session.user)).toEqual(['lab']);
  });

  it('accepts an MD5 answer to its challenge', async () => {
    const asterisk = await start();
    const client = await open(asterisk);
    const challenge = (await client.action('Challenge', { AuthType: 'MD5' })).get('Challenge') ?? '';
    const key = createHash('md5').update(`${challenge}labpass`).digest('hex');
    const answer = await client.action('Login', { AuthType: 'MD5', Username: 'lab', Key: key });
    expect(answer.get('Response')).toBe('Success');
  });

  it.each([
    { Username: 'lab', Secret: 'wrong' },
    { Username: 'lab' },
    { Username: 'nobody', Secret: 'labpass' },
    { Username: 'lab', AuthType: 'MD5', Key: '0'.repeat(32) },
  ])('refuses %j and closes', async (headers) => {
    const asterisk = await start();
    const client = await open(asterisk);
    const answer = await client.action('Login', headers);
    expect([answer.get('Response'), answer.get('Message')]).toEqual(['Error', 'Authentication failed']);
    await client.until(() => client.closed, 'the end of the connection');
  });

  it('does nothing for who has not logged in', async () => {
    const asterisk = await start();
    const client = await open(asterisk);
    expect((await client.action('CoreShowChannels')).get('Message')).toBe('Permission denied');
    expect(client.closed).toBe(false);
  });
});

describe('rights', () => {
  it('sends an account only the classes it may read', async () => {
    const asterisk = await start();
    const client = await login(asterisk, 'callonly');
    asterisk.phone('340').call('370');
    asterisk.phone('340').hangup();
    await hungUp(client, 2);
    const privileges = new Set(client.events().map((event) => event.get('Privilege')));
    expect([...privileges]).toEqual(['call,all']);
    expect(client.events('FullyBooted')).toEqual([]);
  });

  it('refuses actions outside the account’s classes', async () => {
    const asterisk = await start();
    const client = await login(asterisk, 'callonly');
    const message = async (name: string) => (await client.action(name)).get('Message');
    expect(await message('CoreShowChannels')).toBe('Permission denied');
    expect(await message('Originate')).toBe('Permission denied');
    expect(await message('DeviceStateList')).toBe('Device State Changes will follow');
    expect(await message('Hangup')).toBe('No channel specified');
    expect(await message('JabberSend')).toContain('Invalid/unknown command: JabberSend.');
  });

  it('follows the event mask, and filters of account and session', async () => {
    const asterisk = await start();
    const [quiet, loud] = [await login(asterisk, 'quiet'), await login(asterisk)];
    expect(
      (await loud.action('Filter', { Operation: 'Add', Filter: '!Event: (Newexten|VarSet)' })).get('Message'),
    ).toBe('Success');
    asterisk.phone('340').call('600');
    asterisk.phone('340').hangup();
    await Promise.all([hungUp(quiet, 1), hungUp(loud, 1)]);
    expect([quiet.events('VarSet').length, quiet.events('Newexten').length > 0]).toEqual([0, true]);
    expect([loud.events('VarSet').length, loud.events('Newexten').length]).toEqual([0, 0]);

    expect((await loud.action('Events', { EventMask: 'off' })).get('Events')).toBe('Off');
    asterisk.phone('340').call('600');
    asterisk.phone('340').hangup();
    await hungUp(quiet, 2);
    await drain(loud);
    expect(loud.events('Hangup')).toHaveLength(1);
  });

  it('takes a filter by criteria', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const answer = await client.action('Filter', {
      Operation: 'Add',
      MatchCriteria: 'action(exclude),name(VarSet)',
      Filter: '',
    });
    expect(answer.get('Response')).toBe('Success');
    asterisk.phone('340').call('600');
    asterisk.phone('340').hangup();
    await hungUp(client, 1);
    expect(client.events('VarSet')).toEqual([]);
  });
});

describe('framing', () => {
  it('answers two actions in one packet, LF only, byte by byte, and none in between', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    client.write('Action: Ping\nActionID: lf\n\nAction: Ping\r\nActionID: crlf\r\n\r\n');
    for (const byte of Buffer.from('Action: Ping\r\nActionID: ümläut\r\n\r\n')) client.write(Buffer.of(byte));
    const pongs = () => client.messages().filter((message) => message.has('Ping'));
    await client.until(() => pongs().length === 3, 'three pongs');
    expect(pongs().map((pong) => pong.get('ActionID'))).toEqual(['lf', 'crlf', 'ümläut']);
  });

  it('marks lines over 1024 bytes and messages over 128 headers, and lives on', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const long = await client.action('Ping', { Filler: 'x'.repeat(1100) });
    expect(long.get('Message')).toBe('Failed to parse message: line too long');
    const many = Array.from({ length: 130 }, (_, index) => `H${index}: 1\r\n`).join('');
    client.write(`Action: Ping\r\n${many}\r\n`);
    await client.until(() => client.text().includes('Too many lines in message or allocation failure'));
    expect((await client.action('Ping')).get('Ping')).toBe('Pong');
    expect(asterisk.actions.map((action) => action.framing)).toEqual([
      'ok',
      'line too long',
      'too many headers',
      'ok',
    ]);
  });

  it('keeps every action, parsed and as it came', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.forget();
    const raw = 'Action: Originate\r\nActionID: 1\r\nVariable: a=1\r\nVariable: b=2\r\n\r\n';
    client.write(raw);
    await asterisk.until(() => asterisk.actions.length === 1, 'the action');
    const [action] = asterisk.actions;
    expect(action?.raw.toString()).toBe(raw);
    expect(action?.header('channel')).toBe('');
    expect(action?.headers.filter(([key]) => key === 'Variable').map(([, value]) => value)).toEqual([
      'a=1',
      'b=2',
    ]);
    expect(asterisk.sessions[0]?.received.toString()).toBe(raw);
    expect(action?.user).toBe('lab');
  });
});

describe('faults', () => {
  it('drops connections of one account', async () => {
    const asterisk = await start();
    const [one, other] = [await login(asterisk), await login(asterisk, 'quiet')];
    asterisk.faults.drop('lab');
    await one.until(() => one.closed, 'the drop');
    expect((await other.action('Ping')).get('Ping')).toBe('Pong');
  });

  it('falls silent and speaks again', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.faults.mute();
    client.write('Action: Ping\r\nActionID: lost\r\n\r\n');
    const newcomer = await open(asterisk);
    await asterisk.until(() => asterisk.actions.some((action) => action.header('ActionID') === 'lost'));
    asterisk.faults.unmute();
    await drain(client);
    expect(client.text()).not.toContain('lost');
    expect(newcomer.text()).toBe('');
  });

  it('plays dead', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.faults.halfOpen();
    const before = asterisk.actions.length;
    client.write('Action: Ping\r\n\r\n');
    await login(asterisk);
    expect(asterisk.actions.length).toBe(before + 1);
    expect(asterisk.sessions[0]?.connected).toBe(true);
  });

  it('refuses connections and takes them again', async () => {
    const asterisk = await start();
    const old = await login(asterisk);
    await asterisk.faults.refuse();
    await expect(connectClient(asterisk.port)).rejects.toThrow(/ECONNREFUSED/);
    expect((await old.action('Ping')).get('Ping')).toBe('Pong');
    await asterisk.faults.accept();
    await login(asterisk);
  });

  it('stalls, swallows, fails and delays actions by name', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    const originate = { Channel: 'PJSIP/340', Application: 'Wait', Data: '1', Async: 'true' };
    const raw = Object.entries({ Action: 'Originate', ...originate }).map(
      ([key, value]) => `${key}: ${value}\r\n`,
    );

    asterisk.faults.stall('Originate');
    client.write(`${raw.join('')}\r\n`);
    await drain(client);
    expect(asterisk.channels()).toEqual([]);

    asterisk.faults.swallow('originate');
    client.write(`${raw.join('')}\r\n`);
    await asterisk.until(() => asterisk.channels().length === 1, 'the call');
    await drain(client);
    expect(client.text()).not.toContain('Originate successfully queued');

    asterisk.faults.fail('Originate', 'out of order');
    expect((await client.action('Originate', originate)).get('Message')).toBe('out of order');
    await asterisk.faults.clear();
    asterisk.faults.late(5);
    expect((await client.action('Originate', originate)).get('Response')).toBe('Success');
  });

  it('sends garbage, and slowly', async () => {
    const asterisk = await start();
    const client = await login(asterisk);
    asterisk.faults.slow(2000);
    asterisk.faults.garbage('\0\r\n:::\r\n\r\n');
    await client.until(() => client.text().includes(':::'), 'the garbage');
    const channel = asterisk.phone('340').call('600') ?? '';
    await client.until(() => client.text().includes(channel), 'the first bytes of the call');
    expect(client.events('Newstate')).toEqual([]);
    await asterisk.faults.clear();
    await client.until(() => client.events('Newstate').length === 1, 'the rest');
  });
});
