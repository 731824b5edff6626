import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TelephoneState } from '../../src/calls/presence.ts';
import { createDirectory } from '../../src/directory.ts';
import { createAudience } from '../../src/presence/audience.ts';
import { hostedVoices } from '../../src/presence/hosted.ts';
import { createPublisher } from '../../src/presence/publisher.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { user } from '../modules/harness.ts';

const domain = 'pbx.example.org';
const bare = (name: string) => `${name}@example.org` as BareJid;
const contact = (name: string) => `${name}@${domain}` as BareJid;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A publisher for these users; each is watched by name by those given. */
function office(watched: Readonly<Record<string, readonly string[]>>, perSecond = 1000) {
  const names = Object.keys(watched);
  const directory = createDirectory(names.map((name, at) => user(name, `${300 + at}`, name)));
  const audience = createAudience();
  for (const [name, watchers] of Object.entries(watched))
    for (const watcher of watchers) audience.add(contact(name), bare(watcher));
  const states = new Map<string, TelephoneState>();
  const sent: string[] = [];
  const link = { up: true, room: Number.POSITIVE_INFINITY };
  const publisher = createPublisher({
    audience,
    users: () => directory.users,
    user: (jid) => directory.byJid(jid),
    voices: (each) => hostedVoices(domain, each),
    stateOf: (each) => states.get(each.name) ?? 'free',
    online: () => link.up,
    send: (stanza) => {
      if (!link.up || sent.length >= link.room) return false;
      sent.push(stanza);
      return true;
    },
    onTold: () => {},
    onState: () => {},
    perSecond,
    gatherMs: 50,
    monotonic: () => performance.now(),
  });
  const set = (name: string, state: TelephoneState) => {
    states.set(name, state);
    publisher.changed(bare(name));
  };
  return { audience, directory, publisher, states, sent, link, set };
}

