/** Which packages of which Debian suite hold the servers. */
import type { TreeRequest } from './debian.ts';

/** Prosody 0.12 is in Debian 12, 13 in Debian 13. */
export const prosodyTrees = {
  '0.12': { name: 'Prosody 0.12', suite: 'bookworm', packages: ['prosody', 'prosody-modules', 'lua-expat'] },
  '13': { name: 'Prosody 13', suite: 'trixie', packages: ['prosody', 'prosody-modules', 'lua-expat'] },
} as const satisfies Record<string, TreeRequest>;

/** The same with their archives in SQLite, or (Prosody) in MariaDB. */
export const prosodySqlTree: TreeRequest = {
  name: 'Prosody 0.12 with SQL',
  suite: 'bookworm',
  packages: ['prosody', 'prosody-modules', 'lua-expat', 'lua-dbi-sqlite3', 'lua-dbi-mysql'],
};
export const ejabberdSqlTree: TreeRequest = {
  name: 'ejabberd 23 with SQLite',
  suite: 'bookworm',
  packages: ['ejabberd', 'erlang-p1-sqlite3'],
};

/** SQLite's program. */
export const sqliteTree: TreeRequest = { name: 'SQLite', suite: 'bookworm', packages: ['sqlite3'] };

/** PostgreSQL 15. */
export const postgresTree: TreeRequest = {
  name: 'PostgreSQL',
  suite: 'bookworm',
  packages: ['postgresql-15'],
};

/** MariaDB's server 10.11. */
export const mariadbTree: TreeRequest = {
  name: 'MariaDB',
  suite: 'bookworm',
  packages: ['mariadb-server-core'],
};

/** ejabberd 23.01 is in Debian 12, 24.12 in Debian 13, 26.07 in testing. */
export const ejabberdTrees = {
  '23': { name: 'ejabberd 23', suite: 'bookworm', packages: ['ejabberd'] },
  '24': { name: 'ejabberd 24', suite: 'trixie', packages: ['ejabberd'] },
  '26': { name: 'ejabberd 26', suite: 'forky', packages: ['ejabberd'] },
} as const satisfies Record<string, TreeRequest>;

/** Asterisk is in Debian 11 (16) and in testing (22), not in 12 and 13. */
export const asteriskTrees = {
  '22': {
    name: 'Asterisk 22',
    suite: 'forky',
    packages: ['asterisk', 'asterisk-core-sounds-en-gsm', 'asterisk-moh-opsound-gsm'],
  },
  '16': {
    name: 'Asterisk 16',
    suite: 'bullseye',
    packages: ['asterisk', 'asterisk-voicemail', 'asterisk-core-sounds-en-gsm', 'asterisk-moh-opsound-gsm'],
  },
} as const satisfies Record<string, TreeRequest>;

/** Redis 7.0. */
export const redisTree: TreeRequest = { name: 'Redis', suite: 'bookworm', packages: ['redis-server'] };

/** OpenLDAP's server 2.5. */
export const slapdTree: TreeRequest = { name: 'OpenLDAP', suite: 'bookworm', packages: ['slapd'] };

/** SIPp, the SIP phone that runs scenario files. */
export const sippTree: TreeRequest = { name: 'SIPp', suite: 'bookworm', packages: ['sip-tester'] };

/** slixmpp, an XMPP library for Python, and Python: a standard client. */
export const slixmppTree: TreeRequest = {
  name: 'slixmpp',
  suite: 'bookworm',
  packages: ['python3-slixmpp'],
};

/** The openssl program, for certificates of servers with TLS. */
export const opensslTree: TreeRequest = { name: 'OpenSSL', suite: 'bookworm', packages: ['openssl'] };

/** docker-compose, which checks a compose file without an engine. */
export const composeTree: TreeRequest = {
  name: 'Docker Compose',
  suite: 'bookworm',
  packages: ['docker-compose'],
};
