/** `npm run fuzz -- --seed N --streams N --actions N --stanzas N`: by default 100,000 AMI streams, 20,000 AMI actions and 1,000,000 IQs. */
import { writeFileSync } from 'node:fs';
import { createRandom, numberOption } from '../chaos/random.ts';
import { fuzzAmi, ReadOtherwise } from './ami.ts';
import { fuzzControl } from './control.ts';
import { fuzzStanzas } from './stanzas.ts';

const seed = numberOption('seed', Date.now() % 1_000_000);
const streams = numberOption('streams', 100_000);
const actions = numberOption('actions', 20_000);
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
await fuzzControl(random, actions);
console.log(`${actions} AMI actions: each answered through the noise`);
await fuzzStanzas(random, stanzas);
console.log(`${stanzas} IQs: each answered exactly once, no internal error`);
