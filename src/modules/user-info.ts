/** `UserInfo`: all that a client shows of its user, as the answer to the login handshake. */

import type { Deflection } from '../deflections.ts';
import { capabilities, type Device, type User } from '../directory.ts';
import type { MailboxCount } from '../pbx/pbx.ts';
import {
  attr,
  attrOr,
  element,
  flagSet,
  type Infer,
  many,
  maybe,
  one,
  textElement,
} from '../protocol/codec.ts';
import { flag, integer, text } from '../protocol/value.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { subscriptionList } from './event.ts';
import { queueMemberStates } from './queue-state.ts';
import { describeRedirect, redirectEntry } from './redirect.ts';
import { describeVoicemailbox, voicemailbox } from './voicemail.ts';

const anything = () => textElement(text(), '');
const id = (doc: string) => textElement(integer(0, 0x7fffffff, 6), 0, doc);

// The names are columns of the original system's database; clients look for them without checking that they are there.
const identity = element('Identity', {
  db_003use_name: textElement(text('tweber'), '', 'user name'),
  db_003use_bez: textElement(text('Thomas Weber'), '', 'full name'),
  db_009ext_extension: textElement(text('340'), '', 'internal number'),
  faxextension: textElement(text(''), '', 'fax number'),
  db_016voi_mailbox: textElement(text('340'), '', 'voicemail box'),
  db_003use_id: id('numeric id, stable for the user'),
  db_011acc_id: id('numeric id, stable for the user'),
  db_009ext_id: id('numeric id, stable for the user'),
  db_016voi_id: id('numeric id, stable for the user'),
  db_003use_enabled: textElement(flag(true), true, 'always true: who is disabled cannot ask'),
  db_003use_lastlogin: anything(),
  db_003use_doc: anything(),
  db_003use_tmstmp: anything(),
  db_009ext_tmstmp: anything(),
  db_011acc_tmstmp: anything(),
  db_011acc_voiidwatch: anything(),
  db_011acc_calleridnum: anything(),
  db_020fax_id: anything(),
  db_028pho_id: anything(),
});

const roletype = element('Roletype', { name: attr(text('xmpp.connect')) });
const roletypeList = element('RoletypeList', { roletypes: many(roletype) });
const role = element('Role', { name: attr(text('All Users')), roletypes: one(roletypeList) });
const roleList = element('RoleList', { roles: many(role) });

const phonedevice = element('Phonedevice', {
  name: attr(text('Desk phone'), 'what `device` attributes take'),
  type: attr(text('hardphone')),
  capabilities: flagSet(capabilities, 'what the device can be told to do'),
});
const seconds = (example: number, doc: string) => attrOr(integer(0, 3600, example), 0, doc);
const deviceEntry = element('DeviceEntry', {
  delayinternal: seconds(0, 'seconds before an internal call rings here'),
  timeoutinternal: seconds(30, 'seconds it rings'),
  delayexternal: seconds(0, 'the same for calls from outside'),
  timeoutexternal: seconds(30, ''),
  delayqueue: seconds(0, 'the same for queue calls'),
  timeoutqueue: seconds(30, ''),
  device: one(phonedevice),
});

/** A place with its devices. */
export const location = element('Location', {
  name: attr(text('Thomas Weber')),
  isstatic: attr(flag(true), 'true: the user’s own place; false: the place where the user sits for now'),
  username: attr(text('tweber'), 'who sits there'),
  devices: many(deviceEntry),
});

const locationList = element('LocationList', { locations: many(location) });

/** The element on the wire. */
export const userInfo = element(
  'UserInfo',
  {
    name: attr(text('tweber'), 'user name'),
    identity: one(identity),
    roles: one(roleList),
    locations: one(locationList),
    voicemailbox: one(voicemailbox),
    redirect: one(redirectEntry),
    queues: one(queueMemberStates),
    subscriptions: maybe(subscriptionList),
  },
  'Everything about a user. Elements that have nothing to say are there, and empty.',
);

/** Who a user is, in the role types that clients check. */
function rolesOf(user: User): Infer<typeof roleList> {
  const roletypes = [...user.roles].map((name) => ({ name }));
  return {
    roles: [{ name: user.roles.has('xmpp.supervisor') ? 'Supervisor' : 'User', roletypes: { roletypes } }],
  };
}

function entryOf(device: Device, ringSeconds: number): Infer<typeof deviceEntry> {
  return {
    delayinternal: 0,
    timeoutinternal: ringSeconds,
    delayexternal: 0,
    timeoutexternal: ringSeconds,
    delayqueue: 0,
    timeoutqueue: ringSeconds,
    device: { name: device.name, type: device.type, capabilities: device.capabilities },
  };
}

/**
 * Describes a user. `subscriptions` are those of one session; undefined leaves the list out, as for users without naming a
 * session. `messages` = what the user's voicemail box holds; `deflection` = where the calls go; `ringSeconds` = how long devices
 * ring.
 */
export function describeUser(
  user: User,
  subscriptions: readonly Subscription[] | undefined,
  known: {
    readonly messages: MailboxCount;
    readonly queues: Infer<typeof queueMemberStates>;
    readonly deflection: Deflection;
    readonly ringSeconds: number;
  },
): Infer<typeof userInfo> {
  const [mailbox = ''] = user.mailbox.split('@');
  return {
    name: user.name,
    identity: {
      ...identity.example,
      db_003use_name: user.name,
      db_003use_bez: user.fullName,
      db_009ext_extension: user.extension,
      faxextension: user.faxExtension,
      db_016voi_mailbox: mailbox,
      db_003use_id: user.ids.user,
      db_011acc_id: user.ids.account,
      db_009ext_id: user.ids.extension,
      db_016voi_id: user.ids.mailbox,
      db_003use_enabled: true,
    },
    roles: rolesOf(user),
    locations: {
      locations: [
        {
          name: user.location,
          isstatic: true,
          username: user.name,
          devices: user.devices.map((device) => entryOf(device, known.ringSeconds)),
        },
      ],
    },
    voicemailbox: describeVoicemailbox(user, known.messages),
    redirect: describeRedirect(user, known.deflection),
    queues: known.queues,
    subscriptions: subscriptions && { subscriptions },
  };
}
