import { peerOf } from '../pbx/bridge.ts';
import { consult } from '../pbx/consult.ts';
import { exists } from '../pbx/dialplan.ts';
import { setHold } from '../pbx/talk.ts';
import { channelNamed } from './calls.ts';
import type { Action } from './define.ts';

/** How long Asterisk says "invalid extension" to the transferer, ms. */
const invalidMs = 1500;

/** Attended transfers (action_atxfer and action_cancel_atxfer of main/manager.c): queued as digits, so they never fail later. */
export const consultActions: readonly Action[] = [
  {
    name: 'Atxfer',
    synopsis: 'Attended transfer.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      const exten = header('Exten');
      if (header('Channel') === '') error('No channel specified');
      else if (exten === '') error('No extension specified');
      else {
        const channel = channelNamed(pbx, header('Channel'))[0];
        if (channel === undefined) error('Channel specified does not exist');
        else {
          ok('Atxfer successfully queued');
          const context = header('Context') || channel.context;
          if (peerOf(channel) === undefined || channel.consultation !== undefined) return;
          if (exists(pbx, context, exten)) {
            consult(pbx, channel, context, exten);
            return;
          }
          setHold(pbx, channel, true);
          pbx.later(invalidMs, () => setHold(pbx, channel, false));
        }
      }
    },
  },
  {
    name: 'CancelAtxfer',
    synopsis: 'Cancel an attended transfer.',
    privilege: ['call'],
    run({ pbx, header, ok, error }) {
      if (header('Channel') === '') error('No channel specified');
      else {
        const channel = channelNamed(pbx, header('Channel'))[0];
        if (channel === undefined) error('Channel specified does not exist');
        else {
          ok('CancelAtxfer successfully queued');
          channel.consultation?.cancel();
        }
      }
    },
  },
];
