/** Ports that do nothing and know nothing: tests put in what they are about. */

import { pino } from 'pino';
import type { Calls } from '../src/calls/calls.ts';
import { createDeflections, type Deflections, usualFamilies } from '../src/deflections.ts';
import type { Directory, DirectorySource } from '../src/directory.ts';
import type { Pbx, PbxId, RecordingHandle } from '../src/pbx/pbx.ts';
import { createPlaces, type Places } from '../src/places/places.ts';
import type { Presence } from '../src/presence/presence.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import type { Xmpp } from '../src/xmpp/xmpp.ts';

const idle = async () => {};

/** A telephone system that accepts everything, and in which nothing happens. */
export function idlePbx(parts: Partial<Pbx> = {}): Pbx {
  return {
    id: 'main' as PbxId,
    state: { control: true, feed: true, reason: '' },
    abilities: { known: true, lacks: () => [] },
    start: idle,
    stop: idle,
    onState: () => () => {},
    onEvent: () => {},
    originate: idle,
    hangup: idle,
    blindTransfer: idle,
    redirect: idle,
    pickup: idle,
    listen: idle,
    announce: idle,
    attendedTransfer: idle,
    consults: async () => false,
    cancelTransfer: idle,
    join: idle,
    park: async (channel) => ({
      space: '701',
      lot: 'default',
      channel,
      uniqueId: '1.0',
      callerName: '',
      callerNumber: '',
      parker: '',
      waited: 0,
      timeout: 45,
    }),
    parkedCalls: async () => [],
    sendDigits: idle,
    mute: idle,
    record: async () => 'mix-1' as RecordingHandle,
    stopRecording: idle,
    muteRecording: idle,
    notify: idle,
    conferences: async () => [],
    conferenceKick: idle,
    conferenceMute: idle,
    conferenceLock: idle,
    userEvent: idle,
    reread: () => {},
    endpoints: async () => [],
    mailboxes: async () => new Map(),
    dbGet: async () => undefined,
    dbFamily: async () => new Map(),
    dbPut: idle,
    dbDel: idle,
    setDeviceState: idle,
    queueMembers: async () => [],
    queuePause: idle,
    queueAdd: idle,
    queueRemove: idle,
    queueCounters: async () => undefined,
    tellQueues: idle,
    ...parts,
  };
}

/** A directory that never changes. */
export function fixed(directory: Directory): DirectorySource {
  return { current: directory, onChange: () => () => {}, start: idle, stop: idle };
}

/** The places of a directory, with nobody there yet. */
export function placesOver(source: DirectorySource, pbx: Pbx, store: Store = createMemoryStore()): Places {
  const log = pino({ level: 'silent' });
  return createPlaces({ source, store, pbx, ringSeconds: 30, log, now: Date.now });
}

/** Deflections as the telephone system's AstDB has them; read when its connections come up. */
export function deflectionsOver(pbx: Pbx, directory: () => Directory, everyMs = 600_000): Deflections {
  const log = pino({ level: 'silent' });
  return createDeflections({ pbx, families: usualFamilies, directory, everyMs, log, now: Date.now });
}

/** A call model without calls. */
export function idleCalls(parts: Partial<Calls> = {}): Calls {
  return {
    apply: () => [],
    digest: () => [],
    expect: () => {},
    takes: () => {},
    parked: () => {},
    channel: () => undefined,
    channelsOf: () => [],
    channels: () => [],
    currentName: (id) => id,
    overlooks: () => false,
    remember: () => undefined,
    restore: () => [],
    deviceState: () => undefined,
    ...parts,
  };
}

/** A stream to a server that takes everything and says nothing. */
export function idleXmpp(parts: Partial<Xmpp> = {}): Xmpp {
  return {
    domain: 'pbx.example.org',
    state: { status: 'online', reason: '' },
    start: idle,
    stop: idle,
    onState: () => () => {},
    onIq: () => {},
    onPresence: () => {},
    onMessage: () => {},
    send: () => true,
    hasRoom: true,
    onRoom: () => {},
    confirm: idle,
    request: () => Promise.reject(new Error('nobody to ask')),
    ...parts,
  };
}

/** Presence that nobody watches. */
export function idlePresence(): Presence {
  return {
    apply: () => {},
    start: idle,
    stop: idle,
    disco: { info: [], items: [] },
    counters: { sent: 0, waiting: 0, watches: 0 },
  };
}
