import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDiscoveredDirectory, fromEndpoints } from '../src/directory/discovered.ts';
import { createFileDirectory, DirectoryFileError } from '../src/directory/file.ts';
import { parseDirectory } from '../src/directory/parse.ts';
import type { Directory, DirectorySource } from '../src/directory.ts';
import type { DeviceName, PbxEndpoint, PbxState } from '../src/pbx/pbx.ts';
import { type BareJid, parseJid } from '../src/protocol/jid.ts';
import { until } from './servers/until.ts';

const domains = ['example.org', 'example.net'];
const lines: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
beforeEach(() => {
  lines.length = 0;
});

function bare(text: string): BareJid {
  const jid = parseJid(text);
  if (jid === undefined) throw new Error(`no JID: ${text}`);
  return jid.bare;
}

/** Device names come from the telephone system; tests make theirs as its adapter does. */
const device = (name: string) => name as DeviceName;

function directoryOf(yaml: string): Directory {
  const parsed = parseDirectory(yaml, domains);
  if (!parsed.ok) throw new Error(parsed.mistakes.map(({ text }) => text).join('\n'));
  return parsed.directory;
}

/** `line:column text` of each mistake. */
function mistakesOf(yaml: string): string[] {
  const parsed = parseDirectory(yaml, domains);
  return parsed.ok ? [] : parsed.mistakes.map(({ line, column, text }) => `${line}:${column} ${text}`);
}

describe('a directory file', () => {
  test('needs a name and an extension of each user, the rest follows', () => {
    const user = directoryOf('users: [{ name: TWeber, extension: 0340 }]').users[0];
    expect(user).toMatchObject({
      name: 'TWeber',
      jid: 'tweber@example.org',
      fullName: 'TWeber',
      extension: '0340',
      devices: [],
      mailbox: '',
      faxExtension: '',
      queues: [],
      roles: new Set(['xmpp.connect']),
      location: 'TWeber',
      context: undefined,
      language: '',
    });
  });

  test('as shipped is found by everything', () => {
    const example = join(import.meta.dirname, '..', 'deploy', 'users.example.yaml');
    const directory = directoryOf(readFileSync(example, 'utf8'));
    const [weber, meyer] = directory.users;
    expect(directory.byJid(bare('tweber@example.org'))).toBe(weber);
    expect(directory.byJid(bare('maria.meyer@example.org'))).toBe(meyer);
    expect(directory.byName('MMeyer')).toBe(meyer);
    expect(directory.byExtension('340')).toBe(weber);
    expect(directory.byDevice(device('PJSIP/340-soft'))).toEqual({ user: weber, device: weber?.devices[1] });
    expect(directory.byDeviceName('Desk 340')?.device).toBe(weber?.devices[0]);
    expect(directory.settings.get('sys.asterisk.dialplan.global.voicebox.own.value')).toBe('*100');
    expect(weber?.queues).toEqual([{ name: 'support', penalty: 1, dynamic: true }]);
    expect([...directory.policy.pauseReasons]).toEqual([
      ['lunch', 'Lunch break'],
      ['meeting', 'Meeting'],
    ]);
    expect(weber?.devices[0]?.capabilities).toEqual(
      new Set(['dial', 'hangup', 'transfer', 'hold', 'offhook']),
    );
    expect(meyer?.roles).toEqual(new Set(['xmpp.connect', 'xmpp.group', 'xmpp.supervisor']));
    expect(meyer?.ids).toMatchObject({ user: 12, account: 12, extension: 37 });
  });

  test('tells the device of a channel by its whole name', () => {
    const directory = directoryOf(`
users:
  - { name: a, extension: 340, devices: [{ name: A, device: PJSIP/340 }, { name: A soft, device: PJSIP/340-soft }] }`);
    expect(directory.deviceOfChannel('PJSIP/340-0000001c')).toBe('PJSIP/340');
    expect(directory.deviceOfChannel('PJSIP/340-soft-0000001d')).toBe('PJSIP/340-soft');
    for (const other of [
      'PJSIP/trunk-00000001',
      'PJSIP/340',
      'Local/340@internal-00000001;1',
      'pjsip/340-1',
      '',
    ]) {
      expect(directory.deviceOfChannel(other), other).toBeUndefined();
    }
  });

  test('knows nobody by the names that every object has', () => {
    const directory = directoryOf('users: []');
    for (const name of ['constructor', '__proto__', 'toString'])
      expect(directory.byName(name)).toBeUndefined();
  });

  test('has the same version for the same content only', () => {
    const one = directoryOf('users: [{ name: a, extension: 1 }]');
    expect(directoryOf('# the same\nusers:\n  - extension: "1"\n    name: a').version).toBe(one.version);
    expect(directoryOf('users: [{ name: a, extension: 1, groups: [x] }]').version).not.toBe(one.version);
  });

  test('derives ids from the JID: positive, 31 bits, unique, the same whoever else is listed', () => {
    const rows = Array.from(
      { length: 3000 },
      (_, number) => `  - { name: u${number}, extension: ${number} }`,
    );
    const all = directoryOf(`users:\n${rows.join('\n')}`).users;
    expect(new Set(all.map(({ ids }) => ids.user)).size).toBe(3000);
    expect(all.every(({ ids }) => Object.values(ids).every((id) => id > 0 && id <= 0x7fffffff))).toBe(true);
    const alone = directoryOf('users: [{ name: u77, extension: 5 }]').users[0];
    expect(alone?.ids).toEqual(all[77]?.ids);
  });

  test('gives no derived id that the file gives to another', () => {
    const id = directoryOf('users: [{ name: a, extension: 1 }]').users[0]?.ids.user;
    const [a, b] = directoryOf(
      `users: [{ name: a, extension: 1 }, { name: b, extension: 2, ids: { user: ${id} } }]`,
    ).users;
    expect(b?.ids.user).toBe(id);
    expect(a?.ids.user).not.toBe(id);
  });
});

