/** Module `mobile`: calls from a mobile telephone by way of the office. */

import { fail } from '../errors.ts';
import { attr, element } from '../protocol/codec.ts';
import { text, word } from '../protocol/value.ts';
import { type Context, command, defineModule } from './define.ts';
import { prefix, resolveNumber } from './number.ts';

/** AstDB family of what was prepared, keyed by the mobile's number: international, without plus. */
const FAMILY = 'OFFHOOK_MOBILE';
/** How long it holds, seconds: to take the telephone out of the pocket and let it call. */
const HOLDS = 120;

/** Module `mobile`. */
export const mobile = defineModule({
  name: 'mobile',
  doc:
    'Calls from a mobile telephone by way of the office: the client says who shall be called, the mobile calls the gateway’s number, and the ' +
    'telephone system connects it as if its user called from the office.',
  commands: [
    command({
      doc:
        'Prepares a call, for one call of the device’s own number to the gateway within two minutes; another `PrepareDial` takes its ' +
        'place. Off unless the configuration names the gateway.',
      access: 'user',
      audited: true,
      needs: ['dbPut'],
      request: element('PrepareDial', {
        device: attr(
          word('Mobile Weber', 256),
          'name of one of the user’s devices that has a number of its own',
        ),
        target: attr(word('370', 256), 'number, extension, or JID of a user'),
        prefix,
      }),
      response: {
        codec: element('ReadyToDial', { gateway: attr(text('+4930123459'), 'the number to call now') }),
      },
      async handle(request, context) {
        const { caller, directory, settings, rules, pbx } = context;
        const { mobileGateway } = settings;
        if (mobileGateway === undefined)
          fail('not-available', 'Calls by way of the office are off on this system.');
        const number = ownNumber(request.device, context);
        const exten = resolveNumber({ ...request, viasetting: undefined }, directory, settings);
        rules.permitDial(caller.user, exten, context);
        const until = Math.floor(context.now() / 1000) + HOLDS;
        const dialplan = caller.user.context ?? settings.context;
        await pbx.dbPut(FAMILY, number, [until, dialplan, exten, caller.user.extension].join(','));
        return { gateway: mobileGateway };
      },
    }),
  ],
});

/** The number of one of the caller's devices as the AstDB has it. Throws `Failure` `no-device`, `not-supported`. */
function ownNumber(name: string, { caller: { user }, settings }: Context): string {
  const device = user.devices.find((each) => each.name === name);
  if (device === undefined) fail('no-device', `'${name}' is none of the devices of ${user.fullName}.`);
  const international = device.number.startsWith('+')
    ? device.number.slice(1)
    : device.number.startsWith(settings.internationalPrefix)
      ? device.number.slice(settings.internationalPrefix.length)
      : '';
  if (/^[1-9][0-9]{5,18}$/.test(international)) return international;
  return fail(
    'not-supported',
    `The directory has no international number, such as +49170123456, for '${name}'.`,
  );
}
