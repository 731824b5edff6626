/** Who of ours the members of queues are, and whom a queue concerns. */

import type { Directory, QueueGrant, User } from './directory.ts';
import type { DeviceName, QueueMember } from './pbx/pbx.ts';
import type { Roster } from './queues/changes.ts';
import type { QueueView } from './queues/queues.ts';

/** What names a member. */
export type MemberNames = Pick<QueueMember, 'interface' | 'stateInterface' | 'name'>;

/**
 * Looks a member up: its device, or that of whoever sits there now; the extension that a Local channel leads to; the device or the hint
 * whose state counts; at last its name, where one user alone is called so.
 */
export function agentOf(member: MemberNames, directory: Directory): User | undefined {
  const owner = (name: string) => directory.byDevice(name as DeviceName)?.user;
  return (
    owner(member.interface) ??
    byExtensionIn(member.interface, directory) ??
    owner(member.stateInterface) ??
    byExtensionIn(member.stateInterface, directory) ??
    namesOf(directory).get(member.name)
  );
}

/** `Local/370@internal/n` rings extension 370, `hint:370@internal` shows its state (app_queue.c, devicestate.h). */
const leadsTo = /^(?:Local\/|hint:)(?<extension>[0-9*#]+)@/;

function byExtensionIn(name: string, directory: Directory): User | undefined {
  const extension = leadsTo.exec(name)?.groups?.extension;
  return extension === undefined ? undefined : directory.byExtension(extension);
}

// By directory snapshot: a new one is a new key, an old one is collected with it.
const byName = new WeakMap<Directory, ReadonlyMap<string, User>>();

/** Users by what a member's name may be: user name, extension, full name; without names that several have. */
function namesOf(directory: Directory): ReadonlyMap<string, User> {
  const known = byName.get(directory);
  if (known !== undefined) return known;
  const names = new Map<string, User | undefined>();
  for (const user of directory.users) {
    for (const name of new Set([user.name, user.extension, user.fullName]))
      names.set(name, names.has(name) ? undefined : user);
  }
  const unique = new Map([...names].filter((each): each is [string, User] => each[1] !== undefined));
  byName.set(directory, unique);
  return unique;
}

const granted = new WeakMap<Directory, ReadonlyMap<string, readonly User[]>>();

/** Users who may log in to a queue. */
export function grantedUsers(queue: string, directory: Directory): readonly User[] {
  let queues = granted.get(directory);
  if (queues === undefined) {
    const collected = new Map<string, User[]>();
    for (const user of directory.users) {
      for (const { name, dynamic } of user.queues) {
        if (!dynamic) continue;
        const users = collected.get(name.toLowerCase());
        if (users === undefined) collected.set(name.toLowerCase(), [user]);
        else users.push(user);
      }
    }
    queues = collected;
    granted.set(directory, queues);
  }
  return queues.get(queue.toLowerCase()) ?? [];
}

interface People {
  readonly directory: Directory;
  readonly users: ReadonlySet<User>;
  readonly list: readonly User[];
}

const people = new WeakMap<Roster, People>();

function findPeople(queue: string, roster: Roster, directory: Directory): People {
  const known = people.get(roster);
  if (known?.directory === directory) return known;
  const users = new Set(grantedUsers(queue, directory));
  for (const member of roster) {
    const user = agentOf(member, directory);
    if (user !== undefined) users.add(user);
  }
  const found = { directory, users, list: [...users] };
  people.set(roster, found);
  return found;
}

/**
 * The users a queue concerns: its members, and who may log in to it. Asked for every change, so it is remembered as long as
 * nobody comes or goes.
 */
export function peopleOf(queue: string, roster: Roster, directory: Directory): readonly User[] {
  return findPeople(queue, roster, directory).list;
}

/** Whether a queue concerns a user. */
export function isIn({ name, roster }: QueueView, user: User, directory: Directory): boolean {
  return findPeople(name, roster, directory).users.has(user);
}

/** What the directory grants a user in a queue; queues are named without regard to case. */
export function grantOf(user: User, queue: string): QueueGrant | undefined {
  const name = queue.toLowerCase();
  return user.queues.find((grant) => grant.name.toLowerCase() === name);
}
