/** What is done to a channel that is there: ended, sent elsewhere, joined, silenced (manager.c, features, res_mutestream). */

import { Failure, fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { action, checkedChannel, checkedContext, checkedExtension } from './action.ts';
import { overtaken } from './answer.ts';
import type { PbxEvent } from './events.ts';
import { demandExtension } from './extensions.ts';
import type { ChannelId, Pbx } from './pbx.ts';

/** causes.h */
const AST_CAUSE_CALL_REJECTED = 21;

/** For a hangup of what may have ended by itself. */
export function ignoreGone(error: unknown): void {
  if (!(error instanceof Failure && error.code === 'no-such-channel')) throw error;
}

/** Sees both come into a bridge. */
function bothEntered(pair: readonly ChannelId[]): (event: PbxEvent) => true | undefined {
  const missing = new Set(pair);
  return (event) => {
    if (event.type !== 'bridge-enter' && event.type !== 'hangup') return undefined;
    missing.delete(event.channel.name);
    return missing.size === 0 ? true : undefined;
  };
}

type Verbs = Pick<Pbx, 'hangup' | 'blindTransfer' | 'redirect' | 'join' | 'sendDigits' | 'mute'>;

/** The verbs that act on channels. */
export function channelVerbs(acting: Acting): Verbs {
  const { run, watch, beginMs } = acting;
  /** Channels that are on their way to each other: joined with somebody else now, both would end. */
  const joining = new Set<ChannelId>();
  return {
    async hangup(channel, reason) {
      const cause = reason === 'rejected' ? { Cause: String(AST_CAUSE_CALL_REJECTED) } : {};
      await run(action('Hangup', { Channel: checkedChannel(channel), ...cause }));
    },
    async blindTransfer(channel, context, exten) {
      const sent = action('BlindTransfer', {
        Channel: checkedChannel(channel),
        Context: checkedContext(context),
        Exten: checkedExtension(exten),
      });
      await demandExtension(acting, context, exten);
      await run(sent);
    },
    async redirect(channel, context, exten, other) {
      const sent = action('Redirect', {
        Channel: checkedChannel(channel),
        Context: checkedContext(context),
        Exten: checkedExtension(exten),
        Priority: '1',
        ...(other !== undefined && {
          ExtraChannel: checkedChannel(other),
          ExtraContext: checkedContext(context),
          ExtraExten: checkedExtension(exten),
          ExtraPriority: '1',
        }),
      });
      await demandExtension(acting, context, exten);
      await run(sent);
    },
    async join(one, other) {
      const headers = { Channel1: checkedChannel(one), Channel2: checkedChannel(other), Tone: 'no' };
      const pair = [one, other];
      if (pair.some((channel) => joining.has(channel))) throw overtaken();
      for (const channel of pair) joining.add(channel);
      const there = watch.next(bothEntered(pair), 3 * beginMs);
      void there.outcome.then(() => {
        for (const channel of pair) joining.delete(channel);
      });
      await there.after(run(action('Bridge', headers)));
      if (!acting.hears) there.give();
    },
    async sendDigits(channel, digits, as) {
      if (!/^[0-9A-D*#]{1,64}$/.test(digits)) fail('invalid-target', 'Digits are 0 to 9, A to D, * and #.');
      for (const digit of digits) {
        const heard: Record<string, string> = as === 'received' ? { Receive: 'true' } : {};
        await run(action('PlayDTMF', { Channel: checkedChannel(channel), Digit: digit, ...heard }));
      }
    },
    async mute(channel, direction, muted) {
      const state = muted ? 'on' : 'off';
      await run(
        action('MuteAudio', { Channel: checkedChannel(channel), Direction: direction, State: state }),
      );
    },
  };
}
