/** `UserInfo`: all that a client shows of its user, as the answer to the login handshake. */

import type { Deflection } from '../deflections.ts';
import type { Directory, User } from '../directory.ts';
import type { MailboxCount } from '../pbx/pbx.ts';
import { attr, element, type Infer, many, maybe, one, textElement } from '../protocol/codec.ts';
import { flag, integer, text } from '../protocol/value.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { subscriptionList } from './event.ts';
import { describeLocations, locationList } from './location.ts';
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

/**
 * Describes a user. `subscriptions` are those of one session; undefined leaves the list out, as for users without naming a
 * session. `messages` = what the user's voicemail box holds; `deflection` = where the calls go; `directory` = says where
 * the user sits; `ringSeconds` = how long devices ring.
 */
export function describeUser(
  user: User,
  subscriptions: readonly Subscription[] | undefined,
  known: {
    readonly messages: MailboxCount;
    readonly queues: Infer<typeof queueMemberStates>;
    readonly deflection: Deflection;
    readonly directory: Directory;
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
    locations: describeLocations(user, known.directory, known.ringSeconds),
    voicemailbox: describeVoicemailbox(user, known.messages),
    redirect: describeRedirect(user, known.deflection),
    queues: known.queues,
    subscriptions: subscriptions && { subscriptions },
  };
}
