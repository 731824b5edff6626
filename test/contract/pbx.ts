/** What every telephone system behind the Pbx port must do, whichever it is: run by pbx.simulator.test.ts and pbx.asterisk.test.ts. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actionsOf } from '../../src/pbx/abilities.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { Account } from '../../src/pbx/login.ts';
import type { ChannelId, DeviceName, Originate, Verb } from '../../src/pbx/pbx.ts';
import { type Adapter, adapter } from '../pbx/adapter.ts';
import { until } from '../servers/until.ts';
import { queueContract } from './queues.ts';
import { recordingContract } from './recording.ts';
import { channelOf, lastSnapshot, live, of, together } from './seen.ts';
import { verbContract } from './verbs.ts';

/** A telephone of the PBX, and what its owner does. */
export interface Telephone {
  /** What it does when it is called, from now on. Default: `ring`. */
  behave(behaviour: 'answer' | 'ring' | 'busy'): void;
  dial(number: string): Promise<void>;
  /** `Event` of each SIP NOTIFY it got. `talk` makes it answer where it rings. */
  readonly notified: readonly string[];
  /** Ends whatever call it has; none is fine. */
  hangup(): Promise<void>;
}

/** A PBX with the telephones 320 (Carla Österreich), 340 (Anna Müller) and 370 (Bernd Schmidt) in context `internal`. */
export interface PbxHarness {
  readonly port: number;
  readonly tls: { readonly port: number; readonly ca: string };
  readonly accounts: {
    readonly control: Account;
    /** May read the state, nothing more. */
    readonly feed: Account;
    /** May set filters besides. */
    readonly filtering: Account;
  };
  telephone(number: '320' | '340' | '370'): Telephone;
  /** AMI is gone: connections break, new ones are refused. Calls end or not. */
  away(): Promise<void>;
  /** AMI is there again. */
  back(): Promise<void>;
  /** AMI says nothing more, and does not close either; when this resolves it does so already. */
  mute(): Promise<void>;
  unmute(): void;
  stop(): Promise<void>;
}

type Kind = PbxEvent['type'];

const context = 'internal';
/** Calls from Anna's telephone; each call has a unique id of its own. */
const fromAnna = (): Originate => ({
  uniqueId: `contract-${randomUUID()}`,
  device: 'PJSIP/340',
  context,
  exten: '370',
  callerName: 'Anna "M" <Müller>, Chefin',
  callerNumber: '340',
  ringMs: 20_000,
});
const nowhere = 'PJSIP/340-ffffffff' as ChannelId;

