/**
 * XEP-0108: the user's activity `talking/on_the_phone`, published in the user's name (XEP-0163) where the server lets the
 * component send IQs of that kind for its users (XEP-0356 §5.4).
 */

import type { TelephoneState } from '../calls/presence.ts';
import type { User } from '../directory.ts';
import type { Log } from '../log.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import { child, type XmlElement, xml } from '../protocol/xml.ts';
import type { PrivilegeWatch } from '../xmpp/privilege.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';

/** XEP-0060 */
const PUBSUB_NS = 'http://jabber.org/protocol/pubsub';
/** XEP-0108 */
const ACTIVITY_NS = 'http://jabber.org/protocol/activity';

/** What {@link createActivity} needs. */
export interface ActivityOptions {
  readonly xmpp: Pick<Xmpp, 'request'>;
  readonly privileges: PrivilegeWatch;
  readonly log: Log;
}

/** Users' activities. */
export interface Activity {
  /** The user's telephone is in this state now. */
  show(user: User, state: TelephoneState): void;
  /** Takes back what was published, as far as `ms` milliseconds allow. Never rejects. */
  stop(ms: number): Promise<void>;
}

const timeoutMs = 10_000;

/** Makes it. Where the server does not grant it, nothing happens. */
export function createActivity({ xmpp, privileges, log }: ActivityOptions): Activity {
  /** Who talks, as it should be seen, and as it was published. */
  const wanted = new Map<BareJid, boolean>();
  const shown = new Set<BareJid>();
  const busy = new Map<BareJid, Promise<void>>();

  /** Publishes until it is as wanted; one thing after the other for a user, and only the latest. */
  async function follow(jid: BareJid, deadlineMs: number): Promise<void> {
    for (
      let talks = wanted.get(jid);
      talks !== undefined && talks !== shown.has(jid);
      talks = wanted.get(jid)
    ) {
      if (!(await publish(jid, talks, deadlineMs))) break;
      if (talks) shown.add(jid);
      else shown.delete(jid);
    }
    wanted.delete(jid);
  }

  async function publish(jid: BareJid, talks: boolean, deadlineMs: number): Promise<boolean> {
    const granted = privileges.of(parseJid(jid)?.domain ?? '');
    const right = granted?.iq.get(PUBSUB_NS);
    if (granted === undefined || (right !== 'set' && right !== 'both')) return false;
    try {
      const answer = await xmpp.request(
        jid,
        'set',
        inTheNameOf(jid, granted.ns, activity(talks)),
        deadlineMs,
      );
      // XEP-0356 §5.4: the user's answer comes back forwarded.
      const forwarded = child(child(answer, 'privilege') ?? answer, 'forwarded');
      const inner = forwarded && child(forwarded, 'iq');
      if (inner?.attrs.get('type') === 'error') throw new Error('the user’s server refused to publish it');
      return true;
    } catch (error) {
      log.debug({ user: jid, reason: String(error) }, 'an activity was not published');
      return false;
    }
  }

  function start(jid: BareJid, deadlineMs: number): Promise<void> {
    const under = busy.get(jid);
    if (under !== undefined) return under;
    const work = follow(jid, deadlineMs).finally(() => busy.delete(jid));
    busy.set(jid, work);
    return work;
  }

  return {
    show(user, state) {
      const talks = state === 'busy';
      if (!busy.has(user.jid) && talks === shown.has(user.jid)) return;
      wanted.set(user.jid, talks);
      void start(user.jid, timeoutMs);
    },
    async stop(ms) {
      await Promise.all(
        [...shown].map((jid) => {
          wanted.set(jid, false);
          return start(jid, ms);
        }),
      );
    },
  };
}

function activity(talks: boolean): XmlElement {
  // XEP-0108 §2.1: an empty element says that there is no activity any more.
  const what = talks ? [xml('talking', {}, [xml('on_the_phone')])] : [];
  const item = xml('item', { id: 'current' }, [xml('activity', { xmlns: ACTIVITY_NS }, what)]);
  return xml('pubsub', { xmlns: PUBSUB_NS }, [xml('publish', { node: ACTIVITY_NS }, [item])]);
}

function inTheNameOf(user: BareJid, ns: string, payload: XmlElement): XmlElement {
  // COMPAT: ejabberd 26 needs the inner `to`, Prosody the namespace on the inner stanza.
  const inner = xml('iq', { xmlns: 'jabber:client', type: 'set', id: 'activity', from: user, to: user }, [
    payload,
  ]);
  return xml('privileged_iq', { xmlns: ns }, [inner]);
}
