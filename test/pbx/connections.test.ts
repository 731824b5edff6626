import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import { until } from '../servers/until.ts';
import { type Adapter, adapter } from './adapter.ts';
import { type Answer, secret, startWire, type Wire } from './wire.ts';

const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop();
});

async function connect(
  options: Parameters<typeof adapter>[1] = {},
  answer?: Answer,
  greeting?: string,
): Promise<{ wire: Wire; pbx: Adapter }> {
  const wire = await startWire(answer, greeting);
  open.push(wire);
  const pbx = adapter(wire.port, options);
  open.push(pbx);
  return { wire, pbx };
}

const channel = 'PJSIP/340-00000001' as ChannelId;
const peer = (wire: Wire, user: string) => wire.peers.findLast((each) => each.user === user);

describe('the login', () => {
  it('answers a challenge on both connections, so that no secret crosses the wire or gets into logs', async () => {
    const { wire, pbx } = await connect();
    await pbx.start();
    expect(pbx.state).toEqual({ control: true, feed: true, reason: '' });
    for (const { received } of wire.peers) {
      expect(received()).toContain('AuthType: MD5');
      expect(received()).not.toContain(secret);
    }
    expect(pbx.logged.join()).not.toContain(secret);
  });

  it('never sends the secret unencrypted, even where Asterisk offers no challenge', async () => {
    const { wire, pbx } = await connect({}, ({ name, headers }, { say }) => {
      if (name !== 'Challenge') return undefined;
      say('Response: Error', `ActionID: ${headers.get('actionid')}`, 'Message: Must specify AuthType');
      return 'answered';
    });
    void pbx.start();
    await until('both refusals are told', () => /control:.*TLS.*feed:.*TLS/.test(pbx.state.reason));
    expect(wire.peers.map(({ received }) => received()).join()).not.toContain(secret);
  });

  it('says what to check when the secret is wrong, and does not hurry to try again', async () => {
    const { wire, pbx } = await connect({ control: { username: 'control', secret: 'wrong' } });
    void pbx.start();
    await until(
      'the feed is up and control refused',
      () => pbx.state.feed && /manager\.conf/.test(pbx.state.reason),
    );
    expect(pbx.state).toMatchObject({ control: false, feed: true });
    expect(pbx.state.reason).toContain("login of 'control'");
    const attempts = wire.peers.length;
    peer(wire, 'feed')?.socket.destroy();
    await until('the feed is back', () => wire.peers.length > attempts && pbx.state.feed);
    expect(wire.peers).toHaveLength(attempts + 1);
  });

  it('gives up on a peer that takes the connection and says nothing', async () => {
    const { pbx } = await connect({ limits: { loginTimeoutMs: 50 } }, undefined, '');
    void pbx.start();
    await until('it is told', () => /banner.*banner/.test(pbx.state.reason));
  });

  it('tells which right the feed account lacks', async () => {
    const { pbx } = await connect({}, ({ name, headers }, { say }) => {
      if (name !== 'CoreShowChannels') return undefined;
      say('Response: Error', `ActionID: ${headers.get('actionid')}`, 'Message: Permission denied');
      return 'answered';
    });
    void pbx.start();
    await until('it is told', () => pbx.state.reason.includes('write = reporting'));
    expect(pbx.state.feed).toBe(false);
  });
});

describe('a line without end', () => {
  it.each(['control', 'feed'])(
    'on the %s connection keeps nobody waiting, and the adapter goes on',
    async (user) => {
      const { wire, pbx } = await connect({ limits: { pingMs: 60_000 } });
      await pbx.start();
      const socket = peer(wire, user)?.socket;
      const connections = wire.peers.length;
      const before = process.cpuUsage();
      const piece = Buffer.alloc(1 << 20, 'x');
      // Its end is what is waited for.
      socket?.on('error', () => {});
      for (let n = 0; n < 30 && socket?.destroyed === false; n++) {
        if (socket.write(piece)) continue;
        await new Promise<void>(
          (resolve) => void socket.once('drain', resolve).once('close', () => resolve()),
        );
      }
      if (socket?.writable === true) socket.write('\r\n\r\n');
      if (user === 'control') {
        await until(
          'it is given up, and another made',
          () => wire.peers.length > connections && pbx.state.control,
        );
        expect(pbx.logged.some((line) => line.includes('is this Asterisk?'))).toBe(true);
      }
      await pbx.hangup(channel);
      const { user: spent, system } = process.cpuUsage(before);
      // Searched again with each chunk, it would be ten seconds.
      expect((spent + system) / 1e6).toBeLessThan(4);
    },
  );
});

