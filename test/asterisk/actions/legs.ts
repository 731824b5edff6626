import { destroyBridge, leave, peerOf } from '../pbx/bridge.ts';
import { channelEvent, destroy } from '../pbx/channel.ts';
import { lines } from '../pbx/event.ts';
import { talk, wrapUp } from '../pbx/talk.ts';
import { channelNamed } from './calls.ts';
import type { Action } from './define.ts';

/** Actions on one leg of a call, and on two of them. */
export const legActions: readonly Action[] = [
  {
    name: 'PlayDTMF',
    synopsis: 'Play DTMF signal on a specific channel.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      const channel = channelNamed(pbx, header('Channel'))[0];
      if (header('Channel') === '') error('No channel specified');
      else if (header('Digit') === '') error('No digit specified');
      else if (channel === undefined) error('Channel not found');
      else {
        ok('DTMF successfully queued');
        const direction = /^true$/i.test(header('Receive')) ? 'Received' : 'Sent';
        const rest = lines([
          ['Digit', header('Digit').slice(0, 1)],
          ['Direction', direction],
        ]);
        channelEvent(pbx, 'DTMFBegin', channel, rest, 'dtmf');
        channelEvent(pbx, 'DTMFEnd', channel, `${rest}DurationMs: 100\r\n`, 'dtmf');
      }
    },
  },
  {
    name: 'MuteAudio',
    synopsis: 'Mute an audio stream.',
    privilege: ['system'],
    run({ pbx, header, ok, error }) {
      const channel = channelNamed(pbx, header('Channel'))[0];
      if (header('Channel') === '') error('Channel not specified');
      else if (!/^(in|out|all)$/.test(header('Direction'))) error('Direction not specified');
      else if (!/^(on|off)$/.test(header('State'))) error('State not specified');
      else if (channel === undefined) error('No such channel');
      else {
        channel.variables.set(`MUTE-${header('Direction')}`, header('State'));
        ok(undefined);
      }
    },
  },
  {
    name: 'Bridge',
    synopsis: 'Bridge two channels already in the PBX.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      const one = channelNamed(pbx, header('Channel1'))[0];
      const other = channelNamed(pbx, header('Channel2'))[0];
      if (one === undefined) error('Channel1 does not exist');
      else if (other === undefined) error('Channel2 does not exist');
      else {
        ok('Channels have been bridged');
        const left = [one, other].flatMap((channel) => {
          const peer = peerOf(channel);
          const { bridge } = channel;
          leave(pbx, channel);
          if (peer !== undefined) leave(pbx, peer);
          if (bridge !== undefined) destroyBridge(pbx, bridge);
          return peer === undefined ? [] : [peer];
        });
        talk(pbx, one, other, () => {});
        for (const channel of left) {
          wrapUp(pbx, channel, 'transfer');
          destroy(pbx, channel, 16);
        }
        pbx.settle();
      }
    },
  },
  {
    name: 'UserEvent',
    synopsis: 'Send an arbitrary event.',
    privilege: ['user'],
    run({ pbx, action, header, ok }) {
      ok('Event Sent');
      const extra = action.headers.filter(([key]) => !/^(action|actionid|userevent)$/i.test(key));
      pbx.publish('UserEvent', 'user', lines([['UserEvent', header('UserEvent')], ...extra]));
    },
  },
];
