/** Every server starts, serves, stops and leaves nothing; the phones telephone. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { client, xml } from '@xmpp/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isAlive } from './cache.ts';
import {
  type Server,
  startAsterisk,
  startEjabberd,
  startPhone,
  startProsody,
  startRedis,
  startSippPhone,
  until,
  type XmppServer,
} from './index.ts';

const xmppOptions = {
  domain: 'example.test',
  users: [{ name: '340', password: 'secret' }],
  component: { jid: 'pbx.example.test', secret: 'handshake' },
};

const xmppServers = [
  { name: 'Prosody 0.12', begin: () => startProsody(xmppOptions) },
  { name: 'Prosody 13', begin: () => startProsody({ ...xmppOptions, version: '13' }) },
  { name: 'ejabberd 23', begin: () => startEjabberd(xmppOptions) },
];

describe.each(xmppServers)('$name', ({ begin }) => {
  test('lets users log in, also new ones, also after a crash, and leaves nothing', async () => {
    const server = await owned(begin());
    expect(await pingAs(server, '340', 'secret')).toBe('result');
    await expect(pingAs(server, '340', 'wrong')).rejects.toThrow('not-authorized');
    await server.adduser({ name: 'anna.m', password: 'se"cret\\' });
    expect(await pingAs(server, 'anna.m', 'se"cret\\')).toBe('result');

    const before = server.pid;
    await server.kill();
    expect(server.alive()).toBe(false);
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await pingAs(server, '340', 'secret')).toBe('result');
    await expectNothingLeft(server);
  });

  test('accepts the component', async () => {
    const server = await owned(begin());
    const socket = await open(connect(server.componentPort, server.host));
    socket.write(
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='pbx.example.test'>`,
    );
    const id = /\sid=['"]([^'"]+)/.exec(await reads(socket, /<stream:stream[^>]*>/))?.[1] ?? '';
    // XEP-0114 §3
    const digest = createHash('sha1').update(`${id}handshake`).digest('hex');
    socket.write(`<handshake>${digest}</handshake>`);
    expect(await reads(socket, /<handshake|<stream:error/)).toMatch(
      /<handshake\s*\/>|<handshake.*<\/handshake>/,
    );
  });
});

describe('Redis', () => {
  test('answers with and without a password, keeps data over a restart, and leaves nothing', async () => {
    const server = await owned(startRedis({ password: 'secret' }));
    const socket = await open(connect(server.port, server.host));
    socket.write('PING\r\n');
    expect(await reads(socket, /\r\n/)).toMatch(/^-NOAUTH/);
    socket.write('AUTH secret\r\nSET greeting hello\r\n');
    await reads(socket, /\+OK\r\n\+OK\r\n/);
    await server.restart();
    const again = await open(connect(server.port, server.host));
    again.write('AUTH secret\r\nGET greeting\r\n');
    expect(await reads(again, /hello/)).toContain('+OK');
    await expectNothingLeft(server);
  });

  test('serves TLS with a certificate that its authority vouches for', async () => {
    const server = await owned(startRedis({ tls: true }));
    const socket = await open(
      connectTls({ port: server.port, host: server.host, ca: server.ca ?? '' }),
      'secureConnect',
    );
    socket.write('PING\r\n');
    expect(await reads(socket, /\r\n/)).toBe('+PONG\r\n');
  });
});

describe.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('A process that ends by %s', (signal) => {
  test('takes its servers with it', async () => {
    const index = new URL('./index.ts', import.meta.url).href;
    const script = `import { startRedis } from '${index}'; console.log((await startRedis()).pid);`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until('Redis has started', () => output.endsWith('\n'), 30);
    const pid = Number(output);
    expect(isAlive(pid)).toBe(true);
    child.kill(signal);
    await until('Redis has ended', () => !isAlive(pid));
  });
});

describe('Asterisk 22', () => {
  test('lets both managers in, over TCP and TLS, and leaves nothing', async () => {
    const server = await owned(startAsterisk({ tls: true }));
    const { control, feed } = server.managers;
    const login = ({ username, secret }: typeof control) =>
      `Action: Login\r\nUsername: ${username}\r\nSecret: ${secret}\r\nEvents: off\r\n\r\n`;
    const plain = await open(connect(server.amiPort, server.host));
    plain.write(login(control));
    expect(await reads(plain, /\r\n\r\n/)).toContain('Authentication accepted');
    const options = { port: server.tls?.port ?? 0, host: server.host, ca: server.tls?.ca ?? '' };
    const secure = await open(connectTls(options), 'secureConnect');
    secure.write(login(feed));
    expect(await reads(secure, /\r\n\r\n/)).toContain('Authentication accepted');
    secure.write('Action: Hangup\r\nChannel: PJSIP/340-00000000\r\n\r\n');
    expect(await reads(secure, /Response: Error.*\r\n\r\n/s)).toContain('Permission denied');
    await expectNothingLeft(server);
  });

  test('connects phones: call, hold, transfers, forwarding, refusals, outside', async () => {
    const pbx = await owned(startAsterisk());
    const [anna, bernd, carla, outside] = await Promise.all([
      startPhone(pbx, '340'),
      startPhone(pbx, '370', { incoming: 'answer' }),
      startPhone(pbx, '320'),
      startPhone(pbx, 'trunk'),
    ]);
    const phones = [anna, bernd, carla, outside];
    onTestFinished(async () => void (await Promise.all(phones.map((phone) => phone.stop()))));

    const refused = await anna.dial('320');
    (await carla.ringing()).decline(486);
    await refused.until('ended');
    expect(refused.end).toBe(486);

    const given = await anna.dial('320');
    const missed = await carla.ringing();
    await given.hangup();
    await missed.until('ended');
    expect(missed.end).toBe('there');

    const forwarded = await anna.dial('320');
    (await carla.ringing()).forward('370');
    await forwarded.until('connected');
    expect(forwarded.remote).toEqual({ number: '370', name: 'Bernd Schmidt' });
    await forwarded.hangup();

    const call = await anna.dial('370');
    await call.until('connected');
    await call.hold();
    await call.unhold();
    const atBernd = bernd.calls.at(-1);
    if (!atBernd) throw new Error('370 has no call');
    expect(atBernd.remote).toEqual({ number: '340', name: 'Anna Müller' });
    await atBernd.hold();
    const asking = await bernd.dial('320');
    const atCarla = await carla.ringing();
    await atCarla.answer();
    await asking.until('connected');
    expect(await atBernd.transferTo(asking)).toBe(202);
    await until('340 talks to 320', () => call.remote.number === '320' && atCarla.remote.number === '340');
    expect(await atCarla.transfer('370')).toBe(202);
    await until('340 talks to 370', () => call.remote.number === '370');
    await call.hangup();

    const inbound = await outside.dial('4930123456340', { number: '+491701234567', name: 'Jörg 😀' });
    const ringing = await anna.ringing();
    expect(ringing.remote).toEqual({ number: '+491701234567', name: 'Jörg 😀' });
    await ringing.answer();
    await inbound.until('connected');
    await inbound.hangup();
    await ringing.until('ended');

    const outbound = await anna.dial('0491709999999');
    expect((await outside.ringing()).remote.number).toBe('4930123456340');
    await outbound.hangup();
  });

  test('connects SIPp phones', async () => {
    const pbx = await owned(startAsterisk());
    const password = (extension: string) => pbx.extensions.get(extension)?.password ?? '';
    const behaviours = [
      ['340', 'answer'],
      ['370', 'answer'],
      ['320', 'busy'],
      ['330', 'noanswer'],
    ] as const;
    const [anna, bernd, carla, dora] = await Promise.all(
      behaviours.map(([extension, behaviour]) =>
        owned(startSippPhone(pbx, { extension, password: password(extension), behaviour, ring: 1 })),
      ),
    );
    const kinds = async (phone: typeof anna) => (await phone?.events())?.map((event) => event.kind) ?? [];
    const did = (phone: typeof anna, kind: string) =>
      until(`${phone?.extension} has ${kind}`, async () =>
        (await kinds(phone)).some((done) => done === kind),
      );

    await pbx.cli('channel originate PJSIP/340 extension 370@internal');
    await did(bernd, 'connected');
    await pbx.cli('channel request hangup all');
    await Promise.all([did(anna, 'ended'), did(bernd, 'ended')]);
    expect(await kinds(bernd)).toEqual(['ringing', 'connected', 'ended']);
    expect((await bernd?.events())?.[0]?.from).toContain('Anna Müller');

    await pbx.cli('channel originate PJSIP/320 application Echo');
    await did(carla, 'refused');
    await pbx.cli('channel originate PJSIP/340 extension 330@internal');
    await did(dora, 'ringing');
    await pbx.cli('channel request hangup all');
    await did(dora, 'cancelled');
    for (const phone of [anna, bernd, carla, dora]) if (phone) await expectNothingLeft(phone);
    expect(await pbx.cli('pjsip show contacts')).not.toContain('sip:340@');
  });
});

/** Stops the server when the test is over, however it goes. */
async function owned<T extends Server>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  onTestFinished(() => server.stop());
  return server;
}

