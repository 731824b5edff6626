/** SIP NOTIFY through res_pjsip_notify. */

import { Failure, fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { type AmiAction, action, checkedChannel, checkedEndpoint } from './action.ts';
import { isUnknownAction } from './answer.ts';
import type { ChannelId, DeviceName, Notification, Pbx } from './pbx.ts';

const templateName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,78}$/;

/**
 * Sends it. Inside a call the telephone knows which one is meant; otherwise every contact of the device gets one.
 * Rejects as `Pbx.notify` says.
 */
async function sendNotify(
  run: (action: AmiAction) => Promise<void>,
  device: DeviceName,
  what: Notification,
  inside: ChannelId | undefined,
): Promise<void> {
  const endpoint = checkedEndpoint(device);
  const content = contentOf(what);
  const send = (to: Readonly<Record<string, string>>) => run(action('PJSIPNotify', { ...to, ...content }));
  try {
    if (inside === undefined) await send({ Endpoint: endpoint });
    else {
      // COMPAT: Asterisk 16 knows no Channel, and asks for an endpoint.
      await send({ Channel: checkedChannel(inside) }).catch((error: unknown) => {
        if (!(error instanceof Failure && /requires either an endpoint/i.test(error.message))) throw error;
        return send({ Endpoint: endpoint });
      });
    }
  } catch (error) {
    if (!(error instanceof Failure && isUnknownAction(error.message))) throw error;
    fail(
      'not-supported',
      'The telephone system cannot send NOTIFY: its module res_pjsip_notify is not loaded.',
    );
  }
}

function contentOf(what: Notification): Record<string, string> {
  // Variable becomes a header of the NOTIFY (res_pjsip_notify.c); one that may be set but once, as it is named here.
  if (typeof what === 'string') return { Variable: `Event=${what}` };
  if (!templateName.test(what.template)) fail('invalid-target', 'That is not the name of a NOTIFY template.');
  return { Option: what.template };
}

/** The verb that presses a telephone's keys, and the one that tells whoever listens to the telephone system. */
export function notifyVerbs({ run }: Acting): Pick<Pbx, 'notify' | 'userEvent'> {
  return {
    notify: (device, what, inside) => sendNotify(run, device, what, inside),
    async userEvent(name, fields) {
      await run(action('UserEvent', { UserEvent: name, ...Object.fromEntries(fields) }));
    },
  };
}