describe('an action', () => {
  it('fails at once when the connection breaks, and is not sent later', async () => {
    const { wire, pbx } = await connect({}, ({ name }) => (name === 'Hangup' ? 'answered' : undefined));
    await pbx.start();
    const pending = pbx.hangup(channel);
    await until('it is out', () => wire.sent.some(({ name }) => name === 'Hangup'));
    peer(wire, 'control')?.socket.destroy();
    await expect(pending).rejects.toMatchObject({ code: 'pbx-unavailable' });
    await expect(pbx.hangup(channel)).rejects.toMatchObject({ code: 'pbx-unavailable' });
    await until('it is back', () => pbx.state.control);
    await pbx.redirect(channel, 'internal', '370');
    expect(
      wire.sent
        .filter(({ user, name }) => user === 'control' && !/^(Ping|ListCommands)$/.test(name))
        .map(({ name }) => name),
    ).toEqual(['Hangup', 'Getvar', 'Redirect']);
  });

  it('fails, and not the whole process, when the connection is reset', async () => {
    const thrown: unknown[] = [];
    const onThrown = (error: unknown) => void thrown.push(error);
    process.on('uncaughtException', onThrown);
    onTestFinished(() => void process.off('uncaughtException', onThrown));
    const { wire, pbx } = await connect({}, ({ name }) => (name === 'Hangup' ? 'answered' : undefined));
    await pbx.start();
    const pending = pbx.hangup(channel);
    await until('it is out', () => wire.sent.some(({ name }) => name === 'Hangup'));
    // Our socket fails, and is heard to fail by asterisk-manager after we have turned from it.
    peer(wire, 'control')?.socket.resetAndDestroy();
    await expect(pending).rejects.toMatchObject({ code: 'pbx-unavailable' });
    await until('the reason is told', () => pbx.logged.some((line) => line.includes('ECONNRESET')));
    await until('it is back', () => pbx.state.control);
    expect(thrown).toEqual([]);
  });

  it('is given up when no answer comes in time; the others go on', async () => {
    const { pbx } = await connect({ actionTimeoutMs: 100 }, ({ name }) =>
      name === 'Hangup' ? 'answered' : undefined,
    );
    await pbx.start();
    const mute = pbx.hangup(channel);
    await pbx.redirect(channel, 'internal', '370');
    await expect(mute).rejects.toMatchObject({ condition: 'remote-server-timeout' });
    expect(pbx.state.control).toBe(true);
  });

  it('is refused while too many wait', async () => {
    const { pbx } = await connect({ limits: { maxPending: 2 } }, ({ name }) =>
      name === 'Hangup' ? 'answered' : undefined,
    );
    await pbx.start();
    const pending = [pbx.hangup(channel), pbx.hangup(channel)];
    await expect(pbx.hangup(channel)).rejects.toMatchObject({ condition: 'resource-constraint' });
    const failed = Promise.all(
      pending.map((each) => expect(each).rejects.toMatchObject({ code: 'pbx-unavailable' })),
    );
    await pbx.stop();
    await failed;
  });

  it.each([
    ['No such channel', 'no-such-channel'],
    ['Channel specified does not exist', 'no-such-channel'],
    ['Permission denied', 'not-permitted'],
    ['Transfer not permitted', 'rejected'],
  ])('that Asterisk refuses with "%s" fails as %s', async (sentence, code) => {
    const { pbx } = await connect({}, ({ name, headers }, { say }) => {
      if (name !== 'Hangup') return undefined;
      say('Response: Error', `ActionID: ${headers.get('actionid')}`, `Message: ${sentence}`);
      return 'answered';
    });
    await pbx.start();
    await expect(pbx.hangup(channel)).rejects.toMatchObject({ code });
    // Only the operator can give a right, so the operator is told.
    expect(pbx.logged.some((line) => line.includes("'write ='"))).toBe(code === 'not-permitted');
  });
});