describe('mistakes in a directory file', () => {
  test('are told all at once, with line, column, path, what was expected and what was got', () => {
    expect(
      mistakesOf(`users:
  - name: two words
    extension: abc
    jid: nobody
    devices:
      - name: Desk
        devcie: PJSIP/1
        capabilities: [dial, fly]
    roles: supervisor
    ids: { user: 0 }
  - extension: 12
    language: german language
  - just text
settings: { own: call me }
colour: red
`),
    ).toEqual([
      '2:11 users[0].name: expected one word without blanks, "@" and "/", got "two words"',
      '3:16 users[0].extension: expected digits (also * and #), at most 20, got "abc"',
      '4:10 users[0].jid: expected a JID without resource, such as tweber@example.org, got "nobody"',
      '6:9 users[0].devices[0].device: expected technology and endpoint, such as PJSIP/340; it is missing',
      '7:9 users[0].devices[0].devcie: unknown key, did you mean "device"?',
      '8:30 users[0].devices[0].capabilities[1]: expected one of dial, hangup, hold, transfer, offhook, conference, got "fly"',
      '9:12 users[0].roles: expected a list, got "supervisor"',
      '10:18 users[0].ids.user: expected a whole number from 1 to 2147483647, got "0"',
      '11:5 users[1].name: expected text; it is missing',
      '12:15 users[1].language: expected a language tag, such as de or en-GB, got "german language"',
      '13:5 users[2]: expected a user: name, extension, …, got "just text"',
      '14:18 settings.own: expected a number: digits, * and #, with or without a leading +, got "call me"',
      '15:1 colour: unknown key, known here: users, places, settings, rules, actions, customData',
    ]);
  });

  test('include duplicates, with both lines, beside others', () => {
    expect(
      mistakesOf(`users:
  - { name: a, extension: 1, devices: [{ name: Desk, device: PJSIP/1 }], ids: { user: 7 } }
  - { name: A, extension: 1, devices: [{ name: Desk, device: PJSIP/1 }], ids: { user: 7 } }
  - { name: c, extension: 3, jid: A@Example.ORG }
  - { name: d, extension: x }
`),
    ).toEqual([
      '3:13 users[1].name: "A" is taken already by users[0].name (line 2)',
      '3:27 users[1].extension: "1" is taken already by users[0].extension (line 2)',
      '3:48 users[1].devices[0].name: "Desk" is taken already by users[0].devices[0].name (line 2)',
      '3:62 users[1].devices[0].device: "PJSIP/1" is taken already by users[0].devices[0].device (line 2)',
      '3:87 users[1].ids.user: "7" is taken already by users[0].ids.user (line 2)',
      '4:35 users[2].jid: "A@Example.ORG" is taken already by users[0].name (line 2)',
      '5:27 users[3].extension: expected digits (also * and #), at most 20, got "x"',
    ]);
  });

  test('include a JID of a foreign domain', () => {
    expect(mistakesOf('users: [{ name: a, extension: 1, jid: a@evil.example }]')).toEqual([
      '1:39 users[0].jid: expected the domain example.org or example.net (XMPP_USER_DOMAINS), got "evil.example"',
    ]);
  });

  test.each([
    ['users: [', /^1:9 YAML: /],
    ['users: []\nusers: []', /^2:1 YAML: .*unique/],
    ['users: [*nobody]', /^1:\d+ YAML: .*nobody/],
    ['', /^1:1 expected the keys users, places, settings, rules, actions and customData/],
    ['- a', /^1:1 expected the keys users, places, settings, rules, actions and customData, got a list/],
    ['users:', /^1:\d+ users: expected a list, got nothing/],
    [
      'users: [{ name: a, extension: 1, devices: [{ name: x, device: "PJSIP/1&PJSIP/2" }] }]',
      /device: expected technology/,
    ],
    [
      'users: [{ name: a, extension: 1, devices: [{ name: x, device: "PJSIP/1\\r\\nA: b" }] }]',
      /device: expected technology/,
    ],
    ['users: [{ name: a, extension: ٣٤٠ }]', /extension: expected digits/],
  ])('%j', (yaml, expected) => {
    const mistakes = mistakesOf(yaml);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(expected);
  });

  test('include aliases that multiply without bound', () => {
    const bomb = Array.from(
      { length: 9 },
      (_, n) => `a${n}: &a${n} [${n ? Array(9).fill(`*a${n - 1}`) : 'x'}]`,
    ).join('\n');
    expect(mistakesOf(bomb).join()).toContain('alias');
  });
});

