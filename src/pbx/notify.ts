/** SIP NOTIFY through res_pjsip_notify. */

import { fail } from '../errors.ts';
import { type AmiAction, action, checkedChannel } from './action.ts';
import type { ChannelId, DeviceName, Notification } from './pbx.ts';

const templateName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,78}$/;

/**
 * The action. Inside a call (`Channel`) the telephone knows which call is meant; to a device, every contact gets one.
 * Throws `Failure` `invalid-target`, `not-supported` for a device that is not PJSIP.
 */
export function notification(
  to: { readonly channel: ChannelId } | { readonly device: DeviceName },
  what: Notification,
): AmiAction {
  return action('PJSIPNotify', { ...addressee(to), ...content(what) });
}

function addressee(
  to: { readonly channel: ChannelId } | { readonly device: DeviceName },
): Record<string, string> {
  if ('channel' in to) return { Channel: checkedChannel(to.channel) };
  const [technology, endpoint = ''] = checkedChannel(to.device).split('/');
  if (technology?.toUpperCase() !== 'PJSIP')
    fail('not-supported', 'Only PJSIP telephones understand NOTIFY.');
  return { Endpoint: endpoint };
}

function content(what: Notification): Record<string, string> {
  if ('event' in what) return { Variable: `Event=${what.event}` };
  if (!templateName.test(what.template)) fail('invalid-target', 'That is not the name of a NOTIFY template.');
  return { Option: what.template };
}
