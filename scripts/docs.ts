/** `npm run docs`: writes the generated files. */

import { writeFileSync } from 'node:fs';
import { documentModules } from '../src/modules/document.ts';
import { modules } from '../src/modules/index.ts';
import { envExample } from './env-example.ts';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('docs/protocol.md', root), documentModules(modules));
writeFileSync(new URL('.env.example', root), envExample());
