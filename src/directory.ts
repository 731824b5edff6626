/** The directory: who a JID is, and whose a device is. Snapshots are immutable; a change is a new one. */

import { createHash } from 'node:crypto';
import type { DeviceName } from './pbx/pbx.ts';
import type { BareJid } from './protocol/jid.ts';
import { defaultPolicy, type Policy } from './rules/policy.ts';

/** What a device can be told to do (`Phonedevice/capabilities` of `UserInfo`). */
export const capabilities = ['dial', 'hangup', 'hold', 'transfer', 'offhook', 'conference'] as const;
/** One of {@link capabilities}. */
export type Capability = (typeof capabilities)[number];

/** What a user may do; `xmpp.connect` is everybody's. */
export const roles = ['xmpp.connect', 'xmpp.group', 'xmpp.supervisor'] as const;
/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** Where a call to a user comes from: a device may ring differently for each. */
export const callOrigins = ['internal', 'external', 'queue'] as const;
/** One of {@link callOrigins}. */
export type CallOrigin = (typeof callOrigins)[number];

/** When a device rings: so many seconds after the call has come in, and for how long; undefined = as is usual here. */
export interface RingTime {
  readonly delay: number;
  readonly timeout: number | undefined;
}

/** A telephone of a user. */
export interface Device {
  /** As clients show and address it; unique in the directory. */
  readonly name: string;
  /** How the telephone system names it in channels and device states. */
  readonly device: DeviceName;
  /** What is dialed to make it ring; mostly the same as {@link device}. */
  readonly dialString: string;
  /** `hardphone`, `softphone`, `mobile`, `fax`, or what the operator calls it. */
  readonly type: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** Its own public number, of a mobile for instance; empty where it has none. */
  readonly number: string;
  /** When it rings, where that is not at once and as long as is usual. */
  readonly rings?: Readonly<Partial<Record<CallOrigin, RingTime>>>;
}

/** A desk, say, that people sit down at by turns; its devices are then theirs. */
export interface Place {
  /** Unique among places. */
  readonly name: string;
  readonly devices: readonly Device[];
  /** Who may sit down: user names in lower case, and groups; undefined = everybody. */
  readonly open: { readonly users: ReadonlySet<string>; readonly groups: ReadonlySet<string> } | undefined;
}

/** Who sits where, by JID. Nobody sits at two places, nor two at one. */
export type Seats = ReadonlyMap<BareJid, Place>;

/** A queue that a user belongs to, or may log in to. */
export interface QueueGrant {
  readonly name: string;
  /** Penalty of app_queue: members with a lower one are called first. 0 or more. */
  readonly penalty: number;
  /** True: the user logs in and out. False: the telephone system's configuration makes the user a member. */
  readonly dynamic: boolean;
}

/** Numeric ids that legacy clients keep; stable for a user as long as the JID stays, each unique among its kind. */
export interface UserIds {
  readonly user: number;
  readonly account: number;
  readonly extension: number;
  readonly mailbox: number;
}

/** A person (or a room's telephone) with a JID and an extension. */
export interface User {
  /** User name; unique. The JID's local part unless the operator says otherwise. */
  readonly name: string;
  readonly jid: BareJid;
  readonly fullName: string;
  /** Internal number: digits, `*` and `#`; unique. */
  readonly extension: string;
  /**
   * The first one is dialed from where a command names none. Empty for a user without a telephone. Those of the place where the user sits
   * come first, then the user's own.
   */
  readonly devices: readonly Device[];
  /** `340@default`; empty where there is none. */
  readonly mailbox: string;
  /** Empty where there is none. */
  readonly faxExtension: string;
  /** Groups whose ringing calls this user may pick up. */
  readonly pickupGroups: ReadonlySet<string>;
  /** Groups that may pick up this user's ringing calls. */
  readonly callGroups: ReadonlySet<string>;
  /** Groups of people, as contact lists show them. */
  readonly groups: ReadonlySet<string>;
  readonly queues: readonly QueueGrant[];
  /** Always holds `xmpp.connect`. */
  readonly roles: ReadonlySet<Role>;
  readonly ids: UserIds;
  /** Name of the place where the user's own devices stand. */
  readonly location: string;
  /** Dialplan context of this user's calls; undefined = the configuration's. */
  readonly context: string | undefined;
  /** RFC 5646 language tag; empty where unknown. */
  readonly language: string;
}

/** A device together with whose it is. */
export interface Owner {
  readonly user: User;
  readonly device: Device;
}

/** One state of the directory. Every lookup is one Map access. */
export interface Directory {
  /** The same for the same content, another for another; for logs and caches. */
  readonly version: string;
  /** In the order of the source. */
  readonly users: readonly User[];
  /** Named numbers (`viasetting` of `base.Dial`). */
  readonly settings: ReadonlyMap<string, string>;
  /** What the operator allows besides. */
  readonly policy: Policy;
  /** Places that people may sit down at. */
  readonly places: readonly Place[];
  /** The place of that name. */
  place(name: string): Place | undefined;
  /** Where a user sits; undefined for who sits at the user's own place only. */
  seatOf(user: User): Place | undefined;
  /** Who sits at a place; undefined while it is free. */
  occupantOf(place: Place): User | undefined;
  /** As {@link version}, whoever sits where. */
  readonly basis: string;
  byJid(jid: BareJid): User | undefined;
  /** By user name, in lower case. */
  byName(name: string): User | undefined;
  byExtension(extension: string): User | undefined;
  /** Everybody who has this voicemail box, e.g. `340@default`. */
  byMailbox(mailbox: string): readonly User[];
  /** Whose device of the telephone system this is, e.g. `PJSIP/340`. */
  byDevice(device: DeviceName): Owner | undefined;
  /** By the name that clients use. */
  byDeviceName(name: string): Owner | undefined;
  /**
   * The device that a channel belongs to, a user's or a place's: `PJSIP/340-0000001c` → `PJSIP/340`; undefined for trunks and the like.
   */
  deviceOfChannel(channel: string): DeviceName | undefined;
}

