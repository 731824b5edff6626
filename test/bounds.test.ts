/** What grows with what a neighbour sends does so up to its bound, and goes on from there. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Bound, Bounded } from '../src/bounds.ts';
import { deviceOfChannel } from '../src/calls/devices.ts';
import { createCalls } from '../src/calls/model.ts';
import { createDirectory } from '../src/directory.ts';
import { createParts } from '../src/journal/parts.ts';
import { createMailboxes } from '../src/mailboxes.ts';
import type { PbxEvent } from '../src/pbx/events.ts';
import type { ChannelId, DeviceName } from '../src/pbx/pbx.ts';
import type { BareJid } from '../src/protocol/jid.ts';
import { createQueues } from '../src/queues/model.ts';
import { createRooms } from '../src/rooms.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createEjabberdApi } from '../src/xmpp/ejabberd-api.ts';
import { deflectionsOver, idlePbx } from './idle.ts';
import { view } from './modules/harness.ts';
import { channel, member } from './queues/script.ts';

const log = pino({ level: 'silent' });

function boundOf({ bounds = [] }: Partial<Bounded>, of: string): Bound {
  const found = bounds.find((each) => each.of === of);
  if (found === undefined) throw new Error(`nothing counts ${of}`);
  return found;
}

describe('a telephone system without measure', () => {
  it('has mailboxes: those that are known go on, further ones are none', () => {
    const mailboxes = createMailboxes({ pbx: idlePbx(), log, now: Date.now });
    const hears = (mailbox: string, newMessages: number) =>
      mailboxes.apply({ type: 'message-waiting', mailbox, newMessages, oldMessages: 0, at: 1 }, []);
    const bound = boundOf(mailboxes, 'mailboxes');
    for (let n = 0; n < bound.most + 10; n++) hears(`${n}@default`, 1);
    expect([bound.held, bound.exceeded]).toEqual([bound.most, 10]);
    expect(hears('0@default', 2)).toHaveLength(1);
    expect(hears('new@default', 2)).toHaveLength(0);
    expect(mailboxes.of('0@default').newMessages).toBe(2);
  });

  it('has lamps', () => {
    const nobody = createDirectory([]);
    const deflections = deflectionsOver(idlePbx(), () => nobody);
    const bound = boundOf(deflections, 'lamps');
    for (let n = 0; n < bound.most + 10; n++) {
      const device = `Custom:DND${n}` as DeviceName;
      deflections.apply({ type: 'device-state', at: 0, device, state: 'INUSE' }, []);
    }
    expect([bound.held, bound.exceeded]).toEqual([bound.most, 10]);
    expect(deflections.of('7').doNotDisturb).toBe(true);
  });

  it('has conference rooms, and members in them, who are told of all the same', () => {
    const rooms = createRooms({ store: createMemoryStore(), pbx: idlePbx(), now: Date.now });
    const [locked, members] = ['locked_rooms', 'room_members'].map((of) => boundOf(rooms, of));
    if (locked === undefined || members === undefined) throw new Error('no bounds');
    for (let n = 0; n < locked.most + 10; n++)
      rooms.lock(String(n), true, { channel: '', name: '', number: '' });
    expect([locked.held, locked.exceeded]).toEqual([locked.most, 10]);
    const joins = (n: number): PbxEvent => ({
      type: 'conference-join',
      at: 1,
      channel: channel(`PJSIP/trunk-${n}`),
      conference: String(n),
    });
    for (let n = 0; n < members.most + 10; n++) expect(rooms.apply(joins(n), [])).toHaveLength(1);
    expect([members.held, members.exceeded]).toEqual([members.most, 10]);
  });

  it('has channels: of further ones nothing is known, and there is room again when one has ended', () => {
    const calls = createCalls({ deviceOf: deviceOfChannel, mostChannels: 100 });
    const bound = boundOf(calls, 'channels');
    const begins = (name: string): PbxEvent => ({ type: 'channel-new', at: 1, channel: channel(name) });
    for (let n = 0; n < 110; n++) calls.apply(begins(`PJSIP/340-${n}`));
    expect([bound.held, bound.exceeded]).toEqual([100, 10]);
    calls.apply({ type: 'hold', at: 2, channel: channel('PJSIP/340-105') });
    calls.apply({ type: 'hangup', at: 2, channel: channel('PJSIP/340-105'), cause: 16 });
    expect(calls.channel('PJSIP/340-105' as ChannelId)).toBeUndefined();
    calls.apply({ type: 'hangup', at: 3, channel: channel('PJSIP/340-1'), cause: 16 });
    expect(bound.held).toBe(99);
    calls.apply(begins('PJSIP/340-200'));
    expect(bound.held).toBe(100);
  });

  it('has queues, members and callers', () => {
    const queues = createQueues();
    const [named, calls, members] = ['queues', 'queue_calls', 'queue_members'].map((of) =>
      boundOf(queues, of),
    );
    if (named === undefined || calls === undefined || members === undefined) throw new Error('no bounds');
    for (let n = 0; n < members.most + 10; n++)
      queues.apply({ type: 'queue-member-added', at: 1, member: member(`PJSIP/${n}`) });
    expect([members.held, members.exceeded]).toEqual([members.most, 10]);
    for (let n = 0; n < named.most + 9; n++)
      queues.apply({ type: 'queue-member-added', at: 1, member: member('PJSIP/1', { queue: `Queue ${n}` }) });
    expect([named.held, named.exceeded]).toEqual([named.most, 10]);
    for (let n = 0; n < calls.most + 10; n++)
      queues.apply({
        type: 'queue-join',
        at: 1,
        channel: channel(`PJSIP/trunk-${n}`),
        queue: 'Support',
        position: n + 1,
        count: 0,
      });
    expect([calls.held, calls.exceeded]).toEqual([calls.most, 10]);
    expect(queues.queue('support')?.calls.length).toBe(calls.most);
  });
});

it('a telephone that rings again and again for one call is one entry, which does not grow for ever', () => {
  const user = 'anna@example.org' as BareJid;
  const parts = createParts(() => undefined);
  const sizes: number[] = [];
  for (let n = 0; n < 1000; n++) {
    const name = `PJSIP/340-${n}` as ChannelId;
    const ring = view({
      channel: name,
      uniqueId: `1700000000.${n}`,
      call: '1700000000.0',
      outbound: false,
      since: n * 1000,
    });
    const change = { kind: 'channel', details: '', at: n * 1000 } as const;
    parts.take(user, { ...change, type: 'ringing', view: ring });
    const [over] = parts.take(user, { ...change, type: 'hangup', view: { ...ring, state: 'ended' } });
    sizes.push(over?.channels.length ?? 0);
    expect(over).toMatchObject({ id: '1700000000.0', since: 0, isNew: n === 0 });
    expect(over?.channels.at(-1)).toBe(name);
  }
  expect(Math.max(...sizes)).toBe(100);
});

it('an answer of ejabberd’s API that does not end is given up', async () => {
  const server = createServer((_request, response) => {
    const piece = Buffer.alloc(1 << 20, ' ');
    const more = () => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const api = createEjabberdApi({ url: `http://127.0.0.1:${port}/api`, token: undefined, timeoutMs: 60_000 });
  await expect(api.connected('example.org')).rejects.toThrow('more than 33554432 bytes');
});
