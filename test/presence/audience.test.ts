import { describe, expect, test } from 'vitest';
import { createAudience, isOnline } from '../../src/presence/audience.ts';
import type { BareJid } from '../../src/protocol/jid.ts';

const phone = 'anna@pbx.example.org' as BareJid;
const other = 'carla@pbx.example.org' as BareJid;
const bernd = 'bernd@example.org' as BareJid;

function watched() {
  const audience = createAudience();
  audience.add(phone, bernd);
  return {
    audience,
    online: () => {
      const watcher = audience.watcher(bernd);
      return watcher !== undefined && isOnline(watcher);
    },
  };
}

describe('the audience', () => {
  test('knows pairs once, and forgets whom nobody watches', () => {
    const { audience } = watched();
    expect(audience.add(phone, bernd)).toBe(false);
    expect(audience.add(other, bernd)).toBe(true);
    expect([audience.size, audience.has(phone, bernd)]).toEqual([2, true]);
    expect(audience.delete(phone, bernd)).toBe(true);
    expect(audience.delete(phone, bernd)).toBe(false);
    expect(audience.contact(phone)).toBeUndefined();
    expect(audience.watcher(bernd)).toBeDefined();
    audience.delete(other, bernd);
    expect([audience.size, audience.watcher(bernd)]).toEqual([0, undefined]);
  });

  test('takes everybody for online of whom it does not know better', () => {
    const { audience, online } = watched();
    expect(online()).toBe(true);
    audience.arrived(bernd, 'desk', 1);
    audience.left(bernd, 'desk');
    expect(online()).toBe(true);
  });

  test('knows when the server has told of everybody', () => {
    const { audience, online } = watched();
    audience.arrived(bernd, 'old', 1);
    audience.settle('example.org', 2);
    expect(online()).toBe(false);
    expect(audience.arrived(bernd, 'desk', 3)).toBe(true);
    expect(audience.arrived(bernd, 'desk', 4)).toBe(false);
    expect(online()).toBe(true);
    audience.left(bernd, 'desk');
    expect(online()).toBe(false);
    audience.doubtAll();
    expect(online()).toBe(true);
    audience.settle('example.net', 5);
    expect(online()).toBe(true);
  });

  test('believes the server that an account has no resource at all', () => {
    const { audience, online } = watched();
    audience.arrived(bernd, 'desk', 1);
    audience.left(bernd, '');
    expect(online()).toBe(false);
  });

  test('keeps some resources of a watcher, those heard of last: nobody says of all that they have gone', () => {
    const { audience } = watched();
    for (let login = 0; login < 1000; login += 1) audience.arrived(bernd, `random-${login}`, login);
    const kept = [...(audience.watcher(bernd)?.resources.keys() ?? [])];
    expect(kept.length).toBeLessThan(100);
    expect(kept.at(-1)).toBe('random-999');
    audience.arrived(bernd, kept[0] ?? '', 1001);
    audience.arrived(bernd, 'one more', 1002);
    expect(audience.watcher(bernd)?.resources.has(kept[0] ?? '')).toBe(true);
  });
});
