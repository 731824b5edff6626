/** Channel names as clients give them. */

import type { ChannelId } from '../pbx/pbx.ts';
import type { Value } from '../protocol/value.ts';

// Technology, slash, what the driver chose: printable ASCII without blanks. Asterisk's own names hold no more.
const shape = /^[A-Za-z0-9_]{1,32}\/[!-~]{1,200}$/;

/** A channel's name: what `eventId` of a ChannelEvent said. */
export const channelName: Value<ChannelId> = {
  read: (raw) => (shape.test(raw) ? (raw as ChannelId) : undefined),
  write: (value) => value,
  expects: 'the eventId of a ChannelEvent',
  example: 'PJSIP/340-0000001c' as ChannelId,
};
