/** Rosters by privilege (XEP-0356 §5): roster IQs to the user's bare JID, answered by the server. */

import { type BareJid, parseJid } from '../protocol/jid.ts';
import { child, elements, textOf, type XmlElement, xml } from '../protocol/xml.ts';
import { ROSTER_NS } from './namespaces.ts';
import { type PrivilegeWatch, readsRosters, writesRosters } from './privilege.ts';
import type { RosterItem, Rosters } from './rosters.ts';
import type { Xmpp } from './xmpp.ts';

const subscriptions = ['none', 'to', 'from', 'both'] as const;

/**
 * Makes the adapter. COMPAT: ejabberd 23 refuses to write, 24 and later write but make every subscription `none`
 * (mod_privilege): reading only.
 */
export function createPrivilegedRosters(
  xmpp: Pick<Xmpp, 'request'>,
  privileges: PrivilegeWatch,
  timeoutMs: number,
): Rosters {
  const domainOf = (user: BareJid) => parseJid(user)?.domain ?? '';
  return {
    async read(user) {
      if (!readsRosters(privileges.of(domainOf(user)))) {
        throw new Error(`${domainOf(user)} does not let the component read rosters (XEP-0356: roster get)`);
      }
      const answer = await xmpp.request(user, 'get', xml('query', { xmlns: ROSTER_NS }), timeoutMs);
      const query = child(answer, 'query');
      return query === undefined ? [] : elements(query).flatMap((item) => readItem(item) ?? []);
    },
    async write(user, item) {
      if (!writesRosters(privileges.of(domainOf(user)))) {
        throw new Error(`${domainOf(user)} does not let the component change rosters (XEP-0356: roster set)`);
      }
      await xmpp.request(user, 'set', xml('query', { xmlns: ROSTER_NS }, [writeItem(item)]), timeoutMs);
    },
  };
}

function readItem(item: XmlElement): RosterItem | undefined {
  const jid = parseJid(item.attrs.get('jid') ?? '');
  if (item.name !== 'item' || jid === undefined || jid.resource !== '') return undefined;
  return {
    jid: jid.bare,
    name: item.attrs.get('name') ?? '',
    subscription: subscriptions.find((one) => one === item.attrs.get('subscription')) ?? 'none',
    groups: elements(item)
      .filter(({ name }) => name === 'group')
      .map(textOf),
  };
}

function writeItem({ jid, name, subscription, groups }: RosterItem): XmlElement {
  const children = groups.map((group) => xml('group', {}, [group]));
  return xml('item', { jid, subscription, ...(name === '' ? {} : { name }) }, children);
}
