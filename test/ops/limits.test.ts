/** What docs/limits.md says is what the code does: every bound is there once, with its number, and with a metric that there is. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modules } from '../../src/modules/index.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { unstarted } from './unstarted.ts';

const root = new URL('../../', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), 'utf8');
const document = text('docs/limits.md');
const sources = new Map(
  readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, text(`src/${name}`)]),
);

/** The table. */
const rows = document
  .split('\n')
  .filter((line) => /^\| (?!-)/.test(line))
  .slice(1)
  .map((line) => {
    const [what = '', bound = '', then = '', metric = ''] = line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim());
    return { what, bound, then, metric };
  });

const written = (value: number) => value.toLocaleString('en-US');

/** The number that a constant of a source file is; undefined where it is none. */
function constant(source: string, name: string): number | undefined {
  const value = new RegExp(`\\b${name}(?: =|:) ([0-9_*][0-9_ *]*?) ?[;,}]`).exec(source)?.[1];
  return value?.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
}

/** Everything that counts for `offhook_held`, with its number where that is a constant. */
const bounds = [...sources].flatMap(([file, source]) =>
  [
    ...source.matchAll(
      /(?:(?:createBound|boundOfKeys)\(\s*|createKept\(\{\s*of: )'(\w+)',\s*(?:max: )?([\w.]+)/g,
    ),
  ].map(([, of = '', most = '']) => ({
    file,
    of,
    most: constant(source, most.slice(most.lastIndexOf('.') + 1)),
  })),
);

/** Bounds that nothing counts: by what the document calls them, the constants behind the numbers. */
const constants: Readonly<Record<string, readonly (readonly [file: string, name: string])[]>> = {
  'questions of a user to discovery, cards, time, ping': [
    ['courtesy.ts', 'perSecond'],
    ['courtesy.ts', 'burst'],
  ],
  'summed-up events about nothing that lasts': [['publish.ts', 'loose']],
  'events sent and not confirmed': [['publish.ts', 'unconfirmed']],
  'summed-up events about what has no end, e.g. entries of journals': [['publish.ts', 'lasting']],
  'one stanza out': [['xmpp/limits.ts', 'stanzaBytes']],
  'one stanza in': [
    ['xmpp/limits.ts', 'maxChars'],
    ['xmpp/limits.ts', 'maxDepth'],
  ],
  'IQs in the making': [['xmpp/limits.ts', 'maxOpenIqs']],
  'IQs of ours': [['xmpp/limits.ts', 'maxRequests']],
  sessions: [['assemble.ts', 'SESSIONS_PER_USER']],
  'subscriptions of a session': [['assemble.ts', 'SUBSCRIPTIONS_PER_SESSION']],
  'commands at a time': [['assemble.ts', 'COMMANDS_IN_FLIGHT']],
  'one message of the connection that acts': [['pbx/gate.ts', 'largest']],
  'one list of Asterisk': [['pbx/session.ts', 'mostListed']],
  'one action to Asterisk': [
    ['pbx/action.ts', 'maxLine'],
    ['pbx/action.ts', 'maxHeaders'],
  ],
  'channels that are followed': [['calls/world.ts', 'maxLegs']],
  'originated channels that are expected': [['calls/originate.ts', 'mostExpected']],
  'endpoints whose details are asked for one by one': [['pbx/endpoints.ts', 'maxDetails']],
  'events while the state is read': [['pbx/asterisk.ts', 'maxMeanwhile']],
  'events while a snapshot is taken in': [['intake.ts', 'waiting']],
  'events before the first directory is discovered': [['intake.ts', 'waiting']],
  'ended channels remembered': [['calls/world.ts', 'remembered']],
  'extensions asked where families cannot be listed': [['deflections.ts', 'maxSingle']],
  'keys asked one by one where families cannot be listed': [['places/board.ts', 'maxSingle']],
  'what rings for a person, in the AstDB': [['places/ring.ts', 'maxValue']],
  'missed calls that a call back may settle': [['missed.ts', 'readBack']],
  'reasons why calls left queues': [['queues/leaving.ts', 'patience']],
  'sections of a recorded call': [['monitor/sections.ts', 'MAX_SECTIONS']],
  'people in a section, channels in a record': [
    ['monitor/record.ts', 'MAX_HEARD'],
    ['monitor/record.ts', 'MAX_LEGS'],
  ],
  'entries of a user in the list of recordings': [['models.ts', 'RECORDS_PER_USER']],
  'one search': [['archive/sql-archive.ts', 'candidates']],
  'one message in the chat archive': [['archive/schema.ts', 'longest']],
  'searches in the chat archive': [['archive/sql-archive.ts', 'atOnce']],
  'call records that are read after a gap': [['journal/cdr-database.ts', 'most']],
  'readings of call records that fail': [['journal/completion.ts', 'tries']],
  "channels of a user's part in a call": [['journal/parts.ts', 'mostLegs']],
  'files on their way to clients': [['transfer/transfer.ts', 'perUser']],
  'channels of users that are remembered for the next bridge': [['told.ts', 'maxTold']],
  'sessions asked whether they are still there': [['assemble.ts', 'PINGS_PER_SECOND']],
  'resources of a watcher, clients of a user whose status counts': [
    ['presence/audience.ts', 'maxResources'],
    ['presence/follow.ts', 'maxStatuses'],
  ],
  "a user's questions for telephones' presence; users who are remembered for it": [
    ['presence/hosted.ts', 'keys'],
  ],
  'watchers asked whether they are still there': [['presence/presence.ts', 'pingsAtOnce']],
  'telephones put into one roster': [['presence/presence.ts', 'maxOffers']],
  'users whose calls a minute are counted': [['rules/rules.ts', 'remembered']],
  'webhook of a custom action; its arguments': [['modules/custom.ts', 'maxArguments']],
  'entries of a table in Redis': [['store/redis-load.ts', 'mostEntries']],
  'entries that go from a book in one step; books swept at a time': [
    ['store/redis-ledger.ts', 'mostGone'],
    ['store/redis-ledger.ts', 'sweepCount'],
  ],
  'quarters of an hour whose time zone is remembered': [['zone.ts', 'maxOffsets']],
};

/** Rows whose bounds are times, sizes in other units, or follow from others: whoever changes these looks for them here. */
const byHand: readonly string[] = [
  'a recorded channel by itself',
  'answer of SQLite',
  'answers waiting; requests of ours waiting',
  'connection to the XMPP server that was given up',
  'events waiting for the XMPP server',
  'events waiting, one event to very many',
  'offer of a file, upload of a file',
  'one AMI message, one line',
  "one answer of ejabberd's API",
  'phonebook: LDAP',
  'phonebook: a person',
  'phonebook: its file, one line, one card',
  'phonebook: one query, one answer',
  'phonebook: vCards',
  'places; devices of one',
  'queues read again after a doubt',
  'queues that follow who changes places',
  'searches of a user (XEP-0055)',
  "strangers' requests for presence; those for the component's own",
  'streams to clients, all together',
  'things summed up',
  'wait for the file of a recording',
  'what AMI messages said last, to compare',
  'what is noted beside a recording',
];

/** Constants called so that bound one text or reading, or what is in a row by hand. */
const others: readonly string[] = [
  'database/sqlite.ts maxBytes',
  'monitor/notes.ts MAX_BOOKED',
  'monitor/shelf.ts maxSidecarBytes',
  'pbx/filter.ts maxPattern',
  'pbx/lazy.ts mostMessages',
  'presence/follow.ts maxNote',
  'replay/redact.ts maxMessage',
];

describe('docs/limits.md', () => {
  it('names each bound once, says what happens at it, and what shows it', () => {
    expect(rows.length).toBeGreaterThan(80);
    expect(new Set(rows.map(({ what }) => what)).size).toBe(rows.length);
    for (const { what, bound, then, metric } of rows) {
      expect([what, bound, then, metric]).not.toContain('');
      expect(metric, what).toMatch(/^(fixed|answer|log|store|(`offhook_\w+(\{[^}]+\})?`(, )?)+)$/);
    }
  });

  it('has everything that is counted, with its number', () => {
    expect(bounds.length).toBeGreaterThan(25);
    expect(new Set(bounds.map(({ of }) => of)).size).toBe(bounds.length);
    for (const { file, of, most } of bounds) {
      const row = rows.find(({ metric }) => metric.includes(`offhook_held{of="${of}"}`));
      expect(row, `${of} of ${file} is not in docs/limits.md`).toBeDefined();
      if (most !== undefined) expect(row?.bound, `${of} of ${file}`).toContain(written(most));
    }
    const known = new Set(bounds.map(({ of }) => of));
    const told = [...document.matchAll(/offhook_held\{of="(\w+)"\}/g)].map(([, of = '']) => of);
    expect(told.filter((of) => !known.has(of))).toEqual([]);
  });

  it('has the numbers that the code has', () => {
    for (const [what, behind] of Object.entries(constants)) {
      const row = rows.find((each) => each.what === what);
      expect(row, what).toBeDefined();
      for (const [file, name] of behind) {
        const value = constant(sources.get(file) ?? '', name);
        expect(value, `${file}: ${name}`).toBeTypeOf('number');
        expect(row?.bound, `${what} (${file}: ${name})`).toContain(written(value ?? 0));
      }
    }
  });

  it('has no row that nothing above proves, but those that are named here', () => {
    const proven = rows.filter(
      ({ what, bound, metric }) =>
        metric.includes('offhook_held') || what in constants || /`[A-Z_]{5,}`/.test(bound),
    );
    expect(
      rows
        .filter((row) => !proven.includes(row))
        .map(({ what }) => what)
        .sort(),
    ).toEqual([...byHand].sort());
  });

  it('knows every constant that is called a maximum', () => {
    const known = new Set([
      ...Object.values(constants).flatMap((behind) => behind.map(([file, name]) => `${file} ${name}`)),
      ...[...sources].flatMap(([file, source]) =>
        [...source.matchAll(/(?:createBound\(\s*|createKept\(\{\s*of: )'\w+',\s*(?:max: )?(\w+)/g)].map(
          ([, name = '']) => `${file} ${name}`,
        ),
      ),
    ]);
    const found = [...sources].flatMap(([file, source]) =>
      [...source.matchAll(/^(?:export )?const ((?:max|MAX_|most)\w+) =/gm)].map(
        ([, name = '']) => `${file} ${name}`,
      ),
    );
    expect(found.filter((each) => !known.has(each)).sort()).toEqual([...others].sort());
  });

  it('has the defaults that the settings have', () => {
    const settings = sources.get('config/settings.ts') ?? '';
    const named = rows.flatMap(({ bound }) => [...bound.matchAll(/`([A-Z][A-Z_]{4,})`(?: \(([\d,]+)\))?/g)]);
    expect(named.length).toBeGreaterThan(10);
    for (const [, name = '', number] of named) {
      const from = settings.indexOf(`env: '${name}'`);
      expect(from, name).toBeGreaterThan(0);
      if (number === undefined) continue;
      expect(/default: '(.*)'/.exec(settings.slice(from))?.[1], name).toBe(number.replaceAll(',', ''));
    }
  });
});

/** What a running bridge serves: families, with the names of their labels and the values that are there from the beginning. */
async function served() {
  const metrics = createMetrics(modules);
  metrics.watch(unstarted());
  const page = await metrics.text();
  const families = new Set([...page.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name));
  return { page, families };
}

/** Labels of the histograms, which have no lines before something was measured. */
const measured: Readonly<Record<string, readonly string[]>> = {
  offhook_command_seconds: ['module', 'command', 'outcome'],
  offhook_action_seconds: ['action', 'outcome'],
  offhook_event_seconds: [],
};

describe.each([
  'docs/limits.md',
  'docs/metrics.md',
  'docs/operating.md',
  'docs/performance.md',
  'README.md',
  'deploy/grafana/offhook.json',
])('%s', (path) => {
  it('speaks of metrics that there are, with labels that they have', async () => {
    const { page, families } = await served();
    for (const [, name = '', labels = ''] of text(path)
      .replaceAll('\\"', '"')
      .matchAll(/\b(offhook_\w+)(?:\{([^}]*)\})?/g)) {
      if (name.endsWith('_')) continue;
      const family = families.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      expect(families, `${path}: ${name}`).toContain(family);
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        const known = measured[family];
        if (known !== undefined) expect(known, `${path}: ${name}`).toContain(label);
        // Bounds of what this bridge has none of are in the test above.
        else if (label !== 'of')
          expect(page, `${path}: ${name}`).toMatch(new RegExp(`^${name}\\{[^}]*${label}="${value}"`, 'm'));
      }
    }
  });
});

it('the dashboard draws every family', async () => {
  const { families } = await served();
  const drawn = text('deploy/grafana/offhook.json');
  expect([...families].filter((name) => name.startsWith('offhook_') && !drawn.includes(name))).toEqual([]);
});
