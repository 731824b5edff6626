/** Attended transfer by the telephone system's own feature (bridge_basic.c): the channel consults on its own leg. */

import { action, checkedChannel, checkedContext, checkedExtension } from './action.ts';
import { type Control, text } from './control.ts';
import type { ChannelId } from './pbx.ts';

/** The action that begins it: Asterisk acts as if the user had pressed the keys of `atxfer`. */
export function beginTransfer(channel: ChannelId, context: string, exten: string) {
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
export async function consults(control: Control, channel: ChannelId): Promise<boolean> {
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