describe('a directory file that changes', () => {
  let folder: string;
  let path: string;
  let source: DirectorySource;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'offhook-directory-'));
    path = join(folder, 'users.yaml');
  });
  afterEach(async () => {
    await source.stop();
    rmSync(folder, { recursive: true });
  });

  const one = (name: string) => `users: [{ name: ${name}, extension: 1 }]\n`;
  const names = () => source.current.users.map((user) => user.name).join();

  async function begin(options: { readonly path?: string; readonly pollMs?: number } = {}) {
    source = createFileDirectory({ path, domains, log, settleMs: 10, pollMs: 60_000, ...options });
    await source.start();
  }

  test('is read when it is written in place, and listeners get the new and the previous one', async () => {
    writeFileSync(path, one('first'));
    await begin();
    const changes: string[] = [];
    source.onChange((now, before) => changes.push(`${before.users[0]?.name} -> ${now.users[0]?.name}`));
    writeFileSync(path, one('second'));
    await until('the new version', () => names() === 'second');
    expect(changes).toEqual(['first -> second']);
  });

  test('is read when an editor puts another file in its place', async () => {
    writeFileSync(path, one('first'));
    await begin();
    for (const name of ['second', 'third']) {
      writeFileSync(`${path}.new`, one(name));
      renameSync(`${path}.new`, path);
      await until(`the version ${name}`, () => names() === name);
    }
  });

  test('is read when a link above it is swapped, as mounted configuration is', async () => {
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'users.yaml'), one(version));
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync(join('..data', 'users.yaml'), path);
    await begin();
    symlinkSync('v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await until('the new version', () => names() === 'v2');
  });

  test('is read where nothing tells of changes, by looking', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    const real = join(folder, 'elsewhere', 'users.yaml');
    writeFileSync(real, one('first'));
    symlinkSync(real, path);
    await begin({ pollMs: 20 });
    writeFileSync(real, one('second'));
    await until('the new version', () => names() === 'second');
  });

  test('is refused with one log line a mistake while the old version stays, until it is right again', async () => {
    writeFileSync(path, one('first'));
    await begin();
    writeFileSync(path, 'users:\n  - { name: second, extension: x }\n  - { name: third }\n');
    await until('the refusal', () => lines.some((line) => line.includes('refused')));
    const texts = lines
      .map((line) => String(JSON.parse(line).msg))
      .filter((text) => text.includes('users.yaml:'));
    expect(texts).toEqual([
      `${path}:2:32: users[0].extension: expected digits (also * and #), at most 20, got "x"`,
      `${path}:3:5: users[1].extension: expected digits, such as 340; it is missing`,
    ]);
    expect(names()).toBe('first');
    writeFileSync(path, one('fourth'));
    await until('the right version', () => names() === 'fourth');
  });

  test('may vanish and come back', async () => {
    writeFileSync(path, one('first'));
    await begin();
    rmSync(path);
    await until('the complaint', () => lines.some((line) => line.includes('cannot be read (ENOENT)')));
    expect(names()).toBe('first');
    writeFileSync(path, one('second'));
    await until('the new version', () => names() === 'second');
  });

  test('keeps a wrong or missing one from starting', async () => {
    await expect(begin()).rejects.toThrow(`${path}: cannot be read (ENOENT)`);
    writeFileSync(path, 'users: 1');
    await expect(begin()).rejects.toThrow(DirectoryFileError);
  });
});

