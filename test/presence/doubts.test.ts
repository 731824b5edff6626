import { expect, test } from 'vitest';
import { StanzaError } from '../../src/errors.ts';
import { createAudience } from '../../src/presence/audience.ts';
import { createDoubts } from '../../src/presence/doubts.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { until } from '../servers/until.ts';

const phone = 'anna@pbx.example.org' as BareJid;
const bernd = 'bernd@example.org' as BareJid;

/** Bernd watches from desk and laptop, both heard of at 0; `answers` are what pings come back with. */
function doubting(answers: Readonly<Record<string, StanzaError | 'pong'>>, sure = true) {
  const audience = createAudience();
  audience.add(phone, bernd);
  audience.arrived(bernd, 'desk', 0);
  audience.arrived(bernd, 'laptop', 0);
  if (sure) audience.settle('example.org', 0);
  const asked: string[] = [];
  const clock = { now: 0 };
  const doubt = createDoubts({
    xmpp: {
      state: { status: 'online', reason: '' },
      async request(to) {
        asked.push(to);
        const answer = answers[to.slice(to.indexOf('/') + 1)];
        if (answer instanceof Error) throw answer;
        return xml('iq');
      },
    },
    audience,
    trustMs: 1000,
    timeoutMs: 1000,
    atOnce: 2,
    monotonic: () => clock.now,
  });
  const watcher = audience.watcher(bernd);
  if (watcher === undefined) throw new Error('nobody watches');
  return { asked, clock, watcher, doubt: () => doubt(watcher) };
}

test('nobody is asked who was heard of lately, nor who counts as online anyway', () => {
  const { asked, clock, doubt } = doubting({ desk: 'pong', laptop: 'pong' });
  clock.now = 999;
  doubt();
  expect(asked).toEqual([]);
  const unsure = doubting({}, false);
  unsure.clock.now = 2000;
  unsure.doubt();
  expect(unsure.asked).toEqual([]);
});

test('who is gone is forgotten, who answers in any way stays', async () => {
  const { asked, clock, watcher, doubt } = doubting({
    desk: new StanzaError('service-unavailable', ''),
    laptop: new StanzaError('feature-not-implemented', ''),
  });
  clock.now = 2000;
  doubt();
  doubt();
  await until('both are asked', () => asked.length === 2 && watcher.resources.size === 1);
  expect([...watcher.resources]).toEqual([['laptop', 2000]]);
});

test('a server that does not answer proves nothing', async () => {
  const late = new StanzaError('remote-server-timeout', '');
  const { asked, clock, watcher, doubt } = doubting({ desk: late, laptop: late });
  clock.now = 2000;
  doubt();
  await until('both are asked', () => asked.length === 2);
  expect(watcher.resources.size).toBe(2);
});
