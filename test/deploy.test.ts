import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createAsterisk } from '../src/pbx/asterisk.ts';
import type { PbxId } from '../src/pbx/pbx.ts';
import { createRedisStore } from '../src/store/redis.ts';
import { createComponent } from '../src/xmpp/component.ts';
import * as deployed from './packaging/deployed.ts';
import { until } from './servers/until.ts';

const log = pino({ level: 'silent' });
const chores: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const chore of chores.splice(0).reverse()) await chore();
});

async function running<T extends { stop(): Promise<void> }>(server: Promise<T>): Promise<T> {
  const started = await server;
  chores.push(() => started.stop());
  return started;
}

/** What becomes of a component with this secret: `online`, or why not. */
async function connect(port: number, domain: string, secret: string): Promise<string> {
  const xmpp = createComponent({ service: `xmpp://127.0.0.1:${port}`, domain, secret, log });
  chores.push(() => xmpp.stop(0));
  void xmpp.start();
  return until('the server answered the component', () =>
    xmpp.state.status === 'online' ? 'online' : xmpp.state.reason || undefined,
  );
}

describe('deploy/prosody', () => {
  const env = { XMPP_COMPONENT: 'pbx.example.org', XMPP_SECRET: 'right-secret' };

  it.each(['0.12', '13'] as const)('takes the bridge, and nobody else, on Prosody %s', async (version) => {
    const { port } = await running(deployed.prosody(version, env));
    expect(await connect(port, 'pbx.example.org', 'wrong-secret')).toContain('refused the component secret');
    expect(await connect(port, 'pbx.example.org', 'right-secret')).toBe('online');
    // kick_old: the one that comes later has it.
    expect(await connect(port, 'pbx.example.org', 'right-secret')).toBe('online');
  });
});

describe('deploy/ejabberd', () => {
  const env = { EJABBERD_MACRO_XMPP_SECRET: 'right-secret', EJABBERD_MACRO_XMPP_DOMAIN: 'example.org' };

  it('takes the bridge, and nobody else', async () => {
    const { port } = await running(deployed.ejabberd(env));
    expect(await connect(port, 'pbx.example.org', 'wrong-secret')).toContain('refused the component secret');
    expect(await connect(port, 'pbx.example.org', 'right-secret')).toBe('online');
  });
});

describe('deploy/asterisk', () => {
  const control = { username: 'offhook-control', secret: 'control-secret' };
  const feed = { username: 'offhook-feed', secret: 'feed-secret' };
  const basic = { AMI_USERNAME: control.username, AMI_SECRET: control.secret, SIP_PASSWORD: 'sip-password' };
  const both = { AMI_FEED_USERNAME: feed.username, AMI_FEED_SECRET: feed.secret };

  it.each([
    ['two accounts', { ...basic, ...both }, feed],
    ['one account', basic, control],
  ])('gives the bridge the rights it needs, with %s', async (_, env, listening) => {
    const { port } = await running(deployed.asterisk(env));
    const pbx = createAsterisk({
      id: 'main' as PbxId,
      host: '127.0.0.1',
      port,
      control,
      feed: listening,
      actionTimeoutMs: 5000,
      clock: Date,
      log,
    });
    pbx.onEvent(() => {});
    chores.push(() => pbx.stop());
    void pbx.start();
    await until('both connections are up', () => pbx.state.control && pbx.state.feed, 20);
    expect(await pbx.endpoints()).toMatchObject([
      { device: 'PJSIP/340', extension: '340', fullName: 'Thomas Weber', mailbox: '340@default' },
      { device: 'PJSIP/370', extension: '370', fullName: 'Max Meyer', mailbox: '370@default' },
      { device: 'PJSIP/desk1', extension: '', fullName: 'Desk 1', mailbox: '' },
      { device: 'PJSIP/trunk', extension: '' },
    ]);
    expect([...(await pbx.mailboxes()).keys()]).toEqual(['340@default', '370@default']);
    const call = { device: 'PJSIP/340', context: 'internal', exten: '600', callerName: 'Thomas Weber' };
    // Accepted, and then there is no telephone: the right is there.
    await expect(
      pbx.originate({ ...call, uniqueId: randomUUID(), callerNumber: '340', ringMs: 5000 }),
    ).rejects.toMatchObject({ code: 'device-unavailable' });
  });

  it.each([
    ['is missing', { ...basic, SIP_PASSWORD: '' }, 'set SIP_PASSWORD in .env'],
    [
      'would be a line of configuration',
      { ...basic, AMI_SECRET: 'a\nwrite = all' },
      'may hold letters, digits',
    ],
  ])('does not start where a secret %s', async (_, env, message) => {
    await expect(deployed.asterisk(env)).rejects.toThrow(message);
  });
});

describe('deploy/redis', () => {
  it('takes the bridge with the password, and nobody without', async () => {
    const compose = parse(readFileSync(join(import.meta.dirname, '..', 'docker-compose.yml'), 'utf8'), {
      merge: true,
    });
    const shell: string = compose.services.redis.command[2];
    const { port } = await running(deployed.redis(shell, { REDIS_PASSWORD: 'right-password' }));
    const open = async (password?: string) => {
      const store = createRedisStore({
        host: '127.0.0.1',
        port,
        tls: false,
        password,
        db: 0,
        prefix: 'o:',
        log,
      });
      chores.push(() => store.stop(100));
      await store.start(2000);
      return store.state.usable;
    };
    expect(await open('right-password')).toBe(true);
    expect(await open('wrong-password')).toBe(false);
    expect(await open()).toBe(false);
  });
});
