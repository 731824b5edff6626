import { readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** What a file imports: `imports` of ours relative to src, `packages` by name. */
function importsOf(file: string): { ours: string[]; packages: string[] } {
  const text = readFileSync(resolve(root, file), 'utf8');
  const all = [...text.matchAll(/(?:from|import)\s+'([^']+)'/g)].map(([, name = '']) => name);
  const ours = all.filter((name) => name.startsWith('.'));
  return {
    ours: ours.map((name) => relative(root, resolve(root, dirname(file), name))),
    packages: all.filter((name) => !name.startsWith('.')),
  };
}

/** Folder or file → what of ours it may import, besides its own folder. */
const may: Record<string, readonly string[]> = {
  protocol: ['errors.ts'],
  store: ['errors.ts', 'protocol/', 'log.ts', 'backoff.ts'],
  xmpp: ['errors.ts', 'protocol/', 'log.ts', 'backoff.ts'],
  pbx: ['errors.ts', 'protocol/', 'log.ts', 'backoff.ts', 'gated.ts'],
  calls: ['pbx/pbx.ts', 'pbx/events.ts'],
  queues: ['pbx/pbx.ts', 'pbx/events.ts'],
  'queue-people.ts': ['directory.ts', 'pbx/pbx.ts', 'queues/changes.ts', 'queues/queues.ts'],
  'missed.ts': [
    'calls/changes.ts',
    'directory.ts',
    'log.ts',
    'pbx/pbx.ts',
    'phonebook/numbers.ts',
    'protocol/',
    'queue-people.ts',
    'queues/changes.ts',
    'store/store.ts',
  ],
  'queueing.ts': [
    'directory.ts',
    'log.ts',
    'missed.ts',
    'models.ts',
    'modules/queue-event.ts',
    'pbx/pbx.ts',
    'phonebook/numbers.ts',
    'queue-people.ts',
    'queue-told.ts',
    'queues/',
    'store/store.ts',
  ],
  subscriptions: ['protocol/', 'store/store.ts'],
  'file-watch.ts': ['log.ts'],
  directory: [
    'directory.ts',
    'file-watch.ts',
    'errors.ts',
    'protocol/',
    'log.ts',
    'backoff.ts',
    'pbx/pbx.ts',
    'config/closest.ts',
    'calls/calls.ts',
    'calls/model.ts',
    'rules/pattern.ts',
    'rules/policy.ts',
  ],
  modules: [
    'backlog.ts',
    'protocol/',
    'errors.ts',
    'calls/calls.ts',
    'calls/changes.ts',
    'directory.ts',
    'pbx/pbx.ts',
    'sessions.ts',
    'changes.ts',
    'deflections.ts',
    'models.ts',
    'missed.ts',
    'queue-people.ts',
    'queues/changes.ts',
    'queues/queues.ts',
    'journal/entry.ts',
    'naming.ts',
    'rooms.ts',
    'rooms/',
    'monitor/monitor.ts',
    'monitor/record.ts',
    'archive/archive.ts',
    'archive/conversations.ts',
    'zone.ts',
    'transfer/transfer.ts',
    'phonebook/',
    'places/',
    'subscriptions/subscription.ts',
    'rules/',
    'webhook.ts',
  ],
  rules: ['directory.ts', 'errors.ts', 'calls/calls.ts', 'pbx/pbx.ts', 'rate.ts'],
  'publish.ts': [
    'backlog.ts',
    'modules/',
    'protocol/',
    'subscriptions/',
    'directory.ts',
    'changes.ts',
    'rules/rules.ts',
  ],
  rooms: ['pbx/pbx.ts', 'pbx/events.ts'],
  'rooms.ts': [
    'kept.ts',
    'models.ts',
    'modules/conference-event.ts',
    'pbx/pbx.ts',
    'rooms/',
    'unconfirmed.ts',
  ],
  'kept.ts': ['store/store.ts', 'unconfirmed.ts'],
  'unconfirmed.ts': [],
  'queue-told.ts': ['kept.ts', 'pbx/pbx.ts', 'queues/changes.ts', 'queues/queues.ts', 'unconfirmed.ts'],
  'parked.ts': [
    'calls/calls.ts',
    'calls/changes.ts',
    'changes.ts',
    'kept.ts',
    'log.ts',
    'models.ts',
    'modules/parking.ts',
    'pbx/pbx.ts',
    'pbx/events.ts',
    'store/store.ts',
  ],
  'webhook.ts': ['errors.ts'],
  'courtesy.ts': ['protocol/', 'rate.ts', 'xmpp/namespaces.ts', 'xmpp/xmpp.ts'],
  replay: [
    'pbx/',
    'calls/',
    'changes.ts',
    'phonebook/model.ts',
    'modules/define.ts',
    'directory.ts',
    'directory/discovered.ts',
    'protocol/',
  ],
  presence: [
    'protocol/',
    'errors.ts',
    'log.ts',
    'calls/calls.ts',
    'calls/changes.ts',
    'calls/presence.ts',
    'directory.ts',
    'deflections.ts',
    'pbx/pbx.ts',
    'pbx/events.ts',
    'store/store.ts',
    'xmpp/xmpp.ts',
    'rate.ts',
    'xmpp/alive.ts',
    'xmpp/disco.ts',
    'xmpp/namespaces.ts',
    'xmpp/privilege.ts',
    'xmpp/rosters.ts',
  ],
  places: ['directory.ts', 'errors.ts', 'log.ts', 'models.ts', 'pbx/pbx.ts', 'protocol/', 'store/store.ts'],
  'handover.ts': ['calls/calls.ts', 'calls/changes.ts', 'directory.ts', 'modules/channel-event.ts'],
  journal: [
    'backoff.ts',
    'calls/changes.ts',
    'database/',
    'directory.ts',
    'log.ts',
    'models.ts',
    'naming.ts',
    'pbx/pbx.ts',
    'protocol/',
    'store/page.ts',
    'store/store.ts',
    'zone.ts',
  ],
  'naming.ts': ['calls/changes.ts', 'directory.ts'],
  'deflections.ts': ['directory.ts', 'errors.ts', 'log.ts', 'models.ts', 'pbx/pbx.ts', 'pbx/events.ts'],
  phonebook: [
    'gated.ts',
    'rate.ts',
    'directory.ts',
    'file-watch.ts',
    'errors.ts',
    'log.ts',
    'models.ts',
    'protocol/',
    'xmpp/xmpp.ts',
  ],
  'dispatch.ts': [
    'modules/',
    'protocol/',
    'errors.ts',
    'directory.ts',
    'rate.ts',
    'rules/audit.ts',
    'xmpp/xmpp.ts',
  ],
  'backlog.ts': [],
  'confirming.ts': ['models.ts', 'publish.ts', 'told.ts', 'unconfirmed.ts'],
  'intake.ts': ['calls/calls.ts', 'calls/changes.ts', 'log.ts', 'pbx/events.ts'],
  database: [],
  'zone.ts': [],
  archive: ['errors.ts', 'protocol/', 'log.ts', 'database/'],
  transfer: ['errors.ts', 'protocol/', 'log.ts', 'xmpp/xmpp.ts'],
  monitor: [
    'errors.ts',
    'protocol/',
    'log.ts',
    'models.ts',
    'directory.ts',
    'calls/calls.ts',
    'calls/changes.ts',
    'pbx/pbx.ts',
    'pbx/events.ts',
    'rules/policy.ts',
    'store/page.ts',
    'store/store.ts',
  ],
  'mailboxes.ts': ['log.ts', 'models.ts', 'pbx/pbx.ts'],
  'told.ts': [
    'changes.ts',
    'unconfirmed.ts',
    'log.ts',
    'calls/',
    'modules/channel-event.ts',
    'modules/pickup-event.ts',
    'pbx/pbx.ts',
    'store/store.ts',
  ],
  'sessions.ts': ['errors.ts', 'protocol/', 'store/store.ts', 'subscriptions/'],
  'bridge.ts': [
    'modules/define.ts',
    'modules/offer.ts',
    'protocol/',
    'subscriptions/',
    'errors.ts',
    'confirming.ts',
    'dispatch.ts',
    'publish.ts',
    'sessions.ts',
    'changes.ts',
    'deflections.ts',
    'handover.ts',
    'places/',
    'models.ts',
    'intake.ts',
    'liveness.ts',
    'archive/archive.ts',
    'transfer/transfer.ts',
    'monitor/monitor.ts',
    'presence-request.ts',
    'presence/presence.ts',
    'phonebook/search.ts',
    'rate.ts',
    'rules/',
    'webhook.ts',
    'directory.ts',
    'told.ts',
    'calls/calls.ts',
    'calls/memory.ts',
    'pbx/pbx.ts',
    'pbx/events.ts',
    'store/store.ts',
    'xmpp/xmpp.ts',
  ],
};

/** Types and a counter, for whoever keeps something. */
const everywhere = 'bounds.ts';

const onlyIn: Record<string, readonly string[]> = {
  'csv-parse': ['journal/', 'phonebook/'],
  'csv-stringify': ['journal/'],
  'ical.js': ['phonebook/'],
  ldapts: ['phonebook/'],
  pg: ['database/'],
  mysql2: ['database/'],
  ltx: ['archive/'],
  '@xmpp/': ['xmpp/'],
  ioredis: ['store/'],
  'asterisk-manager': ['pbx/'],
};

describe('the house', () => {
  it.each(Object.entries(may))('%s imports only what it may', (part, allowed) => {
    const own = part.endsWith('.ts') ? part : `${part}/`;
    const members = files.filter((file) => file === own || file.startsWith(own));
    expect(members.length).toBeGreaterThan(0);
    for (const file of members) {
      for (const target of importsOf(file).ours) {
        const fine =
          target === everywhere ||
          target.startsWith(own) ||
          allowed.some((each) => target === each || (each.endsWith('/') && target.startsWith(each)));
        expect(fine, `${file} imports ${target}`).toBe(true);
      }
    }
  });

  it('keeps each library behind its adapter', () => {
    for (const file of files) {
      for (const name of importsOf(file).packages) {
        const [, homes] = Object.entries(onlyIn).find(([prefix]) => name.startsWith(prefix)) ?? [];
        const fine = homes === undefined || homes.some((home) => file.startsWith(home));
        expect(fine, `${file} imports ${name}`).toBe(true);
      }
    }
  });

  it('imports main from nowhere, and process only in main', () => {
    for (const file of files) {
      expect(importsOf(file).ours, file).not.toContain('main.ts');
      const text = readFileSync(resolve(root, file), 'utf8');
      if (file !== 'main.ts') expect(text, file).not.toMatch(/\bprocess\.(env|exit|on)\b(?!`)/);
    }
  });
});
