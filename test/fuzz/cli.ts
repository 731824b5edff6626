/** `npm run fuzz -- --seed N --streams N --stanzas N`: by default 100,000 AMI streams and 1,000,000 IQs. */
import { writeFileSync } from 'node:fs';
import { createRandom, numberOption } from '../chaos/random.ts';
import { fuzzAmi, ReadOtherwise } from './ami.ts';
import { fuzzStanzas } from './stanzas.ts';

const seed = numberOption('seed', Date.now() % 1_000_000);
const streams = numberOption('streams', 100_000);
const stanzas = numberOption('stanzas', 1_000_000);
const random = createRandom(seed);
console.log(`seed ${seed}`);
try {
  for (let n = 0; n < streams; n++) fuzzAmi(random);
} catch (error) {
  if (!(error instanceof ReadOtherwise)) throw error;
  const file = `fuzz-${seed}.json`;
  writeFileSync(file, JSON.stringify(error.pieces.map((piece) => piece.toString('latin1'))));
  console.error(`${error.message}: the pieces are in ${file}, a byte a character`);
  process.exit(1);
}
console.log(`${streams} AMI streams: read the same in pieces`);
await fuzzStanzas(random, stanzas);
console.log(`${stanzas} IQs: each answered exactly once, no internal error`);
