/** What the store says of things that clients were told of, at each moment at which a bridge may end. */

import { expect, it } from 'vitest';
import { z } from 'zod';
import { createKept } from '../src/kept.ts';
import { createMemoryStore } from '../src/store/memory.ts';

async function kept(max = 10) {
  const store = createMemoryStore();
  const options = { store, prefix: 'thing ', of: 'things', max, schema: z.string() };
  const made = createKept(options);
  await made.load();
  return {
    ...made,
    /** What a bridge that began now would find. */
    found: async () =>
      (await createKept(options).load()).map(({ id, thing, sure }) => `${id}: ${thing}${sure ? '' : '?'}`),
  };
}

it('is sure of what was told before the server was asked, and of nothing since', async () => {
  const { set, end, ask, found } = await kept();
  for (const id of ['a', 'b', 'c']) set(id, 'here', true);
  const [first, again] = [ask(), ask()];
  set('b', 'there', true);
  end('c', true);
  expect(await found()).toEqual(['a: here?', 'b: there?', 'c: here?']);
  first();
  expect(await found()).toEqual(['a: here', 'b: there?', 'c: here?']);
  again();
  expect(await found()).toEqual(['a: here', 'b: there?', 'c: here?']);
  ask()();
  expect(await found()).toEqual(['a: here', 'b: there']);
});

it('need not wait for what nobody heard, unless somebody heard what was before', async () => {
  const { set, end, ask, found } = await kept();
  set('a', 'here', false);
  set('b', 'here', true);
  set('b', 'there', false);
  expect(await found()).toEqual(['a: here', 'b: there?']);
  end('a', false);
  end('b', false);
  expect(await found()).toEqual(['b: there?']);
  // It is back, and its end may have been heard.
  set('b', 'here', false);
  expect(await found()).toEqual(['b: here?']);
  ask()();
  expect(await found()).toEqual(['b: here']);
});

it('makes room by what has ended, and has no more than its bound', async () => {
  const { set, end, found, bounds } = await kept(2);
  for (const id of ['a', 'b', 'c']) set(id, 'here', true);
  expect(await found()).toEqual(['a: here?', 'b: here?']);
  end('b', true);
  set('d', 'here', true);
  expect(await found()).toEqual(['a: here?', 'd: here?']);
  expect(bounds.map(({ held, exceeded }) => [held, exceeded])).toEqual([[2, 1]]);
});
