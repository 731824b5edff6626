import { expect, test } from 'vitest';
import { createAudience } from '../../src/presence/audience.ts';
import { createDoubts } from '../../src/presence/doubts.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import type { Finding } from '../../src/xmpp/alive.ts';
import { until } from '../servers/until.ts';

const phone = 'anna@pbx.example.org' as BareJid;
const bernd = 'bernd@example.org' as BareJid;

/** Bernd watches from desk and laptop, both heard of at 0; `answers` are what is found out about them. */
function doubting(answers: Readonly<Record<string, Finding>>, sure = true) {
  const audience = createAudience();
  audience.add(phone, bernd);
  audience.arrived(bernd, 'desk', 0);
  audience.arrived(bernd, 'laptop', 0);
  if (sure) audience.settle('example.org', 0);
  const asked: string[] = [];
  const clock = { now: 0 };
  const doubt = createDoubts({
    xmpp: { state: { status: 'online', reason: '' } },
    asking: {
      async ask({ jid }) {
        asked.push(jid);
        return answers[jid.slice(jid.indexOf('/') + 1)] ?? 'unknown';
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
  const { asked, clock, doubt } = doubting({ desk: 'here', laptop: 'here' });
  clock.now = 999;
  doubt();
  expect(asked).toEqual([]);
  const unsure = doubting({}, false);
  unsure.clock.now = 2000;
  unsure.doubt();
  expect(unsure.asked).toEqual([]);
});

test('who is gone is forgotten, who is there stays', async () => {
  const { asked, clock, watcher, doubt } = doubting({
    desk: 'gone',
    laptop: 'here',
  });
  clock.now = 2000;
  doubt();
  doubt();
  await until('both are asked', () => asked.length === 2 && watcher.resources.size === 1);
  expect([...watcher.resources]).toEqual([['laptop', 2000]]);
});

test('a server that does not answer proves nothing', async () => {
  const { asked, clock, watcher, doubt } = doubting({ desk: 'unknown', laptop: 'unknown' });
  clock.now = 2000;
  doubt();
  await until('both are asked', () => asked.length === 2);
  expect(watcher.resources.size).toBe(2);
});
