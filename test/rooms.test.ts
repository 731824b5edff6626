import { describe, expect, it } from 'vitest';
import type { Channel, ListedRoom, PbxEvent } from '../src/pbx/events.ts';
import type { ChannelId } from '../src/pbx/pbx.ts';
import type { ConferenceChange } from '../src/rooms/changes.ts';
import { createRooms, maxTold } from '../src/rooms.ts';
import { createMemoryStore } from '../src/store/memory.ts';

const channelOf = (name: string): Channel => ({
  name: name as ChannelId,
  uniqueId: `id ${name}`,
  linkedId: name,
  state: 'up',
  callerNumber: '',
  callerName: '',
  connectedNumber: '',
  connectedName: '',
  context: 'internal',
  exten: '800',
});
const event =
  (type: 'conference-join' | 'conference-leave' | 'conference-mute' | 'conference-unmute') =>
  (name: string, conference = '800'): PbxEvent => ({ type, at: 1, channel: channelOf(name), conference });
const joins = event('conference-join');
const leaves = event('conference-leave');
const mutes = event('conference-mute');
const unmutes = event('conference-unmute');

/** Room 800 with these members; a `-` behind a name: muted. */
const room = (members: readonly string[], locked = false): ListedRoom => ({
  room: '800',
  locked,
  members: members.map((each) => ({ channel: channelOf(each.replace('-', '')), muted: each.endsWith('-') })),
});
const snapshot = (conferences?: readonly ListedRoom[], meanwhile: readonly PbxEvent[] = []): PbxEvent => ({
  type: 'snapshot',
  at: 7,
  snapshot: {
    channels: [],
    bridges: [],
    devices: new Map(),
    ...(conferences && { conferences }),
    meanwhile,
  },
});

function office(store = createMemoryStore()) {
  let rereads = 0;
  const told: ConferenceChange[] = [];
  const pbx = {
    reread: () => {
      rereads += 1;
    },
  };
  const rooms = createRooms({ store, pbx, now: () => 9 });
  rooms.onChange?.((changes) => {
    for (const change of changes) {
      if (change.kind === 'conference') told.push(change);
      rooms.told?.(change, true);
    }
    rooms.ask?.()();
  });
  const line = ({ type, room: name, channel }: ConferenceChange) => `${type} ${name} ${channel}`.trim();
  /** Tells of events, and nobody knows whether it arrives. */
  const says = (...events: readonly PbxEvent[]) =>
    events.flatMap((each) => {
      const changes = rooms.apply(each, []);
      for (const change of changes) rooms.told?.(change, true);
      return changes.flatMap((change) => (change.kind === 'conference' ? [line(change)] : []));
    });
  return {
    rooms,
    rereads: () => rereads,
    /** What was told without an event. */
    told: () => told.map(line),
    /** Tells of events, which arrives. */
    tells(...events: readonly PbxEvent[]) {
      const lines = says(...events);
      rooms.ask?.()();
      return lines;
    },
    says,
    /** To whom it is told. */
    reaches: (of: PbxEvent) =>
      rooms.apply(of, []).map((change) => (change.kind === 'conference' ? change.present : [])),
  };
}

describe('an event', () => {
  it('is told as it comes, also of who is not known', () => {
    const { tells } = office();
    const events = [joins('a'), mutes('a'), mutes('a'), unmutes('b'), leaves('a'), leaves('b')];
    expect(tells(...events)).toEqual([
      'join 800 a',
      'mute 800 a',
      'mute 800 a',
      'unmute 800 b',
      'leave 800 a',
      'leave 800 b',
    ]);
  });

  it('that says once more who is there is no news; who is elsewhere now has left', () => {
    const { tells } = office();
    expect(tells(joins('a'), joins('a'), joins('a', '801'))).toEqual([
      'join 800 a',
      'leave 800 a',
      'join 801 a',
    ]);
  });

  it('reaches those in the room, and the one who leaves', () => {
    const { tells, reaches } = office();
    tells(joins('a'), joins('x', '801'));
    expect(reaches(joins('b'))).toEqual([['a', 'b']]);
    expect(reaches(leaves('a'))).toEqual([['a', 'b']]);
    expect(reaches(mutes('b'))).toEqual([['b']]);
  });
});

