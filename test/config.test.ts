import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { envExample } from '../scripts/env-example.ts';
import { closest } from '../src/config/closest.ts';
import { allSettings, ConfigError, type Environment, readConfig } from '../src/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'offhook-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const needed = {
  XMPP_COMPONENT: 'pbx.example.org',
  XMPP_SECRET: 'xmpp-s3cret',
  AMI_USERNAME: 'control',
  AMI_SECRET: 'ami-s3cret',
};

function mistakesOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('defaults', () => {
  test('are complete with the four settings that have none', () => {
    const { config, warnings } = readConfig(needed);
    expect(config).toEqual({
      xmpp: {
        service: 'xmpp://127.0.0.1:5347',
        component: 'pbx.example.org',
        secret: 'xmpp-s3cret',
        userDomains: ['example.org'],
        tlsCa: undefined,
        delegation: 'auto',
        askPresence: false,
      },
      ami: {
        host: '127.0.0.1',
        port: 5038,
        tls: false,
        tlsCa: undefined,
        username: 'control',
        secret: 'ami-s3cret',
        feedUsername: 'control',
        feedSecret: 'ami-s3cret',
      },
      pbx: {
        id: 'main',
        context: 'internal',
        outsidePrefix: undefined,
        internationalPrefix: '00',
        mobileGateway: undefined,
        dndFamily: 'DND',
        cfFamily: 'CF',
        cfbFamily: 'CFB',
        cfuFamily: 'CFU',
        ringSeconds: 30,
      },
      presence: {
        contacts: true,
        visibleTo: 'domain',
        watchers: undefined,
        roster: 'none',
        ejabberdApi: undefined,
        ejabberdToken: undefined,
        ownResource: false,
        activity: false,
        follow: undefined,
        perSecond: 2000,
        maxWatches: 2_000_000,
      },
      directory: { file: undefined },
      phonebook: {
        country: 'DE',
        file: undefined,
        ldapUrl: undefined,
        ldapStartTls: false,
        ldapCa: undefined,
        ldapBindDn: undefined,
        ldapPassword: undefined,
        ldapBase: undefined,
        ldapFilter: '(objectClass=person)',
        ldapAttributes: expect.arrayContaining([
          ['displayname', 'cn'],
          ['phone', 'ipPhone'],
        ]),
        vcards: false,
        refreshMinutes: 60,
        visibleTo: undefined,
        maxEntries: 100_000,
      },
      journal: {
        entries: 500,
        days: 180,
        cdrFile: undefined,
        cdrColumns: expect.arrayContaining(['src', 'dst', 'uniqueid']),
        cdrUrl: undefined,
        cdrTable: 'cdr',
        cdrTimeZone: undefined,
      },
      queues: { missed: 1000, missedDays: 30 },
      store: {
        kind: 'memory',
        redis: { host: '127.0.0.1', port: 6379, tls: false, username: undefined, password: undefined, db: 0 },
        redisTlsCa: undefined,
        redisPrefix: 'offhook:',
        auditLength: 0,
      },
      archive: { url: undefined, timeZone: 'UTC', sqlite: 'sqlite3' },
      recordings: {
        dir: undefined,
        pbxDir: undefined,
        upload: undefined,
        minFreeMegabytes: 500,
        keepDays: 90,
        maxMegabytes: 0,
      },
      http: { listen: { host: '127.0.0.1', port: 9642 } },
      limits: { commandSeconds: 10, ratePerSecond: 20, rateBurst: 40, sessions: 100_000 },
      log: { level: 'info', format: 'auto', maskNumbers: false },
    });
    expect(warnings).toEqual([]);
  });

  test('of every setting are values of its kind', () => {
    for (const { env, default: value, kind } of allSettings()) {
      if (value !== undefined) expect(typeof kind.parse(value), env).not.toBe('symbol');
    }
  });

  test('stand for empty variables, as compose files pass them', () => {
    expect(readConfig({ ...needed, AMI_PORT: '', LOG_LEVEL: '', REDIS_URL: '' }).config).toEqual(
      readConfig(needed).config,
    );
  });

  test('of the HTTP address give way to nothing: off', () => {
    expect(readConfig({ ...needed, HTTP_LISTEN: '' }).config.http.listen).toBeUndefined();
  });
});

