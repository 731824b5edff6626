import { expect, it } from 'vitest';
import { createRandom } from './chaos/random.ts';
import { fuzzAmi } from './fuzz/ami.ts';
import { fuzzControl } from './fuzz/control.ts';
import { fuzzStanzas } from './fuzz/stanzas.ts';

// `npm run fuzz` does more of all.
it('reads any bytes the same however they are cut', () => {
  const random = createRandom(1);
  for (let n = 0; n < 500; n++) expect(() => fuzzAmi(random)).not.toThrow();
});

it('acts on through any noise', async () => {
  await expect(fuzzControl(createRandom(1), 500)).resolves.toBeUndefined();
});

it('answers every IQ exactly once', async () => {
  await expect(fuzzStanzas(createRandom(1), 5000)).resolves.toBeUndefined();
});
