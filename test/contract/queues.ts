/** What every telephone system must do with queues: a part of pbx.ts. Queue Support (500) has Anna (340) for a member. */
import { describe, expect, it } from 'vitest';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { QueueChange } from '../../src/queues/changes.ts';
import { createQueues } from '../../src/queues/model.ts';
import type { Adapter } from '../pbx/adapter.ts';
import { until } from '../servers/until.ts';
import type { Telephone } from './pbx.ts';
import { channelOf, of } from './seen.ts';

/** What the suite gives. */
export interface QueueHarness {
  connected(): Promise<Adapter>;
  phone(number: '320' | '340' | '370'): Telephone;
}

const bernd = {
  queue: 'Support',
  interface: 'PJSIP/370',
  stateInterface: 'PJSIP/370',
  name: 'Bernd "Bär" Schmidt',
  penalty: 3,
};

/** What the queue model makes of what came so far. */
function queuesOf(events: readonly PbxEvent[]) {
  const model = createQueues();
  const changes: QueueChange[] = events.flatMap((event) => [...model.apply(event)]);
  const told = changes.map((change) => {
    if (change.kind === 'queue-member') return `${change.type} ${change.queue} ${change.member.interface}`;
    const channel = change.call.channel.replace(/-[^-]+$/, '');
    return change.kind === 'queue-join'
      ? `join ${change.queue} ${channel} at ${change.position}`
      : `leave ${change.queue} ${channel} at ${change.position}: ${change.reason} ${change.member?.interface ?? ''}`.trim();
  });
  return { model, told };
}

/** Declares the cases. */
export function queueContract({ connected, phone }: QueueHarness): void {
  const tells = (on: Adapter, last: string) =>
    until(last, () => queuesOf(on.events).told.includes(last)).catch((error: unknown) => {
      throw new Error(queuesOf(on.events).told.join('; '), { cause: error });
    });

  describe('queues', () => {
    it('tell their members, and who takes a break', async () => {
      const on = await connected();
      const anna = async () =>
        (await on.queueMembers()).find(({ stateInterface }) => stateInterface === 'PJSIP/340');
      expect(await anna()).toEqual({
        queue: 'Support',
        interface: 'PJSIP/340',
        stateInterface: 'PJSIP/340',
        name: 'Anna Müller',
        dynamic: false,
        penalty: 0,
        paused: false,
        pausedReason: '',
      });
      expect(queuesOf(on.events).model.queue('support')?.members).toEqual([await anna()]);
      await on.queuePause('Support', 'PJSIP/340', true, 'Lunch & more');
      expect(await anna()).toMatchObject({ paused: true, pausedReason: 'Lunch & more' });
      // The verb waits for the event: whoever asks next finds it so.
      expect(queuesOf(on.events).model.queue('Support')?.members).toEqual([await anna()]);
      await on.queuePause('Support', 'PJSIP/340', false, '');
      expect((await anna())?.paused).toBe(false);
    });

    it('take members in and let them go', async () => {
      const on = await connected();
      await on.queueAdd(bernd);
      const member = { ...bernd, dynamic: true, paused: false, pausedReason: '' };
      expect(queuesOf(on.events).model.queue('Support')?.members).toContainEqual(member);
      expect(await on.queueMembers()).toContainEqual(member);
      await expect(on.queueAdd(bernd)).rejects.toMatchObject({ code: 'already-logged-in' });
      await on.queueRemove('Support', 'PJSIP/370');
      expect(queuesOf(on.events).model.queue('Support')?.members).toHaveLength(1);
      await expect(on.queueRemove('Support', 'PJSIP/370')).rejects.toMatchObject({ code: 'not-logged-in' });
      expect(queuesOf(on.events).told.slice(-2)).toEqual([
        'login Support PJSIP/370',
        'logout Support PJSIP/370',
      ]);
    });

    it('refuse what cannot be, and never take nobody for everybody', async () => {
      const on = await connected();
      await expect(on.queueAdd({ ...bernd, queue: 'Nowhere' })).rejects.toMatchObject({
        code: 'no-such-queue',
      });
      await expect(on.queueRemove('Support', 'PJSIP/340')).rejects.toMatchObject({ code: 'static-member' });
      await expect(on.queuePause('Support', 'PJSIP/320', true, '')).rejects.toMatchObject({
        code: 'not-logged-in',
      });
      for (const queue of ['', 'Support\r\nPaused: false'])
        await expect(on.queuePause(queue, 'PJSIP/340', true, '')).rejects.toMatchObject({
          code: 'invalid-target',
        });
      await expect(on.queueAdd({ ...bernd, interface: 'PJSIP/370&PJSIP/320' })).rejects.toMatchObject({
        code: 'invalid-target',
      });
    });

    it('tell who waits, and why somebody waits no more', async () => {
      const on = await connected();
      phone('340').behave('ring');
      await phone('370').dial('500');
      await tells(on, 'join Support PJSIP/370 at 1');
      await phone('320').dial('500');
      await tells(on, 'join Support PJSIP/320 at 2');
      await phone('370').hangup();
      await tells(on, 'leave Support PJSIP/370 at 1: abandoned');
      expect(queuesOf(on.events).model.queue('Support')?.calls).toHaveLength(1);
      await on.redirect(channelOf(on.events, '320').name, 'internal', '601');
      await tells(on, 'leave Support PJSIP/320 at 1: transferred');
      phone('340').behave('answer');
      await phone('370').dial('500');
      await tells(on, 'leave Support PJSIP/370 at 1: connected PJSIP/340');
      expect(queuesOf(on.events).model.queue('Support')?.calls).toEqual([]);
    });

    it('tell everything again where it is asked for, in one order with the events', async () => {
      const on = await connected();
      phone('340').behave('ring');
      await phone('370').dial('500');
      await tells(on, 'join Support PJSIP/370 at 1');
      await Promise.all([on.tellQueues(), on.tellQueues()]);
      const lists = of(on.events, 'queues');
      expect(lists).toHaveLength(2);
      const { uniqueId, name } = channelOf(on.events, '370');
      expect(lists.at(-1)?.queues.find((queue) => queue.name === 'Support')?.entries).toEqual([
        expect.objectContaining({ channel: name, uniqueId, callerNumber: '370' }),
      ]);
      // What is known already is not told again.
      expect(queuesOf(on.events).told.filter((line) => line.startsWith('join'))).toHaveLength(1);
      const later = await connected();
      expect(queuesOf(later.events).model.queue('Support')?.calls).toEqual([
        expect.objectContaining({ channel: name, uniqueId, number: '370' }),
      ]);
    });

    it('count', async () => {
      const on = await connected();
      const before = await on.queueCounters('Support');
      phone('340').behave('ring');
      await phone('370').dial('500');
      await tells(on, 'join Support PJSIP/370 at 1');
      expect(await on.queueCounters('support')).toMatchObject({ waiting: 1 });
      await phone('370').hangup();
      await tells(on, 'leave Support PJSIP/370 at 1: abandoned');
      expect(await on.queueCounters('Support')).toMatchObject({
        waiting: 0,
        abandoned: (before?.abandoned ?? 0) + 1,
      });
      expect(await on.queueCounters('Nowhere')).toBeUndefined();
    });
  });
}