describe('presence', () => {
  test('needs what its rules name, and names who may see in lower case', () => {
    const list = { ...needed, PRESENCE_VISIBLE_TO: 'list' };
    expect(
      readConfig({ ...list, PRESENCE_WATCHERS: 'Boss@Example.org, example.net' }).config.presence,
    ).toMatchObject({
      visibleTo: 'list',
      watchers: ['boss@example.org', 'example.net'],
    });
    expect(() => readConfig(list)).toThrow(/PRESENCE_WATCHERS: expected both or neither/);
    expect(() => readConfig({ ...list, PRESENCE_WATCHERS: 'a@b/c' })).toThrow(/JID without resource/);
    expect(() => readConfig({ ...needed, PRESENCE_ROSTER: 'ejabberd' })).toThrow(/EJABBERD_API_URL: missing/);
    expect(() => readConfig({ ...needed, EJABBERD_API_URL: 'localhost:5280' })).toThrow(
      /EJABBERD_API_URL: expected/,
    );
    expect(
      readConfig({ ...needed, EJABBERD_API_URL: 'http://[::1]:5280/api/' }).config.presence.ejabberdApi,
    ).toBe('http://[::1]:5280/api');
  });
});

describe('values', () => {
  test('are typed', () => {
    const { config } = readConfig({
      ...needed,
      XMPP_USER_DOMAINS: 'Example.org, example.net',
      AMI_FEED_USERNAME: 'feed',
      AMI_FEED_SECRET: 'feed-s3cret',
      REDIS_URL: 'rediss://bridge:p%40ss@[::1]:6380/3',
      HTTP_LISTEN: '[::]:0',
      LOG_MASK_NUMBERS: 'true',
    });
    expect(config.xmpp.userDomains).toEqual(['example.org', 'example.net']);
    expect(config.ami).toMatchObject({ feedUsername: 'feed', feedSecret: 'feed-s3cret' });
    expect(config.store.redis).toEqual({
      host: '::1',
      port: 6380,
      tls: true,
      username: 'bridge',
      password: 'p@ss',
      db: 3,
    });
    expect(config.http.listen).toEqual({ host: '::', port: 0 });
    expect(config.log.maskNumbers).toBe(true);
  });

  test.each([
    ['XMPP_SERVICE', 'http://127.0.0.1:5347'],
    ['XMPP_SERVICE', 'xmpp://user:pw@127.0.0.1'],
    ['XMPP_COMPONENT', 'user@example.org'],
    ['XMPP_USER_DOMAINS', 'example.org,'],
    ['AMI_HOST', 'a host'],
    ['AMI_PORT', '65536'],
    ['AMI_PORT', '0x10'],
    ['AMI_PORT', '-1'],
    ['AMI_TLS', 'yes'],
    ['PBX_CONTEXT', 'internal,1'],
    ['PBX_OUTSIDE_PREFIX', '0w'],
    ['STORE', 'Redis'],
    ['REDIS_PREFIX', 'a b'],
    ['PHONEBOOK_LDAP_ATTRIBUTES', 'phone:mobile,title:cn'],
    ['PHONEBOOK_LDAP_ATTRIBUTES', 'phone:*)(cn=*'],
    ['CDR_TABLE', 'cdr; DROP TABLE cdr'],
    ['CDR_TIME_ZONE', 'Berlin'],
    ['HTTP_LISTEN', '127.0.0.1'],
    ['HTTP_LISTEN', '127.0.0.1:99999'],
    ['RATE_LIMIT_PER_SECOND', '0'],
    ['LOG_LEVEL', 'loud'],
    ['AMI_TLS_CA', '/nowhere/ca.pem'],
  ])('%s=%s is refused with what was expected and what was got', (env, value) => {
    const mistakes = mistakesOf({ ...needed, AMI_TLS: 'true', [env]: value });
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${env}: expected .+, got "`))]);
    expect(mistakes[0]).toContain(value);
  });
});

describe('mistakes', () => {
  test('are told all at once', () => {
    const mistakes = mistakesOf({
      XMPP_COMPONENT: 'pbx',
      AMI_PORT: 'x',
      AMI_FEED_USERNAME: 'feed',
      LOG_FORMAT: 'xml',
    });
    expect(mistakes).toEqual([
      'XMPP_SECRET (or XMPP_SECRET_FILE): missing. Secret of the component, as configured in the XMPP server.',
      'AMI_PORT: expected a whole number from 1 to 65535, got "x"',
      'AMI_USERNAME: missing. Manager account that carries out actions.',
      'AMI_SECRET (or AMI_SECRET_FILE): missing. Secret of that account.',
      'LOG_FORMAT: expected one of auto, json, pretty, got "xml"',
      'XMPP_USER_DOMAINS: missing, and "pbx" has no parent domain to take instead',
      'AMI_FEED_USERNAME and AMI_FEED_SECRET: expected both or neither',
    ]);
  });

  test('name CA files that would have no effect', () => {
    const ca = file('ca.pem', '-----BEGIN CERTIFICATE-----\n');
    expect(mistakesOf({ ...needed, AMI_TLS_CA: ca, REDIS_TLS_CA: ca, XMPP_TLS_CA: ca })).toHaveLength(3);
    const tls = { AMI_TLS: 'true', REDIS_URL: 'rediss://localhost', XMPP_SERVICE: 'xmpps://localhost:5348' };
    expect(mistakesOf({ ...needed, ...tls, AMI_TLS_CA: ca, REDIS_TLS_CA: ca, XMPP_TLS_CA: ca })).toEqual([]);
  });
});