/** Stops it; then there is no process and no run folder of its name that this process made. */
async function expectNothingLeft(server: Server): Promise<void> {
  const { pid } = server;
  expect(isAlive(pid)).toBe(true);
  const folders = runFolders();
  await server.stop();
  expect(isAlive(pid)).toBe(false);
  expect(runFolders()).toHaveLength(folders.length - 1);
}

function runFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`offhook-run-${process.pid}-`));
}

async function pingAs(server: XmppServer, username: string, password: string): Promise<string | undefined> {
  const service = `xmpp://${server.host}:${server.c2sPort}`;
  const session = client({ service, domain: server.domain, resource: 'test', username, password });
  session.reconnect.stop();
  session.on('error', () => {});
  try {
    await session.start();
    const ping = xml('iq', { type: 'get', to: server.domain }, xml('ping', { xmlns: 'urn:xmpp:ping' }));
    return (await session.iqCaller.request(ping)).attrs.type;
  } finally {
    await session.stop();
  }
}

function open<T extends Socket>(socket: T, event = 'connect'): Promise<T> {
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve, reject) => socket.once('error', reject).once(event, () => resolve(socket)));
}

/** What comes until it matches. */
async function reads(socket: Socket, wanted: RegExp): Promise<string> {
  let text = '';
  const collect = (chunk: Buffer) => {
    text += chunk.toString('utf8');
  };
  socket.on('data', collect);
  await until(`${wanted} comes`, () => wanted.test(text));
  socket.off('data', collect);
  return text;
}
