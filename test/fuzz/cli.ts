/** `npm run fuzz -- --seed N --streams N --actions N --stanzas N`: by default 100,000 AMI streams, 20,000 AMI actions and 1,000,000 IQs. */
import { createRandom, numberOption } from '../chaos/random.ts';
import { fuzzAmi } from './ami.ts';
import { fuzzControl } from './control.ts';
import { fuzzStanzas } from './stanzas.ts';

const seed = numberOption('seed', Date.now() % 1_000_000);
const streams = numberOption('streams', 100_000);
const actions = numberOption('actions', 20_000);
const stanzas = numberOption('stanzas', 1_000_000);
const random = createRandom(seed);
console.log(`seed ${seed}`);
for (let n = 0; n < streams; n++) fuzzAmi(random);
console.log(`${streams} AMI streams: read the same in pieces`);
await fuzzControl(random, actions);
console.log(`${actions} AMI actions: each answered through the noise`);
await fuzzStanzas(random, stanzas);
console.log(`${stanzas} IQs: each answered exactly once, no internal error`);
