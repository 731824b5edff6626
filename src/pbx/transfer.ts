/** Attended transfer by the telephone system's own feature (bridge_basic.c): the channel consults on its own leg. */

import { fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { type AmiAction, action, checkedChannel, checkedContext, checkedExtension } from './action.ts';
import { type Control, text } from './control.ts';
import type { PbxEvent } from './events.ts';
import { demandExtension } from './extensions.ts';
import type { ChannelId, Pbx } from './pbx.ts';

/** The action that begins it: Asterisk acts as if the user had pressed the keys of `atxfer`. */
function beginTransfer(channel: ChannelId, context: string, exten: string) {
  return action('Atxfer', {
    Channel: checkedChannel(channel),
    Context: checkedContext(context),
    Exten: checkedExtension(exten),
  });
}

/**
 * Whether the channel is in a bridge with a Local half that was made for its consultation: bridge_basic.c (dial_transfer) leaves
 * the transferer's name on it. Asterisk has no action that tells. Rejects as `Control.run` does.
 */
async function consults(control: Control, channel: ChannelId): Promise<boolean> {
  const [status] = await control.list(action('Status', { Channel: checkedChannel(channel) }));
  const bridge = status === undefined ? '' : text(status, 'bridgeid');
  if (bridge === '') return false;
  const members = await control.list(action('BridgeInfo', { BridgeUniqueid: bridge }));
  for (const member of members) {
    const name = text(member, 'channel');
    if (!/^Local\/.*;1$/.test(name)) continue;
    const answer = await control.run(action('Getvar', { Channel: name, Variable: 'TRANSFERERNAME' }));
    if (text(answer, 'value') === channel) return true;
  }
  return false;
}

/** Consultations that are being begun are known for as long, milliseconds. */
const BEGINNING_MS = 10_000;

/** The verbs of consultations. */
export function transferVerbs(acting: Acting): Pick<Pbx, 'attendedTransfer' | 'consults' | 'cancelTransfer'> {
  const { run, ask, watch, beginMs } = acting;
  /** Channels whose consultation has been asked for and is not there yet: {@link consults} cannot tell of it. */
  const beginning = new Set<ChannelId>();

  async function begin(channel: ChannelId, sent: AmiAction): Promise<void> {
    const held = watch.next(
      (event) => (event.type === 'hold' && event.channel.name === channel ? true : undefined),
      // Asterisk presses five keys before it holds.
      3 * beginMs,
    );
    await held.after(run(sent));
    // Asterisk presses keys that nobody may hear in a bridge that is just being made, and says Success all the same.
    // Without the feed nothing is heard, and Asterisk's word stands.
    if (acting.hears && (await held.outcome) === undefined) {
      fail('rejected', 'The telephone system did not begin the consultation: try again in a moment.');
    }
  }

  return {
    async attendedTransfer(channel, context, exten) {
      const sent = beginTransfer(channel, context, exten);
      // The keys pressed twice are the keys that complete a transfer.
      if (beginning.has(channel)) fail('rejected', 'This call begins to consult somebody already.');
      beginning.add(channel);
      const there = watch.next((event) => seated(event, channel), BEGINNING_MS);
      void there.outcome.then(() => beginning.delete(channel));
      try {
        await demandExtension(acting, context, exten);
        await begin(channel, sent);
      } catch (error) {
        there.give();
        throw error;
      }
      if (!acting.hears) there.give();
    },
    consults: (channel) => ask((control) => consults(control, channel)),
    async cancelTransfer(channel) {
      const left = watch.next((event) => leaves(event, channel), 3 * beginMs);
      await left.after(run(action('CancelAtxfer', { Channel: checkedChannel(channel) })));
      // Keys, too, and as easily lost while the bridge of the consultation is being made.
      if (acting.hears && (await left.outcome) === undefined) {
        fail('rejected', 'The telephone system did not end the consultation: try again in a moment.');
      }
    },
  };
}

/** The channel has left the bridge of its consultation, or is gone. */
function leaves(event: PbxEvent, channel: ChannelId): true | undefined {
  const goes = event.type === 'bridge-leave' || event.type === 'hangup';
  return goes && event.channel.name === channel ? true : undefined;
}

/** The channel is in the bridge of its consultation, or is gone. */
function seated(event: PbxEvent, channel: ChannelId): true | undefined {
  const comes = event.type === 'bridge-enter' || event.type === 'hangup';
  return comes && event.channel.name === channel ? true : undefined;
}