describe('a discovered directory', () => {
  const endpoint = (name: string, more: Partial<PbxEndpoint> = {}): PbxEndpoint => ({
    device: device(name),
    fullName: '',
    extension: '',
    mailbox: '',
    ...more,
  });

  test('has a user for each extension, whose JID is the extension at the domain', () => {
    const directory = fromEndpoints(
      [
        endpoint('PJSIP/phone-a', { extension: '340', mailbox: '340@default' }),
        endpoint('PJSIP/trunk'),
        endpoint('PJSIP/370', { fullName: 'Maria Meyer' }),
        endpoint('PJSIP/soft-a', { extension: '340', fullName: 'Thomas Weber' }),
        endpoint('PJSIP/odd', { extension: 'not/a number' }),
      ],
      'example.org',
    );
    expect(directory.users.map(({ jid, fullName, mailbox }) => [jid, fullName, mailbox])).toEqual([
      ['340@example.org', 'Thomas Weber', '340@default'],
      ['370@example.org', 'Maria Meyer', ''],
    ]);
    expect(directory.byExtension('340')?.devices.map((one) => one.device)).toEqual([
      'PJSIP/phone-a',
      'PJSIP/soft-a',
    ]);
    expect(directory.byDevice(device('PJSIP/370'))?.user.name).toBe('370');
  });

  test('is made anew at each reconnect, and again after a failed listing', async () => {
    let endpoints: PbxEndpoint[] = [];
    let failures = 0;
    let state: PbxState = { control: false, feed: false, reason: 'away' };
    const listeners = new Set<(state: PbxState) => void>();
    const pbx = {
      get state() {
        return state;
      },
      onState: (listener: (state: PbxState) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      endpoints: async () => {
        if (failures-- > 0) throw new Error('no answer');
        return endpoints;
      },
    };
    const become = (control: boolean) => {
      state = { control, feed: control, reason: '' };
      for (const listener of listeners) listener(state);
    };
    const source = createDiscoveredDirectory({ pbx, domain: 'example.org', log, retryMs: 5 });
    await source.start();
    expect(source.current.users).toEqual([]);
    endpoints = [endpoint('PJSIP/340')];
    failures = 2;
    become(true);
    await until('the first listing', () => source.current.byExtension('340'));
    expect(lines.filter((line) => line.includes('no answer'))).toHaveLength(2);
    become(false);
    endpoints = [endpoint('PJSIP/370')];
    expect(source.current.users).toHaveLength(1);
    become(true);
    await until('the second listing', () => source.current.byExtension('370'));
    expect(source.current.byExtension('340')).toBeUndefined();
    await source.stop();
    expect(listeners.size).toBe(0);
  });
});

describe('places', () => {
  const parse = (places: string) =>
    parseDirectory(
      `users:\n  - { name: anna, extension: 340, devices: [{ name: Desk, device: PJSIP/340, queue: { delay: 5 } }] }\nplaces:\n${places}`,
      undefined,
    );

  test('come with their devices, times and who may sit there', () => {
    const parsed = parse(
      '  - { name: Desk 1, devices: [{ name: D1, device: PJSIP/desk1, external: { delay: 3, timeout: 9 } }] }\n' +
        '  - { name: Front, devices: [], users: [Anna], groups: [Sales] }\n',
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
    const { directory } = parsed;
    expect(directory.place('Desk 1')).toMatchObject({
      devices: [{ device: 'PJSIP/desk1', rings: { external: { delay: 3, timeout: 9 } } }],
      open: undefined,
    });
    expect(directory.place('Front')?.open).toEqual({ users: new Set(['anna']), groups: new Set(['Sales']) });
    expect(directory.users[0]?.devices[0]?.rings).toEqual({ queue: { delay: 5, timeout: undefined } });
    expect(directory.deviceOfChannel('PJSIP/desk1-00000001')).toBe('PJSIP/desk1');
    expect(directory.byDevice('PJSIP/desk1' as DeviceName)).toBeUndefined();
  });

  test.each([
    [
      '  - { name: A, devices: [] }\n  - { name: A, devices: [] }\n',
      /places\[1\]\.name: "A" is taken already/,
    ],
    [
      '  - { name: A, devices: [{ name: Desk, device: PJSIP/x }] }\n',
      /"Desk" is taken already by users\[0\]/,
    ],
    ['  - { name: A, devices: [{ name: X, device: PJSIP/340 }] }\n', /"PJSIP\/340" is taken already/],
    [
      '  - { name: A, devices: [], users: [nobody] }\n',
      /places\[0\]\.users\[0\]: nobody of this file has that name/,
    ],
    [
      '  - { name: A, devices: [], user: [anna] }\n',
      /places\[0\]\.user: unknown key, did you mean "users"\?/,
    ],
    [
      '  - { name: A, devices: [{ name: X, device: PJSIP/x, queue: { timeout: 0 } }] }\n',
      /queue\.timeout: expected a whole number from 1 to 600, got "0"/,
    ],
  ])('%s is refused', (places, expected) => {
    const parsed = parse(places);
    expect(parsed.ok ? [] : parsed.mistakes.map(({ text }) => text)).toEqual([
      expect.stringMatching(expected),
    ]);
  });
});
