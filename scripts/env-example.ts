/** Makes `.env.example` from the table of settings. */

import { settings } from '../src/config/settings.ts';

const titles: Readonly<Record<keyof typeof settings, string>> = {
  xmpp: 'XMPP server',
  ami: 'Asterisk manager interface',
  pbx: 'Telephone system',
  presence: 'Telephone presence',
  directory: 'Users',
  phonebook: 'Phonebook',
  journal: 'Journal',
  queues: 'Missed calls of queues',
  store: 'Sessions and subscriptions',
  archive: 'Chat archive',
  recordings: 'Recordings of calls',
  http: 'Health and metrics',
  limits: 'Limits',
  log: 'Log',
};

const head = `# Settings of offhook. Copy to .env and edit. Made from src/config/settings.ts by "npm run docs".
# What must be set stands free; the others show their defaults.
# A secret can also be read from a file: NAME_FILE=/run/secrets/name instead of NAME=…
`;

/** The text of `.env.example`. */
export function envExample(): string {
  const groups = Object.entries(settings).map(([group, rows]) => {
    const title = Object.entries(titles).find(([name]) => name === group)?.[1] ?? group;
    return [`# --- ${title} ---`, ...Object.values(rows).map(show)].join('\n\n');
  });
  return `${[head, ...groups].join('\n')}\n`.replaceAll('\n# ---', '\n\n# ---').replaceAll(/\n{3,}/g, '\n\n');
}

interface Row {
  readonly env: string;
  readonly doc: string;
  readonly default: string | undefined;
  readonly example?: string;
}

function show({ env, doc, default: value, example = '' }: Row): string {
  return `# ${doc}\n${value === undefined ? `${env}=${example}` : `#${env}=${value}`}`;
}