describe('the whole state', () => {
  it('tells what differs, once', () => {
    const { tells } = office();
    tells(joins('a'), joins('b'), joins('c'), mutes('c'));
    const state = snapshot([room(['b-', 'c', 'd-'], true)]);
    expect(tells(state)).toEqual([
      'leave 800 a',
      'mute 800 b',
      'unmute 800 c',
      'join 800 d',
      'mute 800 d',
      'lock 800',
    ]);
    expect(tells(state)).toEqual([]);
  });

  it('that does not know of rooms says nothing of them; nobody there is another thing', () => {
    const { tells } = office();
    tells(joins('a'));
    expect(tells(snapshot())).toEqual([]);
    expect(tells(snapshot([]))).toEqual(['leave 800 a']);
  });

  it('tells those who left together of each other', () => {
    const { tells, reaches } = office();
    tells(joins('a'), joins('b'));
    expect(reaches(snapshot([]))).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it.each<[string, readonly string[], readonly PbxEvent[], readonly string[]]>([
    ['a list from before them', ['a'], [joins('b'), mutes('a'), leaves('a')], ['leave 800 a', 'join 800 b']],
    ['a list from after them', ['b'], [joins('b'), mutes('a'), leaves('a')], ['leave 800 a', 'join 800 b']],
    ['a list from between them', ['a-', 'b'], [joins('b'), mutes('a'), unmutes('a')], ['join 800 b']],
    ['who came and went', [], [joins('b'), leaves('b'), leaves('a')], ['leave 800 a']],
  ])('has on top of it what happened meanwhile: %s', (_, members, meanwhile, said) => {
    const { tells } = office();
    tells(joins('a'));
    expect(tells(snapshot([room(members)], meanwhile))).toEqual(said);
  });
});

describe('locks', () => {
  it('go with the last one in the room, without a word, and are told again in the next', () => {
    const { rooms, tells, told } = office();
    tells(joins('a'));
    rooms.lock('800', true, { channel: 'a' as ChannelId, number: '', name: '' });
    tells(leaves('a'), joins('b'));
    rooms.listed([{ room: '800', locked: false, members: [] }]);
    rooms.listed([{ room: '800', locked: true, members: [] }]);
    expect(told()).toEqual(['lock 800 a', 'lock 800']);
  });
});

describe('after a restart', () => {
  async function after(store = createMemoryStore()) {
    const before = office(store);
    await before.rooms.restore?.();
    before.tells(joins('a'), joins('b'), mutes('b'), joins('c'), leaves('c'));
    before.rooms.lock('800', true, { channel: 'a' as ChannelId, number: '', name: '' });
    const next = office(store);
    expect(await next.rooms.restore?.()).toEqual(['room 800 member id a', 'room 800 member id b']);
    return next;
  }

  it('nothing is told of what is as it was', async () => {
    const { tells, rereads } = await after();
    expect(tells(snapshot([room(['a', 'b-'], true)]))).toEqual([]);
    expect(rereads()).toBe(0);
  });

  it('what differs is told, and nothing of it is left for the bridge after it', async () => {
    const store = createMemoryStore();
    const { tells } = await after(store);
    expect(tells(snapshot([room(['b', 'd'])]))).toEqual([
      'leave 800 a',
      'unmute 800 b',
      'join 800 d',
      'unlock 800',
    ]);
    expect(tells(snapshot([]))).toEqual(['leave 800 b', 'leave 800 d']);
    expect(await store.loadFacts()).toEqual(new Map());
  });

  it('what was not told any more is told, and what was not confirmed once more', async () => {
    const store = createMemoryStore();
    const before = office(store);
    before.tells(joins('a'), joins('b'), joins('c'));
    before.says(mutes('b'), leaves('c'), joins('d'));
    // The XMPP server is away.
    for (const each of [leaves('a'), joins('e')]) before.rooms.apply(each, []);
    const next = office(store);
    await next.rooms.restore?.();
    expect(next.tells(snapshot([room(['b-', 'd', 'e'])]))).toEqual([
      'leave 800 a',
      'leave 800 c',
      'join 800 b',
      'mute 800 b',
      'join 800 d',
      'join 800 e',
    ]);
    const last = office(store);
    await last.rooms.restore?.();
    expect(last.tells(snapshot([room(['b-', 'd', 'e'])]))).toEqual([]);
  });

  it('who moved is where they are, in whatever order it was told', async () => {
    const store = createMemoryStore();
    const { rooms, tells } = office(store);
    tells(joins('a'));
    for (const change of rooms.apply(joins('a', '801'), []).toReversed()) rooms.told?.(change, true);
    rooms.ask?.()();
    expect(await office(store).rooms.restore?.()).toEqual(['room 801 member id a']);
  });

  it('a lock of a room that is no more is forgotten', async () => {
    const store = createMemoryStore();
    const { tells } = await after(store);
    tells(snapshot([]));
    expect(await store.loadFacts()).toEqual(new Map());
  });

  it('a store that comes late has the state read again, where it says more than is known', async () => {
    const store = createMemoryStore();
    office(store).tells(joins('a'));
    const late = office(store);
    late.tells(snapshot([room(['b'])]));
    await late.rooms.restore?.();
    expect(late.rereads()).toBe(1);
    expect(late.tells(snapshot([room(['b'])]))).toEqual(['leave 800 a']);
  });

  it('a bounded number is remembered', async () => {
    const store = createMemoryStore();
    const names = Array.from({ length: maxTold + 2 }, (_, n) => `c${n}`);
    office(store).tells(...names.map((each) => joins(each)));
    const next = office(store);
    await next.rooms.restore?.();
    expect(next.tells(snapshot([room(names)]))).toEqual(
      names.slice(maxTold).map((each) => `join 800 ${each}`),
    );
  });
});
