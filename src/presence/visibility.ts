/** Who may see whose telephone. */

import type { Directory, User } from '../directory.ts';
import type { Jid } from '../protocol/jid.ts';

/** The rules there are. */
export const visibilityRules = ['domain', 'group', 'list'] as const;
export type VisibilityRule = (typeof visibilityRules)[number];

/** What the operator has decided. */
export interface VisibilityOptions {
  /** `domain`: everybody of the served domains; `group`: who shares a group with the user; `list`: who is listed. */
  readonly rule: VisibilityRule;
  /** The served domains, in lower case. */
  readonly domains: readonly string[];
  /** JIDs without resource, and domains, in lower case; only asked where the rule is `list`. */
  readonly list: readonly string[];
}

/** The rule at work. */
export interface Visibility {
  /** Whether somebody may see anybody's telephone at all. Others are not even told whether there is one (RFC 6120 §13.11). */
  mayAsk(watcher: Jid): boolean;
  /** Whether somebody may see this user's telephone. */
  mayWatch(user: User, watcher: Jid, directory: Directory): boolean;
}

/**
 * Makes the rule. Whatever it is, users see their own telephones, supervisors (of the served domains) see all of them:
 * their role shows them every call anyway.
 */
export function createVisibility({ rule, domains, list }: VisibilityOptions): Visibility {
  const served = new Set(domains);
  const listed = new Set(list);
  const isListed = ({ bare, domain }: Jid) => rule === 'list' && (listed.has(bare) || listed.has(domain));

  return {
    mayAsk: (watcher) => watcher.local !== '' && (served.has(watcher.domain) || isListed(watcher)),
    mayWatch(user, watcher, directory) {
      if (watcher.local === '') return false;
      const who = served.has(watcher.domain) ? directory.byJid(watcher.bare) : undefined;
      if (who !== undefined && (who.jid === user.jid || who.roles.has('xmpp.supervisor'))) return true;
      switch (rule) {
        case 'domain':
          return served.has(watcher.domain);
        case 'group':
          return who !== undefined && [...who.groups].some((group) => user.groups.has(group));
        case 'list':
          return isListed(watcher);
      }
    },
  };
}