describe('what is told', () => {
  test('is one presence for a burst of events, and none where all ends as it began', () => {
    const { set, sent } = office({ anna: ['bernd'] });
    set('anna', 'free');
    vi.advanceTimersByTime(50);
    expect(sent).toEqual([`<presence from='anna@${domain}/phone' to='bernd@example.org'/>`]);
    set('anna', 'ringing');
    set('anna', 'busy');
    set('anna', 'free');
    vi.advanceTimersByTime(50);
    expect(sent).toHaveLength(1);
    set('anna', 'ringing');
    set('anna', 'busy');
    vi.advanceTimersByTime(50);
    expect(sent.slice(1)).toEqual([
      `<presence from='anna@${domain}/phone' to='bernd@example.org'><show>dnd</show><status>On the phone</status></presence>`,
    ]);
  });

  test('takes one timer, however many telephones change', () => {
    const { publisher } = office({ anna: ['bernd'], carla: ['bernd'] });
    for (let count = 0; count < 100; count += 1) publisher.changed(bare(count % 2 === 0 ? 'anna' : 'carla'));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(50);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('goes to each watcher who is online, once, and to nobody else', () => {
    const { set, sent, audience } = office({ anna: ['bernd', 'carla', 'dora'] });
    audience.arrived(bare('bernd'), 'a', 100);
    audience.arrived(bare('bernd'), 'b', 100);
    audience.settle('example.org', 100);
    audience.arrived(bare('dora'), 'a', 101);
    audience.left(bare('dora'), 'a');
    set('anna', 'busy');
    vi.advanceTimersByTime(50);
    expect(sent.map((stanza) => /to='([^']+)'/.exec(stanza)?.[1])).toEqual(['bernd@example.org']);
  });

  test('costs nothing while nobody looks', () => {
    const { set, sent } = office({ anna: [] });
    set('anna', 'busy');
    vi.advanceTimersByTime(50);
    expect(sent).toEqual([]);
  });

  test('is the same for newcomers as for the others, until both hear what is new', () => {
    const { set, publisher, states } = office({ anna: ['bernd'] });
    const [anna] = createDirectory([user('anna', '300', 'anna')]).users;
    if (anna === undefined) throw new Error('nobody');
    set('anna', 'busy');
    vi.advanceTimersByTime(50);
    states.set('anna', 'free');
    expect(publisher.present(anna)).toBe('busy');
    publisher.changed(anna.jid);
    vi.advanceTimersByTime(50);
    expect(publisher.present(anna)).toBe('free');
  });
});

describe('pace', () => {
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`user${at}`, Array.from({ length: 10 }, (_, n) => `w${n}`)]),
  );

  test('keeps to so many stanzas a second, and lets what just happened go first', () => {
    const { publisher, sent, set } = office(many, 200);
    publisher.sayAll();
    vi.advanceTimersByTime(50);
    expect(sent.length).toBeLessThanOrEqual(70);
    const before = sent.length;
    set('user99', 'busy');
    vi.advanceTimersByTime(500);
    expect(sent.slice(before).findIndex((stanza) => stanza.includes("from='user99@"))).toBeLessThan(11);
    vi.advanceTimersByTime(1000);
    expect(sent.length).toBeLessThanOrEqual(50 + 200 * 1.6 + 20);
    vi.advanceTimersByTime(10_000);
    expect(sent).toHaveLength(1000);
    expect(publisher.waiting).toBe(0);
  });

  test('waits where the server takes no more, and loses nothing', () => {
    const { publisher, sent, link } = office(many, 100_000);
    link.room = 105;
    publisher.sayAll();
    vi.advanceTimersByTime(200);
    expect(publisher.waiting).toBe(90);
    link.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(1000);
    const told = new Set(sent);
    expect(told.size).toBe(1000);
  });

  test('says nothing while the server is away, and all of it afterwards', () => {
    const { publisher, sent, link, set } = office({ anna: ['bernd'] });
    link.up = false;
    set('anna', 'busy');
    vi.advanceTimersByTime(1000);
    link.up = true;
    publisher.sayAll();
    vi.advanceTimersByTime(50);
    expect(sent).toHaveLength(1);
    publisher.sayAll();
    vi.advanceTimersByTime(50);
    expect(sent).toHaveLength(2);
  });
});

describe('the end', () => {
  test('is said for every telephone, the misleading ones first, and nothing after it', async () => {
    const { publisher, sent, set } = office({ anna: ['w'], bernd: ['w'], carla: ['w'], dora: ['w'] });
    set('anna', 'free');
    set('bernd', 'busy');
    set('carla', 'unavailable');
    set('dora', 'ringing');
    vi.advanceTimersByTime(50);
    sent.length = 0;
    expect(await publisher.stop(1000)).toBe(0);
    expect(sent.map((stanza) => /from='(\w+)@/.exec(stanza)?.[1])).toEqual(['bernd', 'dora', 'anna']);
    expect(sent.every((stanza) => stanza.startsWith("<presence type='unavailable'"))).toBe(true);
    set('anna', 'busy');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('comes in time even where the server takes nothing', async () => {
    const { publisher, link } = office({ anna: ['w'], bernd: ['w'] });
    link.room = 0;
    const left = publisher.stop(100);
    await vi.advanceTimersByTimeAsync(200);
    expect(await left).toBe(2);
  });

  test('is what newcomers are told from then on, for nobody would take anything else back', async () => {
    const { publisher, sent, set, directory } = office({ anna: ['w'] });
    const [anna] = directory.users;
    if (anna === undefined) throw new Error('no Anna');
    set('anna', 'busy');
    vi.advanceTimersByTime(50);
    expect(publisher.present(anna)).toBe('busy');
    await publisher.stop(1000);
    sent.length = 0;
    expect(publisher.present(anna)).toBe('unavailable');
    for (const voice of hostedVoices(domain, anna)) publisher.introduce(anna, voice);
    expect(sent).toEqual([]);
  });
});