describe('the feed', () => {
  it('keeps what happens while the lists are read, and drops what is older than they are', async () => {
    const begin = (id: string | undefined, say: (...lines: string[]) => void) => {
      say('Event: MessageWaiting', 'Mailbox: 340@default', 'Waiting: 1', 'New: 7', 'Old: 0');
      say('Response: Success', `ActionID: ${id}`, 'EventList: start', 'Message: Channels will follow');
      say('Event: DeviceStateChange', 'Device: PJSIP/340', 'State: INUSE');
      say('Event: CoreShowChannelsComplete', `ActionID: ${id}`, 'EventList: Complete', 'ListItems: 0');
    };
    const { pbx } = await connect({}, ({ name, headers }, { say }) => {
      if (name !== 'CoreShowChannels') return undefined;
      begin(headers.get('actionid'), say);
      return 'answered';
    });
    await pbx.start();
    const [first] = pbx.events;
    expect(pbx.events.map(({ type }) => type)).toEqual(['snapshot', 'queues']);
    expect(first?.type === 'snapshot' ? first.snapshot.meanwhile : first).toEqual([
      expect.objectContaining({ type: 'device-state', device: 'PJSIP/340', state: 'INUSE' }),
    ]);
  });

  it('gives the connection up when more happens meanwhile than it may keep, and begins again', async () => {
    let floods = 1;
    const { wire, pbx } = await connect({ limits: { maxMeanwhile: 10 } }, ({ name, headers }, { say }) => {
      if (name !== 'CoreShowChannels' || floods-- <= 0) return undefined;
      say('Response: Success', `ActionID: ${headers.get('actionid')}`, 'EventList: start');
      for (let i = 0; i < 20; i++) say('Event: DeviceStateChange', 'Device: PJSIP/340', 'State: INUSE');
      return 'answered';
    });
    await pbx.start();
    expect(wire.peers.filter(({ user }) => user === 'feed')).toHaveLength(2);
    expect(pbx.logged.join()).toContain('more than 10 events');
    expect(pbx.events.map(({ type }) => type)).toEqual(['snapshot', 'queues']);
  });

  it('asks Asterisk to send what is translated and nothing else', async () => {
    const { wire, pbx } = await connect();
    await pbx.start();
    const filters = wire.sent
      .filter(({ name }) => name === 'Filter')
      .map(({ headers }) => headers.get('filter') ?? '');
    const passes = (name: string) =>
      filters.some((filter) => new RegExp(filter).test(`Event: ${name}\r\nPrivilege: call,all`));
    expect(['Newchannel', 'Hangup', 'DialBegin'].filter(passes)).toHaveLength(3);
    expect(['VarSet', 'RTCPSent', 'HangupX', 'XHangup'].filter(passes)).toEqual([]);
  });

  it('goes on after an event that cannot be processed', async () => {
    const { wire, pbx } = await connect();
    let calls = 0;
    pbx.onEvent((event) => {
      if (event.type === 'device-state' && ++calls === 1) throw new Error('on purpose');
    });
    await pbx.start();
    const { say } = peer(wire, 'feed') ?? { say: () => expect.fail('no feed') };
    say('Event: DeviceStateChange', 'Device: PJSIP/340', 'State: INUSE');
    say('Event: DeviceStateChange', 'Device: PJSIP/340', 'State: NOT_INUSE');
    await until('the second arrives', () => calls === 2);
    expect(pbx.state.feed).toBe(true);
    expect(pbx.logged.join()).toContain('on purpose');
  });
});

describe('liveness', () => {
  it('drops a connection that is silent after a ping, and connects again', async () => {
    let mute = false;
    const { wire, pbx } = await connect({ limits: { pingMs: 50 } }, ({ name }) =>
      mute && name.toLowerCase() === 'ping' ? 'answered' : undefined,
    );
    await pbx.start();
    mute = true;
    await until(
      'both are given up',
      () =>
        /silent/.test(pbx.logged.filter((line) => line.includes('"feed"')).join()) &&
        /silent/.test(pbx.logged.filter((line) => line.includes('"control"')).join()),
    );
    mute = false;
    await until('both are back', () => pbx.state.control && pbx.state.feed);
    expect(wire.peers.length).toBeGreaterThanOrEqual(4);
    expect(pbx.events.map(({ type }) => type).slice(0, 4)).toEqual([
      'snapshot',
      'queues',
      'feed-down',
      'snapshot',
    ]);
  });
});

describe('stopping', () => {
  it('closes both connections and leaves nothing that would connect again', async () => {
    const { wire, pbx } = await connect();
    await pbx.start();
    await pbx.stop();
    await until('both are closed', () => wire.peers.every(({ socket }) => socket.destroyed));
    expect(pbx.state).toMatchObject({ control: false, feed: false });
    await expect(pbx.hangup(channel)).rejects.toMatchObject({ code: 'pbx-unavailable' });
  });

  it('does not wait for a peer that does not answer', async () => {
    const { pbx } = await connect({ limits: { loginTimeoutMs: 600_000 } }, undefined, '');
    const started = pbx.start();
    await pbx.stop();
    expect(pbx.state.reason).toBe('control: stopped; feed: stopped');
    await started;
  });
});
