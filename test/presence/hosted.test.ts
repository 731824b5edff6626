import { expect, test } from 'vitest';
import { createDirectory } from '../../src/directory.ts';
import { createAudience } from '../../src/presence/audience.ts';
import { createHosted } from '../../src/presence/hosted.ts';
import { createVisibility } from '../../src/presence/visibility.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { user } from '../modules/harness.ts';
import { keepLog } from '../xmpp/setup.ts';

const domain = 'pbx.example.org';

/** Anna and Bernd share a group, Carla is in none; there is room for `maxWatches` subscriptions. */
function hosting(maxWatches = 100) {
  const sales = { groups: new Set(['Sales']) };
  const directory = createDirectory([
    user('anna', '340', 'Anna', sales),
    user('bernd', '370', 'Bernd', sales),
    user('carla', '320', 'Carla'),
  ]);
  const audience = createAudience();
  const sent: string[] = [];
  const clock = { now: 0 };
  const log = keepLog();
  const hosted = createHosted({
    domain,
    directory: () => directory,
    audience,
    publisher: { present: () => 'busy' },
    visibility: createVisibility({ rule: 'group', domains: ['example.org'], list: [] }),
    store: createMemoryStore(),
    send: (stanza) => sent.push(stanza) > 0,
    monotonic: () => clock.now,
    maxWatches,
    log,
  });
  const jid = (text: string) => {
    const parsed = parseJid(text);
    if (parsed === undefined) throw new Error(`no JID: ${text}`);
    return parsed;
  };
  /** Sends a presence and returns what came back. */
  const take = (type: string, from: string, to: string) => {
    sent.length = 0;
    hosted.take({ type, from: jid(from), to: jid(to), id: undefined, element: xml('presence') });
    return [...sent];
  };
  return { take, audience, clock, log };
}

test.each(['probe', 'subscribe'])('%s: nobody finds out by it who works here', (type) => {
  const { take, audience } = hosting();
  for (const from of ['carla@example.org/desk', 'eve@elsewhere.org/desk']) {
    const [known, unknown] = ['anna', 'nobody'].map((name) =>
      take(type, from, `${name}@${domain}`).map((stanza) => stanza.replaceAll(name, 'X')),
    );
    expect(known).toHaveLength(1);
    expect(known).toEqual(unknown);
  }
  expect(audience.size).toBe(0);
});

test('strangers who ask faster than they are refused get no answer; who belongs here does', () => {
  const { take, clock } = hosting();
  let answers = 0;
  for (let count = 0; count < 10_000; count += 1) {
    const from = `eve${count}@host${count}.elsewhere.org`;
    answers += take(count % 2 === 0 ? 'subscribe' : 'probe', from, `anna@${domain}`).length;
  }
  expect(answers).toBeLessThanOrEqual(100);
  expect(take('subscribe', 'bernd@example.org/desk', `anna@${domain}`)).toHaveLength(2);
  clock.now += 1000;
  expect(take('subscribe', 'eve@elsewhere.org/desk', `anna@${domain}`)).toHaveLength(1);
});

test('one of ours who asks without end is answered slowly, and leaves the others what they need', () => {
  const { take, clock, audience } = hosting();
  let answers = 0;
  for (let count = 0; count < 30_000; count += 1)
    answers += take('probe', `bernd@example.org/${count}`, `anna@${domain}`).length;
  expect(answers).toBe(20_000);
  expect(take('subscribe', 'anna@example.org/desk', `bernd@${domain}`)).toHaveLength(2);
  expect(take('unsubscribe', 'bernd@example.org/desk', `anna@${domain}`)).toEqual([]);
  expect(audience.size).toBe(1);
  clock.now += 1000;
  expect(take('subscribe', 'bernd@example.org/desk', `anna@${domain}`)).toHaveLength(2);
});

test('where there is no room it is refused, and logged once', () => {
  const { take, log, audience } = hosting(1);
  expect(take('subscribe', 'bernd@example.org/desk', `anna@${domain}`)[0]).toContain("type='subscribed'");
  for (let count = 0; count < 10; count += 1)
    expect(take('subscribe', 'anna@example.org/desk', `bernd@${domain}`)[0]).toContain("type='unsubscribed'");
  expect(audience.size).toBe(1);
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});