describe('secrets', () => {
  test('come from files, without the line end', () => {
    const { XMPP_SECRET: _, ...others } = needed;
    const { config, secrets } = readConfig({
      ...others,
      XMPP_SECRET_FILE: file('secret', ' with blanks \n'),
    });
    expect(config.xmpp.secret).toBe(' with blanks ');
    expect(secrets).toEqual([' with blanks ', 'ami-s3cret']);
  });

  test('are asked for once: variable and file together are a mistake, and so is a file that is not there', () => {
    expect(mistakesOf({ ...needed, AMI_SECRET_FILE: file('other', 'x') })).toEqual([
      'AMI_SECRET and AMI_SECRET_FILE: expected one of them, got both',
    ]);
    const { AMI_SECRET: _, ...others } = needed;
    const missing = join(folder, 'missing');
    expect(mistakesOf({ ...others, AMI_SECRET_FILE: missing })).toEqual([
      `AMI_SECRET_FILE: "${missing}" cannot be read (ENOENT)`,
    ]);
  });

  test('are never quoted', () => {
    const bad = {
      XMPP_SECRET: 'top\u0001secret',
      AMI_SECRET: 'top\u0002secret',
      REDIS_URL: 'redis://:topsecret@host/x',
    };
    const mistakes = mistakesOf({ ...needed, ...bad });
    expect(mistakes).toHaveLength(3);
    expect(mistakes.join()).not.toMatch(/top|secret@/);
  });

  test('include the password inside a Redis URL, which REDIS_PASSWORD overrides', () => {
    const env = { ...needed, REDIS_URL: 'redis://:in%20url@host' };
    expect(readConfig(env).secrets).toContain('in url');
    expect(readConfig({ ...env, REDIS_PASSWORD: 'own' }).config.store.redis.password).toBe('own');
  });
});

describe('misspelled variables', () => {
  test('are warned of, with what was probably meant', () => {
    const { warnings } = readConfig({
      ...needed,
      XMPP_SERVCIE: 'x',
      AMI_SECRET_FIEL: 'x',
      LOG_LEVLE: 'x',
      PBX_COLOUR: 'x',
    });
    expect(warnings).toEqual([
      'XMPP_SERVCIE is no setting of this program, did you mean XMPP_SERVICE?',
      'AMI_SECRET_FIEL is no setting of this program, did you mean AMI_SECRET_FILE?',
      'LOG_LEVLE is no setting of this program, did you mean LOG_LEVEL?',
      'PBX_COLOUR is no setting of this program and has no effect',
    ]);
  });

  test('are told together with what is missing because of them', () => {
    const { XMPP_SECRET: secret, ...rest } = needed;
    expect(mistakesOf({ ...rest, XMPP_SERCET: secret })).toEqual([
      expect.stringMatching(/^XMPP_SECRET .*missing/),
      'XMPP_SERCET is no setting of this program, did you mean XMPP_SECRET?',
    ]);
  });

  test('of other programs are left alone', () => {
    const others = {
      HTTP_PROXY: 'x',
      REDIS_PORT_6379_TCP: 'x',
      REDIS_SERVICE_HOST: 'x',
      LOG_DIRECTORY: 'x',
      PATH: 'x',
    };
    expect(readConfig({ ...needed, ...others }).warnings).toEqual([]);
  });

  test.each([
    ['extenson', 'extension'],
    ['dailString', 'dialString'],
    ['NAME', 'name'],
    ['colour', undefined],
  ])('closest(%s) is %s', (word, meant) => {
    expect(closest(word, ['name', 'extension', 'dialString'])).toBe(meant);
  });
});

describe('.env.example', () => {
  const path = join(import.meta.dirname, '..', '.env.example');

  test('is fresh; if not, run "npm run docs"', () => {
    expect(readFileSync(path, 'utf8')).toBe(envExample());
  });

  test('is a valid configuration once the empty secrets are filled in, with every setting in it', () => {
    const rows = [...envExample().matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    expect(rows.map(([name]) => name)).toEqual(allSettings().map(({ env }) => env));
    const env: Environment = Object.fromEntries(rows);
    expect(mistakesOf({ ...env, XMPP_SECRET: 'x', AMI_SECRET: 'x' })).toEqual([]);
  });
});
