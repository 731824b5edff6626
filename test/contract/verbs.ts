/** What every telephone system must do with the calls that there are: a part of pbx.ts. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { ChannelId, DeviceName, Ring } from '../../src/pbx/pbx.ts';
import type { Adapter, adapter } from '../pbx/adapter.ts';
import { until } from '../servers/until.ts';
import type { Telephone } from './pbx.ts';
import { channelOf, lastSnapshot, live, of, type Seen, together } from './seen.ts';

type Number = '320' | '340' | '370';

/** What the suite gives. */
export interface VerbHarness {
  connected(options?: Parameters<typeof adapter>[1]): Promise<Adapter>;
  phone(number: Number): Telephone;
  talking(on: Adapter, a: '340' | '370', b: Number): Promise<{ a: Seen; b: Seen }>;
}

const context = 'internal';
const gone = { code: 'no-such-channel' };
const desk = 'PJSIP/370' as DeviceName;
const nowhere = 'PJSIP/340-ffffffff' as ChannelId;

/** Rings Carla's telephone. */
const carla = (): Ring => ({
  uniqueId: `contract-${randomUUID()}`,
  device: 'PJSIP/320',
  callerName: 'Carla Österreich',
  callerNumber: '320',
  ringMs: 20_000,
});

/** Declares the cases. */
export function verbContract({ connected, phone, talking }: VerbHarness): void {
  const talks = (on: Adapter, a: string, b: string) =>
    until(`${a} and ${b} talk`, () => together(on.events, a, b));
  const alive = (on: Adapter, number: string) =>
    [...live(on.events).values()].some(({ name }) => name.startsWith(`PJSIP/${number}-`));

  describe('originate', () => {
    it('says at once that there is no telephone to ring', async () => {
      const on = await connected();
      const call = { ...carla(), device: 'PJSIP/310', context, exten: '370' };
      await expect(on.originate(call)).rejects.toMatchObject({ code: 'device-unavailable' });
    });
  });

  describe('pickup', () => {
    it('takes the call that rings elsewhere', async () => {
      const on = await connected();
      phone('370').behave('ring');
      await phone('340').dial('370');
      const rung = await until<Seen>('370 rings', () => alive(on, '370') && ringing(on, '370'));
      const call = carla();
      await on.pickup(call, rung.name);
      await talks(on, '340', '320');
      expect(channelOf(on.events, '320').uniqueId).toBe(call.uniqueId);
      expect(of(on.events, 'pickup')).toEqual([
        expect.objectContaining({
          channel: expect.objectContaining({ uniqueId: call.uniqueId }),
          target: expect.objectContaining({ uniqueId: rung.uniqueId }),
        }),
      ]);
      await until('370 rings no more', () => !alive(on, '370'));
    });

    it('rings no longer than the call that it is to take', async () => {
      const on = await connected();
      for (const number of ['370', '320'] as const) phone(number).behave('ring');
      const ends: [cause: number, end: () => Promise<unknown>][] = [
        [16, () => phone('340').hangup()],
        [26, () => on.notify(desk, 'talk')],
      ];
      for (const [cause, end] of ends) {
        await phone('340').dial('370');
        const rung = await until<Seen>('370 rings', () => ringing(on, '370'));
        const call = carla();
        await on.pickup(call, rung.name);
        await until('320 rings', () => ringing(on, '320'));
        await end();
        const ended = await until('320 rings no more', () =>
          of(on.events, 'hangup').find(({ channel }) => channel.uniqueId === call.uniqueId),
        );
        expect(ended.cause).toBe(cause);
        expect(of(on.events, 'pickup')).toEqual([]);
        await phone('340').hangup();
        await until('all are free', () => live(on.events).size === 0);
      }
    });

    it('goes to the one of two who answers first', async () => {
      const on = await connected();
      for (const number of ['370', '320'] as const) phone(number).behave('ring');
      await phone('340').dial('370');
      const rung = await until<Seen>('370 rings', () => ringing(on, '370'));
      const first = carla();
      await on.pickup(first, rung.name);
      await until('320 rings', () => ringing(on, '320'));
      // The same telephone once more, as by a double click.
      const second = carla();
      await on.pickup(second, rung.name);
      await on.notify('PJSIP/320' as DeviceName, 'talk');
      await talks(on, '340', '320');
      await until('nothing else rings', () => live(on.events).size === 2);
      expect(of(on.events, 'pickup')).toHaveLength(1);
    });

    it('ends when there is nothing left to take', async () => {
      const on = await connected();
      await on.pickup(carla(), nowhere);
      await until('320 was rung and is free', () => of(on.events, 'hangup').length > 0 && !alive(on, '320'));
      expect(of(on.events, 'pickup')).toEqual([]);
    });
  });

  describe('attended transfer', () => {
    /** Asks for the consultation, again where it is told that it did not begin, as a person would. */
    async function consult(on: Adapter, channel: ChannelId) {
      await until('the consultation has begun', async () => {
        try {
          await on.attendedTransfer(channel, context, '320');
          return true;
        } catch (error) {
          if (error instanceof Failure && error.code === 'rejected') return false;
          throw error;
        }
      });
    }

    /** Ends the consultation, again where it is told that it did not end. */
    async function cancel(on: Adapter, channel: ChannelId) {
      await until('the consultation has ended', async () => {
        try {
          await on.cancelTransfer(channel);
          return true;
        } catch (error) {
          if (error instanceof Failure && error.code === 'rejected') return !(await on.consults(channel));
          throw error;
        }
      });
    }

    /** 370 consults 320 while 340 waits; `state` is what 320 does. */
    async function consulting(on: Adapter, state: 'answer' | 'ring') {
      phone('320').behave(state);
      const { a, b } = await talking(on, '340', '370');
      expect(await on.consults(b.name)).toBe(false);
      await consult(on, b.name);
      await until('320 is called', () =>
        of(on.events, 'channel-new').some(({ channel }) => /^PJSIP\/320/.test(channel.name)),
      );
      if (state === 'answer') await until('320 answers', () => isUp(on, '320'));
      else await until('320 rings', () => ringing(on, '320'));
      await until('370 consults', () => on.consults(b.name));
      return { a, b };
    }

    it('connects the other two when the one who transfers hangs up', async () => {
      const on = await connected();
      const { a, b } = await consulting(on, 'answer');
      await on.hangup(b.name);
      // They may stay connected through the Local channel: Asterisk takes it out when sound flows.
      await until('340 and 320 are shown to each other', () => {
        const [x, y] = [named(on, '340'), named(on, '320')];
        return x?.connectedNumber === '320' && y?.connectedNumber === '340';
      });
      expect(channelOf(on.events, '340').uniqueId).toBe(a.uniqueId);
      const [told] = of(on.events, 'attended-transfer');
      expect(told).toMatchObject({
        success: true,
        first: { uniqueId: b.uniqueId },
        transferee: { uniqueId: a.uniqueId },
      });
      await until('370 is free', () => !alive(on, '370'));
    });

    it('goes back when it is cancelled', async () => {
      const on = await connected();
      const { b } = await consulting(on, 'ring');
      await cancel(on, b.name);
      await talks(on, '340', '370');
      expect(await on.consults(b.name)).toBe(false);
      await until('320 rings no more', () => !alive(on, '320'));
    });

    it('cannot be cancelled where there is none', async () => {
      const on = await connected({ limits: { beginMs: 200 } });
      const { b } = await talking(on, '340', '370');
      await expect(on.cancelTransfer(b.name)).rejects.toMatchObject({ code: 'rejected' });
      expect(together(on.events, '340', '370')).toBe(true);
    });

    it('is begun, too, by who has pressed hold before', async () => {
      const on = await connected();
      phone('320').behave('ring');
      const { b } = await talking(on, '340', '370');
      await on.notify(desk, 'hold', b.name);
      await until('370 holds', () => of(on.events, 'hold').length > 0);
      await consult(on, b.name);
      await until('370 consults', () => on.consults(b.name));
      await cancel(on, b.name);
      await talks(on, '340', '370');
    });

    it('is begun once, also by a double click', async () => {
      const on = await connected();
      phone('320').behave('ring');
      const { b } = await talking(on, '340', '370');
      await consult(on, b.name);
      await expect(on.attendedTransfer(b.name, context, '320')).rejects.toMatchObject({ code: 'rejected' });
      await until('320 rings', () => ringing(on, '320'));
      await until('370 consults', () => on.consults(b.name));
      await cancel(on, b.name);
      await talks(on, '340', '370');
      // The next one is another consultation.
      await consult(on, b.name);
      await until('370 consults', () => on.consults(b.name));
      await cancel(on, b.name);
      await talks(on, '340', '370');
    });

    it('goes back by itself when the target declines', async () => {
      const on = await connected();
      phone('320').behave('busy');
      const { b } = await talking(on, '340', '370');
      await consult(on, b.name);
      await until('320 was called and is free', () =>
        of(on.events, 'hangup').some(({ channel }) => /^PJSIP\/320/.test(channel.name)),
      );
      await until('370 has taken 340 back', () => of(on.events, 'unhold').length > 0);
      await talks(on, '340', '370');
      expect(await on.consults(b.name)).toBe(false);
    });

    it('leaves an ordinary call when the one who waits gives up', async () => {
      const on = await connected();
      await consulting(on, 'answer');
      await phone('340').hangup();
      await until('340 is free', () => !alive(on, '340'));
      expect(isUp(on, '370') && isUp(on, '320')).toBe(true);
      await phone('370').hangup();
      await until('all are free', () => live(on.events).size === 0);
      expect(of(on.events, 'attended-transfer')).toEqual([]);
    });

    it('begun on the telephone it is known, too, as soon as two calls are joined', async () => {
      const on = await connected();
      const { a } = await talking(on, '340', '370');
      await phone('370').dial('320');
      const target = await until<Seen>('370 and 320 talk', () => isUp(on, '320') && named(on, '320'));
      await until('320 is bridged', () =>
        of(on.events, 'bridge-enter').some(({ channel }) => channel.uniqueId === target.uniqueId),
      );
      const both = await Promise.allSettled([1, 2].map(() => on.join(a.name, target.name)));
      expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      await talks(on, '340', '320');
      await until('370 has no call left', () => !alive(on, '370'));
    });
  });

  describe('a number that there is not', () => {
    it('is refused before it costs anybody the call', async () => {
      const on = await connected();
      const { a, b } = await talking(on, '340', '370');
      const nobody = { code: 'invalid-target' };
      await expect(on.originate({ ...carla(), context, exten: '99999' })).rejects.toMatchObject(nobody);
      await expect(on.blindTransfer(b.name, context, '99999')).rejects.toMatchObject(nobody);
      await expect(on.blindTransfer(b.name, 'nowhere', '370')).rejects.toMatchObject(nobody);
      await expect(on.redirect(a.name, context, '99999')).rejects.toMatchObject(nobody);
      await expect(on.redirect(a.name, context, '99999', b.name)).rejects.toMatchObject(nobody);
      await expect(on.attendedTransfer(b.name, context, '99999')).rejects.toMatchObject(nobody);
      expect(await on.consults(b.name)).toBe(false);
      expect(together(on.events, '340', '370')).toBe(true);
      expect(of(on.events, 'hold')).toEqual([]);
    });
  });

  describe('parking', () => {
    it('puts a call into a lot, lists it, and gives it back', async () => {
      const on = await connected();
      const { a, b } = await talking(on, '340', '370');
      const parked = await on.park(a.name, b.name);
      expect(parked).toMatchObject({
        lot: 'default',
        channel: a.name,
        callerNumber: '340',
        callerName: 'Anna Müller',
      });
      expect(parked.space).toMatch(/^7[0-2][0-9]$/);
      await until('370 is free', () => !alive(on, '370'));
      expect(await on.parkedCalls()).toMatchObject([
        {
          space: parked.space,
          lot: 'default',
          channel: a.name,
          uniqueId: parked.uniqueId,
          callerNumber: '340',
          parker: 'PJSIP/370',
        },
      ]);
      expect(await on.parkedCalls('default')).toHaveLength(1);
      await phone('320').dial(parked.space);
      await talks(on, '340', '320');
      expect(of(on.events, 'unparked')).toHaveLength(1);
      expect(await on.parkedCalls()).toEqual([]);
    });

    it('knows its lots', async () => {
      const on = await connected();
      const { a, b } = await talking(on, '340', '370');
      await expect(on.parkedCalls('attic')).rejects.toMatchObject({ code: 'rejected' });
      await expect(on.park(a.name, b.name, 'attic')).rejects.toMatchObject({ code: 'rejected' });
      expect(together(on.events, '340', '370')).toBe(true);
    });
  });

  describe('legs', () => {
    it('take digits and fall silent', async () => {
      const on = await connected();
      const { a, b } = await talking(on, '340', '370');
      await on.sendDigits(a.name, '1*#D', 'sent');
      await on.sendDigits(b.name, '5', 'received');
      for (const direction of ['in', 'out', 'all'] as const) {
        await on.mute(a.name, direction, true);
        await on.mute(a.name, direction, false);
      }
    });

    it('obey the keys of their telephones by NOTIFY', async () => {
      const on = await connected();
      phone('370').behave('ring');
      await phone('340').dial('370');
      const rung = await until<Seen>('370 rings', () => ringing(on, '370'));
      await on.notify(desk, 'talk', rung.name);
      await talks(on, '340', '370');
      await on.notify(desk, 'hold', rung.name);
      await until('370 holds', () =>
        of(on.events, 'hold').some(({ channel }) => channel.uniqueId === rung.uniqueId),
      );
      await on.notify(desk, 'talk', rung.name);
      await until('370 talks', () =>
        of(on.events, 'unhold').some(({ channel }) => channel.uniqueId === rung.uniqueId),
      );
      await on.notify(desk, { template: 'reboot' });
      await expect(on.notify(desk, { template: 'dance' })).rejects.toMatchObject({
        code: 'rejected',
      });
    });

    it('are listened to until their call ends', async () => {
      const on = await connected();
      const { a } = await talking(on, '340', '370');
      const call = carla();
      await on.listen(call, a.name, 'whisper');
      await until('it is listened to', () => of(on.events, 'spy-start').length > 0);
      expect(of(on.events, 'spy-start')[0]).toMatchObject({
        spyer: { uniqueId: call.uniqueId },
        spyee: { uniqueId: a.uniqueId },
      });
      await phone('340').hangup();
      await until('320 is free', () => !alive(on, '320'));
    });

    it('hear an announcement, from an extension that answers', async () => {
      const on = await connected();
      const { a } = await talking(on, '340', '370');
      await on.announce(a.name, context, '603');
      await until('it is spoken', () =>
        of(on.events, 'spy-start').some(({ spyer }) => spyer.name.startsWith('Local/603@internal')),
      );
      await expect(on.announce(a.name, context, '99999')).rejects.toMatchObject({ code: 'rejected' });
    });

    it('tell when there is no such channel', async () => {
      const on = await connected();
      await expect(on.attendedTransfer(nowhere, context, '320')).rejects.toMatchObject(gone);
      await expect(on.cancelTransfer(nowhere)).rejects.toMatchObject(gone);
      await expect(on.consults(nowhere)).rejects.toMatchObject(gone);
      await expect(on.join(nowhere, nowhere)).rejects.toMatchObject(gone);
      await expect(on.park(nowhere, nowhere)).rejects.toMatchObject(gone);
      await expect(on.sendDigits(nowhere, '1', 'sent')).rejects.toMatchObject(gone);
      await expect(on.mute(nowhere, 'in', true)).rejects.toMatchObject(gone);
      await expect(on.notify(desk, 'hold', nowhere)).rejects.toMatchObject(gone);
    });

    it('refuse what is no digit, lot or template', async () => {
      const on = await connected();
      const refused = { code: 'invalid-target' };
      await expect(on.sendDigits(nowhere, '1\r\nAction: Logoff', 'sent')).rejects.toMatchObject(refused);
      await expect(on.park(nowhere, nowhere, 'a,b')).rejects.toMatchObject(refused);
      await expect(on.notify(desk, { template: 'a\r\nb' })).rejects.toMatchObject(refused);
      await expect(on.pickup(carla(), 'PJSIP/1,2' as ChannelId)).rejects.toMatchObject(refused);
    });
  });

  describe('conferences', () => {
    it('take both sides of a call', async () => {
      const on = await connected();
      const { a, b } = await talking(on, '340', '370');
      await on.redirect(a.name, context, '800', b.name);
      await until('both are in the room', () => of(on.events, 'conference-join').length === 2);
      expect((await on.conferences())[0]?.members.map(({ channel }) => channel).sort()).toEqual(
        [a.name, b.name].sort(),
      );
    });

    it('are listed with their members, who can be muted, kept in and sent away', async () => {
      const on = await connected();
      expect(await on.conferences()).toEqual([]);
      await phone('340').dial('800');
      await until('340 is in the room', () => of(on.events, 'conference-join').length > 0);
      const member = channelOf(on.events, '340').name;
      const expected = { channel: member, callerNumber: '340', callerName: 'Anna Müller', muted: false };
      expect(await on.conferences()).toEqual([{ room: '800', locked: false, members: [expected] }]);
      await on.conferenceMute('800', member, true);
      await on.conferenceLock('800', true);
      expect(await on.conferences()).toEqual([
        { room: '800', locked: true, members: [{ ...expected, muted: true }] },
      ]);
      // What comes while the state is read is part of that.
      await until('it is told of mute', () => of(on.events, 'conference-mute').length === 1);
      const snapshots = of(on.events, 'snapshot').length;
      on.reread();
      await until('the state is read anew', () => of(on.events, 'snapshot').length > snapshots);
      expect(lastSnapshot(on).conferences).toMatchObject([
        {
          room: '800',
          locked: true,
          members: [{ channel: { name: member, callerNumber: '340' }, muted: true }],
        },
      ]);
      await on.conferenceMute('800', member, false);
      await on.conferenceLock('800', false);
      await expect(on.conferenceKick('800', nowhere)).rejects.toMatchObject(gone);
      await expect(on.conferenceLock('801', true)).rejects.toMatchObject({ code: 'rejected' });
      await on.conferenceKick('800', member);
      await until('it is told of unmute', () => of(on.events, 'conference-unmute').length === 1);
      await until('the room is empty', () => of(on.events, 'conference-leave').length > 0);
    });
  });

  function named(on: Adapter, number: string): Seen | undefined {
    return [...live(on.events).values()].find(({ name }) => name.startsWith(`PJSIP/${number}-`));
  }
  function ringing(on: Adapter, number: string): Seen | undefined {
    const channel = named(on, number);
    return channel?.state === 'ringing' ? channel : undefined;
  }
  function isUp(on: Adapter, number: string): boolean {
    return named(on, number)?.state === 'up';
  }
}
