import { serveAmi } from './ami/server.ts';
import type { AmiUser, Asterisk, AsteriskOptions, ChannelSnapshot, Phone } from './api.ts';
import { runLoad } from './load.ts';
import type { Channel } from './pbx/channel.ts';
import { lines, type Outgoing } from './pbx/event.ts';
import { createPbx } from './pbx/pbx.ts';
import { createOutside, createPhone } from './phone.ts';
import { createWaiting } from './waiting.ts';

export type * from './api.ts';
export { numbers } from './pbx/dialplan.ts';
export { defaultExtensions, defaultQueues } from './pbx/pbx.ts';

/** The accounts of the default PBX: one for both uses, and the two that are recommended. */
export const defaultUsers: readonly AmiUser[] = [
  { username: 'offhook', secret: 'offhook-secret', read: ['all'], write: ['all'] },
  {
    username: 'feed',
    secret: 'feed-secret',
    read: ['system', 'call', 'agent', 'user', 'dialplan', 'reporting'],
    write: ['system', 'call', 'reporting'],
  },
  {
    username: 'control',
    secret: 'control-secret',
    read: ['call'],
    write: ['system', 'call', 'originate', 'reporting', 'user', 'agent'],
  },
];

/**
 * Starts a simulated Asterisk 22: AMI over TCP, telephones, a trunk and a dialplan. Its timers and connections do not
 * keep a process alive, its listening port does: call `stop`. Rejects when the port cannot be had.
 */
export async function startAsterisk(options: AsteriskOptions = {}): Promise<Asterisk> {
  const host = options.host ?? '127.0.0.1';
  const users = options.users ?? defaultUsers;
  let sent = 0;
  let broadcast: (event: Outgoing) => void = () => {};
  const pbx = createPbx(options, (event) => {
    sent += 1;
    broadcast(event);
    waiting.changed();
  });
  const waiting = createWaiting(() => describe([...pbx.channels.values()], ami.sessions));
  const ami = await serveAmi(pbx, { host, port: options.port ?? 0, users, changed: waiting.changed });
  broadcast = ami.broadcast;

  const phones = new Map<string, Phone>();
  for (const endpoint of pbx.endpoints.values()) {
    for (const line of endpoint.hint ? endpoint.lines : []) {
      phones.set(`${endpoint.number}/${line.device}`, createPhone(pbx, line, waiting.changed));
    }
  }
  const trunk = pbx.endpoints.get('trunk')?.lines[0];
  if (trunk === undefined) throw new Error('the PBX has no trunk');

  return {
    host,
    port: ami.port,
    users,
    phones: [...phones.values()],
    phone(number, device = 1) {
      const phone = phones.get(`${number}/${device}`);
      if (phone === undefined)
        throw new Error(`no telephone ${number}/${device}; there are ${[...phones.keys()].join(', ')}`);
      return phone;
    },
    outside: createOutside(pbx, trunk, waiting.changed),
    faults: ami.faults,
    actions: ami.actions,
    forget() {
      ami.actions.length = 0;
      for (const session of ami.sessions) session.forget();
    },
    sessions: ami.sessions,
    channels: () => [...pbx.channels.values()].map(snapshotOf),
    emit: (event, headers, privilege = 'call') =>
      pbx.publish(event, privilege, lines(Object.entries(headers))),
    messages(number, unread, read) {
      const box = pbx.mailboxes.get(number);
      if (box === undefined)
        throw new Error(`no mailbox ${number}; there are ${[...pbx.mailboxes.keys()].join(', ')}`);
      box.unread = unread;
      box.read = read ?? box.read;
      const waitingLines = lines([
        ['Mailbox', `${number}@default`],
        ['Waiting', unread > 0 ? 1 : 0],
        ['New', box.unread],
        ['Old', box.read],
      ]);
      pbx.publish('MessageWaiting', 'call', waitingLines);
      const state = unread > 0 ? 'INUSE' : 'NOT_INUSE';
      pbx.publish(
        'DeviceStateChange',
        'call',
        lines([
          ['Device', `MWI:${number}@default`],
          ['State', state],
        ]),
      );
    },
    paused: (queue) => [...(pbx.queues.get(queue)?.paused.keys() ?? [])],
    database: pbx.database,
    load: (spec) => runLoad(pbx, spec, () => sent),
    until: waiting.until,
    async stop() {
      pbx.stop();
      waiting.stop();
      await ami.stop();
    },
  };
}

function snapshotOf(channel: Channel): ChannelSnapshot {
  return {
    channel: channel.name,
    uniqueid: channel.uniqueid,
    linkedid: channel.linkedid,
    state: channel.state,
    callerId: channel.callerId ?? { number: '' },
    connectedLine: channel.connected ?? { number: '' },
    exten: channel.exten,
    application: channel.application,
    bridge: channel.bridge?.id,
  };
}

function describe(
  channels: readonly Channel[],
  sessions: readonly { readonly user: string | undefined; readonly connected: boolean }[],
): string {
  const calls = channels
    .map((channel) => `${channel.name} state ${channel.state} at ${channel.exten}`)
    .join(', ');
  const users = sessions
    .filter((session) => session.connected)
    .map((session) => session.user ?? '(not logged in)');
  return `calls: ${calls || 'none'}; AMI sessions: ${users.join(', ') || 'none'}`;
}