/** Declares the suite. `start` makes a PBX that serves all its tests. */
export function pbxContract(name: string, start: () => Promise<PbxHarness>): void {
  describe(`${name} behind the Pbx port`, () => {
    let pbx: PbxHarness;
    const adapters: Adapter[] = [];
    const phone = (number: '320' | '340' | '370') => pbx.telephone(number);

    beforeAll(async () => {
      pbx = await start();
    });
    afterAll(async () => {
      await pbx?.stop();
    });
    beforeEach(() => {
      for (const number of ['320', '340', '370'] as const) phone(number).behave('answer');
    });
    afterEach(async () => {
      for (const number of ['320', '340', '370'] as const) await phone(number).hangup();
      const watcher = await connected();
      await until('every call is over', () => live(watcher.events).size === 0);
      for (const each of adapters.splice(0)) await each.stop();
    });

    function connect(options: Parameters<typeof adapter>[1] = {}): Adapter {
      const { control, feed } = pbx.accounts;
      const made = adapter(pbx.port, { control, feed, ...options });
      adapters.push(made);
      return made;
    }
    async function connected(options: Parameters<typeof adapter>[1] = {}): Promise<Adapter> {
      const made = connect(options);
      await made.start();
      return made;
    }
    const happens = (on: Adapter, kind: Kind, times = 1) =>
      until(`${times} × ${kind}`, () => of(on.events, kind).length >= times);
    /** The two telephones talk; resolves with their channels. */
    async function talking(on: Adapter, a: '340' | '370', b: '340' | '370' | '320') {
      await phone(a).dial(b);
      await until(`${a} and ${b} talk`, () => together(on.events, a, b));
      return { a: channelOf(on.events, a), b: channelOf(on.events, b) };
    }

    describe('connecting', () => {
      it('gives a snapshot first, and nothing before it', async () => {
        const on = await connected();
        expect(on.state).toEqual({ control: true, feed: true, reason: '' });
        expect(on.events[0]?.type).toBe('snapshot');
        expect(lastSnapshot(on).channels).toEqual([]);
        expect([...lastSnapshot(on).devices.keys()]).toContain('PJSIP/340');
      });

      it('tells what to check when the secret is wrong', async () => {
        const on = connect({ control: { ...pbx.accounts.control, secret: 'not this one' } });
        void on.start();
        await until('it is refused', () => /manager\.conf/.test(on.state.reason));
        expect(on.state.control).toBe(false);
        await expect(on.hangup(nowhere)).rejects.toMatchObject({ code: 'pbx-unavailable' });
      });

      it('uses TLS, and checks the certificate', async () => {
        const { port, ca } = pbx.tls;
        const { control, feed } = pbx.accounts;
        const on = adapter(port, { control, feed, tls: { ca } });
        adapters.push(on);
        await on.start();
        await expect(on.hangup(nowhere)).rejects.toMatchObject({ code: 'no-such-channel' });
        const distrustful = adapter(port, { control, feed, tls: {} });
        adapters.push(distrustful);
        void distrustful.start();
        await until('it is refused', () => /control: TLS.*feed: TLS/.test(distrustful.state.reason));
      });
    });

    describe('abilities', () => {
      it('are all there where the account has every class', async () => {
        const { abilities } = await connected();
        expect(abilities.known).toBe(true);
        const verbs = Object.keys(actionsOf) as Verb[];
        // The class of UserEvent is one that few accounts have.
        expect(verbs.filter((verb) => verb !== 'userEvent' && abilities.lacks(verb).length > 0)).toEqual([]);
      });

      it('are those of the account', async () => {
        const on = await connected({ control: pbx.accounts.feed });
        expect(on.abilities.lacks('originate')).toEqual(['Originate']);
        expect(on.abilities.lacks('conferenceMute')).toEqual(['ConfbridgeMute', 'ConfbridgeUnmute']);
        expect(on.abilities.lacks('conferences')).toEqual([]);
        await expect(on.hangup(nowhere)).rejects.toMatchObject({ code: 'not-permitted' });
      });
    });

    describe('events', () => {
      it('tell a call from its first channel to its last hangup', async () => {
        const on = await connected();
        const { a, b } = await talking(on, '340', '370');
        await phone('340').hangup();
        await happens(on, 'hangup', 2);
        const steps = on.events.flatMap((event) => {
          if (event.type === 'dial-begin') return [`dial ${event.caller?.uniqueId} ${event.dest.uniqueId}`];
          if (event.type === 'dial-end') return [`${event.status} ${event.dest.uniqueId}`];
          if (event.type === 'bridge-enter') return [`enter ${event.channel.uniqueId} ${event.bridge.size}`];
          if (event.type === 'channel-new' || event.type === 'hangup')
            return [`${event.type} ${event.channel.uniqueId}`];
          return [];
        });
        const [x, y] = [a.uniqueId, b.uniqueId];
        expect(steps.slice(0, 6)).toEqual([
          `channel-new ${x}`,
          `channel-new ${y}`,
          `dial ${x} ${y}`,
          `ANSWER ${y}`,
          `enter ${y} 1`,
          `enter ${x} 2`,
        ]);
        expect(steps.slice(6).sort()).toEqual([`hangup ${x}`, `hangup ${y}`].sort());
        expect(a).toMatchObject({
          callerNumber: '340',
          callerName: 'Anna Müller',
          connectedNumber: '370',
          connectedName: 'Bernd Schmidt',
        });
        expect(b).toMatchObject({ connectedNumber: '340', connectedName: 'Anna Müller' });
      });

      it('are the same whether or not Asterisk filters them', async () => {
        const [plain, filtering] = [await connected(), await connected({ feed: pbx.accounts.filtering })];
        await talking(plain, '340', '370');
        await phone('370').hangup();
        const told = (on: Adapter) =>
          on.events
            // What the snapshot and the queues say depends on when it was asked for.
            .slice(2)
            .map(({ at: _, ...event }) => event)
            .filter(({ type }) => type !== 'device-state');
        for (const on of [plain, filtering]) await happens(on, 'hangup', 2);
        expect(told(filtering)).toEqual(told(plain));
        expect(filtering.logged.join()).not.toContain('Filter');
      });

      it('begin with the present state in the middle of a call', async () => {
        const { a, b } = await talking(await connected(), '340', '370');
        const { channels, bridges, devices } = lastSnapshot(await connected());
        expect(channels.map(({ uniqueId, state }) => [uniqueId, state]).sort()).toEqual(
          [
            [a.uniqueId, 'up'],
            [b.uniqueId, 'up'],
          ].sort(),
        );
        expect(bridges).toHaveLength(1);
        expect([...(bridges[0]?.channels ?? [])].sort()).toEqual([a.uniqueId, b.uniqueId].sort());
        expect(new Set(channels.map(({ bridgeId }) => bridgeId))).toEqual(new Set([bridges[0]?.id]));
        expect(channels.find(({ uniqueId }) => uniqueId === b.uniqueId)?.application).toBe('AppDial');
        expect(devices.get('PJSIP/340' as DeviceName)).toBe('INUSE');
      });
    });

    describe('verbs', () => {
      it('originate rings the device, then dials, and shows the caller', async () => {
        const on = await connected();
        const call = fromAnna();
        await on.originate(call);
        await until('they talk', () => together(on.events, '340', '370'));
        expect(channelOf(on.events, '340').uniqueId).toBe(call.uniqueId);
        expect(channelOf(on.events, '370')).toMatchObject({
          connectedNumber: '340',
          connectedName: "Anna 'M' <Müller>, Chefin",
        });
        await happens(on, 'originate-response');
        expect(of(on.events, 'originate-response')[0]).toMatchObject({
          success: true,
          uniqueId: call.uniqueId,
        });
      });

      it('originate is accepted even though the device turns out busy, which is told', async () => {
        const on = await connected();
        phone('340').behave('busy');
        const call = fromAnna();
        await on.originate(call);
        await happens(on, 'originate-response');
        expect(of(on.events, 'originate-response')[0]).toMatchObject({ success: false });
        await happens(on, 'hangup');
        expect(of(on.events, 'hangup')[0]).toMatchObject({ channel: { uniqueId: call.uniqueId } });
      });

      it('originate to where nothing is, is refused', async () => {
        const on = await connected();
        await expect(on.originate({ ...fromAnna(), exten: '99999' })).rejects.toMatchObject({
          code: 'invalid-target',
        });
      });

      it('hangup ends a call', async () => {
        const on = await connected();
        const { a } = await talking(on, '340', '370');
        await on.hangup(a.name);
        await happens(on, 'hangup', 2);
      });

      it('hangup declines a call that rings', async () => {
        const on = await connected();
        phone('370').behave('ring');
        await phone('340').dial('370');
        const rung = () =>
          of(on.events, 'channel-update').find(
            ({ channel: { name, state } }) => state === 'ringing' && name.startsWith('PJSIP/370'),
          );
        const { channel: b } = await until('370 rings', rung);
        await on.hangup(b.name, 'rejected');
        await happens(on, 'hangup', 2);
        expect(of(on.events, 'hangup').find(({ channel }) => channel.uniqueId === b.uniqueId)).toMatchObject({
          cause: 21,
        });
      });

      it('blindTransfer sends the other party on', async () => {
        const on = await connected();
        const { a, b } = await talking(on, '340', '370');
        await on.blindTransfer(b.name, context, '320');
        await until('340 and 320 talk', () => together(on.events, '340', '320'));
        expect(channelOf(on.events, '340').uniqueId).toBe(a.uniqueId);
        expect(of(on.events, 'blind-transfer')).toEqual([
          expect.objectContaining({
            success: true,
            exten: '320',
            transferer: expect.objectContaining({ uniqueId: b.uniqueId }),
          }),
        ]);
      });

      it('redirect sends a channel elsewhere', async () => {
        const on = await connected();
        const { a, b } = await talking(on, '340', '370');
        await on.redirect(a.name, context, '320');
        await until('340 and 320 talk', () => together(on.events, '340', '320'));
        expect(of(on.events, 'hangup').map(({ channel }) => channel.uniqueId)).toEqual([b.uniqueId]);
      });

      it('tell when there is no such channel', async () => {
        const on = await connected();
        const gone = { code: 'no-such-channel' };
        await expect(on.hangup(nowhere)).rejects.toMatchObject(gone);
        await expect(on.redirect(nowhere, context, '370')).rejects.toMatchObject(gone);
        await expect(on.blindTransfer(nowhere, context, '370')).rejects.toMatchObject(gone);
      });

      it('tell when the account lacks the right, and the operator which one', async () => {
        const on = await connected({ control: pbx.accounts.feed });
        await expect(on.originate(fromAnna())).rejects.toMatchObject({ code: 'not-permitted' });
        expect(on.logged.join()).toContain("'write =' line of manager.conf");
      });

      it('notify: the telephone gets the event, and one that rings answers', async () => {
        const on = await connected();
        phone('370').behave('ring');
        await phone('340').dial('370');
        await until('370 rings', () =>
          [...live(on.events).values()].some(({ name }) => name.startsWith('PJSIP/370-')),
        );
        const before = phone('370').notified.length;
        await on.notify('PJSIP/370' as DeviceName, 'hold');
        await on.notify('PJSIP/370' as DeviceName, 'talk');
        await until('they talk', () => together(on.events, '340', '370'));
        expect(phone('370').notified.slice(before)).toEqual(['hold', 'talk']);
      });

      it('notify: refused where there is no such endpoint, and for other technologies', async () => {
        const on = await connected();
        const missing = on.notify('PJSIP/nobody' as DeviceName, 'talk');
        await expect(missing).rejects.toMatchObject({
          code: 'rejected',
          message: expect.stringContaining('nobody'),
        });
        for (const [device, code] of [
          ['SIP/340', 'not-supported'],
          ['PJSIP/340\r\nAction: Command', 'invalid-target'],
        ]) {
          await expect(on.notify(device as DeviceName, 'talk')).rejects.toMatchObject({ code });
        }
      });

      it('refuse what AMI cannot carry', async () => {
        const on = await connected();
        const refused = { code: 'invalid-target' };
        await expect(on.hangup('/.*/' as ChannelId)).rejects.toMatchObject(refused);
        await expect(
          on.originate({ ...fromAnna(), exten: '370\r\nApplication: System' }),
        ).rejects.toMatchObject(refused);
        await expect(on.redirect(nowhere, context, '3'.repeat(2000))).rejects.toMatchObject(refused);
      });
    });

    verbContract({ connected, phone, talking });
    recordingContract({ connected, phone, talking });

    describe('lists', () => {
      it('endpoints come with extension, name and mailbox', async () => {
        const on = await connected();
        expect(await on.endpoints()).toContainEqual({
          device: 'PJSIP/340',
          extension: '340',
          fullName: 'Anna Müller',
          mailbox: '340@default',
        });
      });

      it('mailboxes come with their counters', async () => {
        const on = await connected();
        expect((await on.mailboxes()).get('340@default')).toEqual({ newMessages: 0, oldMessages: 0 });
      });
    });

    describe('the database', () => {
      it('gives back what was put, by entry and by family', async () => {
        const on = await connected();
        expect(await on.dbGet('DND', '340')).toBeUndefined();
        expect(await on.dbFamily('DND')).toEqual(new Map());
        await on.dbPut('DND', '340', 'YES, "always"');
        await on.dbPut('DND', '*40', 'YES');
        await on.dbPut('DNDX', '340', 'other');
        expect(await on.dbGet('DND', '340')).toBe('YES, "always"');
        expect(await on.dbFamily('DND')).toEqual(
          new Map([
            ['340', 'YES, "always"'],
            ['*40', 'YES'],
          ]),
        );
        await on.dbDel('DND', '*40');
        await on.dbDel('DNDX', '340');
        await on.dbDel('DND', '340');
        await on.dbDel('DND', '340');
        expect(await on.dbGet('DND', '340')).toBeUndefined();
      });

      it('takes no key that would mean others', async () => {
        const on = await connected();
        for (const key of ['', '340/x', '%', 'a b', '3\r\n4'])
          await expect(on.dbPut('DND', key, 'x')).rejects.toMatchObject({ code: 'invalid-target' });
        await expect(on.dbDel('', '340')).rejects.toMatchObject({ code: 'invalid-target' });
        await expect(on.dbPut('DND', '340', 'a\r\nb')).rejects.toMatchObject({ code: 'invalid-target' });
      });
    });

    it('says the state of a custom device, and tells of it', async () => {
      const on = await connected();
      const lamp = 'Custom:DND340' as DeviceName;
      const told = () => of(on.events, 'device-state').filter(({ device }) => device === lamp);
      await on.setDeviceState(lamp, 'BUSY');
      await until('it is lit', () => told().at(-1)?.state === 'BUSY');
      await on.setDeviceState(lamp, 'NOT_INUSE');
      await until('it is not', () => told().at(-1)?.state === 'NOT_INUSE');
      for (const device of ['PJSIP/340', 'Custom:x)', ''] as DeviceName[])
        await expect(on.setDeviceState(device, 'BUSY')).rejects.toMatchObject({ code: 'invalid-target' });
    });

    it('tells that the dialplan changed a deflection, and nothing of other UserEvents', async () => {
      const on = await connected();
      const event = (name: string, extension: string) =>
        on.userEvent(name, new Map([['Extension', extension]]));
      await event('OffhookDeflection', '34x');
      await event('Other', '320');
      await event('OffhookDeflection', '340');
      await until('it is told', () => of(on.events, 'deflection').length > 0);
      expect(of(on.events, 'deflection')).toMatchObject([{ extension: '340' }]);
    });

    queueContract({ connected, phone });

    describe('trouble', () => {
      it('fails actions while AMI is away, sends none of them later, and begins with a new snapshot', async () => {
        const on = await connected();
        await pbx.away();
        await until('both are down', () => !on.state.control && !on.state.feed);
        await expect(on.originate(fromAnna())).rejects.toMatchObject({ code: 'pbx-unavailable' });
        await pbx.back();
        await until('both are up', () => on.state.control && on.state.feed);
        const kinds = on.events
          .map(({ type }) => type)
          .filter((kind) => kind === 'snapshot' || kind === 'feed-down');
        expect(kinds).toEqual(['snapshot', 'feed-down', 'snapshot']);
        await phone('370').dial('320');
        await until('370 and 320 talk', () => together(on.events, '370', '320'));
        expect([...live(on.events).values()].map(({ name }) => name.slice(0, 9)).sort()).toEqual([
          'PJSIP/320',
          'PJSIP/370',
        ]);
      });

      it('gives an action up when Asterisk is mute', async () => {
        const on = await connected({ actionTimeoutMs: 300 });
        await pbx.mute();
        try {
          await expect(on.hangup(nowhere)).rejects.toMatchObject({ condition: 'remote-server-timeout' });
        } finally {
          pbx.unmute();
        }
      });

      it('notices that Asterisk fell silent, and comes back', async () => {
        const on = await connected({ limits: { pingMs: 200, loginTimeoutMs: 500 } });
        await pbx.mute();
        try {
          await until('both are given up', () => !on.state.control && !on.state.feed);
        } finally {
          pbx.unmute();
        }
        await until('both are up', () => on.state.control && on.state.feed);
        expect(lastSnapshot(on).channels).toEqual([]);
      });
    });
  });
}
