/** What a telephone system that has no measure can make the adapter keep, and keep doing. */

import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createGate } from '../../src/pbx/gate.ts';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import { until } from '../servers/until.ts';
import { type Adapter, adapter } from './adapter.ts';
import { type Answer, type Peer, startWire, type Wire } from './wire.ts';

const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop();
});

async function connect(
  options: Parameters<typeof adapter>[1] = {},
  answer?: Answer,
): Promise<{ wire: Wire; pbx: Adapter }> {
  const wire = await startWire(answer);
  open.push(wire);
  const pbx = adapter(wire.port, options);
  open.push(pbx);
  await pbx.start();
  return { wire, pbx };
}

const channel = 'PJSIP/340-00000001' as ChannelId;

function controlOf({ peers }: Wire): Peer {
  const found = peers.findLast(({ user }) => user === 'control');
  if (found === undefined) throw new Error('nobody acts');
  return found;
}

/** Says it again and again, until the other side has enough. */
async function sayForEver({ socket }: Peer, text: string): Promise<void> {
  const piece = text.repeat(Math.ceil(65_536 / text.length));
  socket.on('error', () => {});
  while (!socket.destroyed) {
    if (socket.write(piece)) await setImmediate();
    else
      await new Promise<void>((resolve) => void socket.once('drain', resolve).once('close', () => resolve()));
  }
}

describe('on the connection that acts', () => {
  it.each([
    ['a message of lines without end', 'Header: value\r\n'],
    ['the output of a command without end', 'Response: Follows\r\nOutput: a\r\nOutput: b\r\n'],
    ['a line without end', 'x'],
  ])('%s costs the connection', async (_, text) => {
    const { wire, pbx } = await connect();
    const before = controlOf(wire);
    await sayForEver(before, text);
    await until('another is made', () => controlOf(wire) !== before && pbx.state.control);
    expect(pbx.logged.join()).toContain('is this Asterisk?');
    await pbx.hangup(channel);
  });

  it.each([
    ['an event with the name that the library gives its own', 'Event: RawEvent\r\n\r\n'],
    ['an answer to that name', 'Response: Success\r\nActionID: rawevent\r\n\r\n'],
    ['blank lines', '\r\n'.repeat(30_000)],
    ['the output of a command', 'Response: Follows\r\n\r\nOutput: a\r\n\r\n'],
    ['the same after a banner', 'Asterisk Call Manager/1\r\nResponse: Follows\r\n\r\nOutput: a\r\n\r\n'],
  ])('%s is nothing', async (_, text) => {
    const { wire, pbx } = await connect();
    controlOf(wire).socket.write(text);
    await pbx.hangup(channel);
    expect(pbx.state.control).toBe(true);
  });

  it('an answer that bears that name, too, is no reason to go round in circles', async () => {
    const { pbx } = await connect({ actionTimeoutMs: 500 }, ({ name, headers }, { say }) => {
      if (name !== 'Hangup') return undefined;
      say('Event: RawEvent', `ActionID: ${headers.get('actionid')}`);
      return 'answered';
    });
    await expect(pbx.hangup(channel)).rejects.toThrow('did not answer');
  });
});

/** The beginning of a list. */
const begin = (id: string) => ['Response: Success', id, 'EventList: start', 'Message: will follow'];

describe('a list without end', () => {
  it('of the connection that acts is an error to who asked, and to nobody else', async () => {
    const { wire, pbx } = await connect({ limits: { maxListed: 1000 } }, (sent, peer) => {
      if (sent.name !== 'DBGetTree') return undefined;
      const id = `ActionID: ${sent.headers.get('actionid')}`;
      peer.say(...begin(id));
      void sayForEver(peer, `Event: DBGetTreeResponse\r\n${id}\r\nKey: /CF/340\r\nVal: 370\r\n\r\n`);
      return 'answered';
    });
    await expect(pbx.dbFamily('CF')).rejects.toThrow('more than 1000 items');
    await pbx.hangup(channel);
    controlOf(wire).socket.destroy();
  });

  it('of the connection that listens is given up with it, and asked for again', async () => {
    let asked = 0;
    const wire = await startWire((sent, peer) => {
      if (sent.name !== 'DeviceStateList' || asked++ > 0) return undefined;
      const id = `ActionID: ${sent.headers.get('actionid')}`;
      peer.say(...begin(id));
      void sayForEver(peer, `Event: DeviceStateChange\r\n${id}\r\nDevice: PJSIP/340\r\nState: INUSE\r\n\r\n`);
      return 'answered';
    });
    open.push(wire);
    const pbx = adapter(wire.port, { limits: { maxListed: 1000 } });
    open.push(pbx);
    await pbx.start();
    expect(pbx.logged.join()).toContain('more than 1000 items');
    expect(pbx.state).toEqual({ control: true, feed: true, reason: '' });
  });
});

describe('the gate', () => {
  const line = fc.constantFrom('Event: X', 'A: b', 'Response: Success', '\r', 'ä', ':');
  const message = fc
    .array(line, { minLength: 1, maxLength: 4 })
    .chain((lines) => fc.constantFrom('\r\n', '\n').map((end) => [...lines, '', ''].join(end)));

  it('hands on the same messages however they are cut, without the blank lines between them', () => {
    const stream = fc.array(fc.tuple(message, fc.constantFrom('', '\n', '\r\n')), { maxLength: 6 });
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.flat().join(''));
        const gate = createGate();
        const out: Buffer[] = [];
        for (let [at, n] = [0, 0]; at < bytes.length; n += 1) {
          const size = cuts[n % cuts.length] ?? 1;
          out.push(gate(bytes.subarray(at, at + size)));
          at += size;
        }
        const whole = createGate()(bytes).toString();
        expect(Buffer.concat(out).toString()).toBe(whole);
        const plain = (text: string) => text.replaceAll(/^[\r\n]+/g, '').split(/(?:\r?\n){2}[\r\n]*/);
        expect(plain(whole)).toEqual(plain(parts.map(([text]) => text).join('')));
      }),
    );
  });
});