/** Where the directory comes from, and how its changes are learned. */
export interface DirectorySource {
  /** Empty until {@link start} has resolved. */
  readonly current: Directory;
  /** Called with each new snapshot after it has become {@link current}. Returns the unsubscription. */
  onChange(listener: (directory: Directory, previous: Directory) => void): () => void;
  /** Loads, and begins to watch. Rejects only where the adapter's docstring says so. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A user as sources build it: the ids that the source does not give are derived. */
export type UserRecord = Omit<User, 'ids'> & { readonly ids: Partial<UserIds> };

/**
 * Builds a snapshot. Sources have checked that JIDs, names, extensions and devices are unique; where they are not, the
 * first one counts.
 */
export function createDirectory(
  records: readonly UserRecord[],
  settings: ReadonlyMap<string, string> = new Map(),
  policy: Policy = defaultPolicy,
  places: readonly Place[] = [],
): Directory {
  const users = withIds(records);
  const basis = versionOf([users, settings, policy, places]);
  return build({ users, settings, policy, places, basis, version: basis }, new Map());
}

/** The same directory with people at other places than their own. Seats at places, or of people, that it does not have do not count. */
export function seatUsers(directory: Directory, seats: Seats): Directory {
  const sitting = new Map(
    [...seats].filter(([jid, place]) => directory.byJid(jid) && directory.place(place.name)),
  );
  if (sitting.size === 0) return directory;
  const users = directory.users.map((user) => {
    const place = sitting.get(user.jid);
    return place === undefined ? user : { ...user, devices: [...place.devices, ...user.devices] };
  });
  const { settings, policy, places, basis } = directory;
  const version = versionOf([basis, [...sitting].map(([jid, place]) => [jid, place.name])]);
  return build({ users, settings, policy, places, basis, version }, sitting);
}

type Content = Pick<Directory, 'users' | 'settings' | 'policy' | 'places' | 'basis' | 'version'>;

function build(content: Content, seats: Seats): Directory {
  const { users, places } = content;
  const owners = users.flatMap((user) => user.devices.map((device): Owner => ({ user, device })));
  const jids = index(users, (user) => user.jid);
  const names = index(users, (user) => user.name.toLowerCase());
  const extensions = index(users, (user) => user.extension);
  const mailboxes = new Map<string, User[]>();
  for (const user of users) {
    const sharing = mailboxes.get(user.mailbox);
    if (sharing === undefined) mailboxes.set(user.mailbox, [user]);
    else sharing.push(user);
  }
  const devices = index(owners, (owner) => owner.device.device);
  const deviceNames = index(owners, (owner) => owner.device.name);
  // Those of free places, too: calls that are there already when somebody sits down are known then.
  const known = new Map(
    [...places, ...users].flatMap(({ devices }) => devices.map(({ device }) => [device as string, device])),
  );
  const placeNames = index(places, (place) => place.name);
  const occupants = new Map([...seats].map(([jid, place]) => [place.name, jids.get(jid)]));
  return {
    ...content,
    place: (name) => placeNames.get(name),
    seatOf: (user) => seats.get(user.jid),
    occupantOf: (place) => occupants.get(place.name),
    byJid: (jid) => jids.get(jid),
    byName: (name) => names.get(name.toLowerCase()),
    byExtension: (extension) => extensions.get(extension),
    byMailbox: (mailbox) => (mailbox === '' ? [] : (mailboxes.get(mailbox) ?? [])),
    byDevice: (device) => devices.get(device),
    byDeviceName: (name) => deviceNames.get(name),
    deviceOfChannel: (channel) => {
      // channel.c appends a hyphen and a sequence number; endpoint names may hold hyphens themselves.
      const end = channel.lastIndexOf('-');
      return end < 0 ? undefined : known.get(channel.slice(0, end));
    },
  };
}

/** The directory before any source has spoken: nobody is known. */
export const emptyDirectory: Directory = createDirectory([]);

function index<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const item of items) if (!map.has(key(item))) map.set(key(item), item);
  return map;
}

function versionOf(content: readonly unknown[]): string {
  const plain = (_key: string, value: unknown) => {
    if (value instanceof Set || value instanceof Map) return [...value];
    return value instanceof RegExp ? value.source : value;
  };
  return createHash('sha256').update(JSON.stringify(content, plain)).digest('hex').slice(0, 12);
}

function withIds(records: readonly UserRecord[]): readonly User[] {
  const kinds = ['user', 'account', 'extension', 'mailbox'] as const;
  const taken = new Map(kinds.map((kind) => [kind, new Set(records.map((record) => record.ids[kind]))]));
  return records.map((record) => {
    const id = (kind: (typeof kinds)[number]) => record.ids[kind] ?? freeId(record.jid, taken.get(kind));
    const ids = {
      user: id('user'),
      account: id('account'),
      extension: id('extension'),
      mailbox: id('mailbox'),
    };
    return { ...record, ids };
  });
}

/** A positive 31-bit number (legacy clients read a signed 32-bit one) made from the JID, next to it where that is taken. */
function freeId(jid: BareJid, taken = new Set<number | undefined>()): number {
  let id = createHash('sha256').update(jid).digest().readUInt32BE() >>> 1;
  while (id === 0 || taken.has(id)) id = (id + 1) % 0x80000000;
  taken.add(id);
  return id;
}
