import { createServer } from 'node:net';
import { Client } from 'ldapts';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { unfit } from '../../src/config/kinds.ts';
import { settings } from '../../src/config/settings.ts';
import { createLdapPersons, isLdapFilter } from '../../src/phonebook/ldap.ts';
import { createNumbers } from '../../src/phonebook/numbers.ts';
import { type SlapdServer, startSlapd } from '../servers/slapd.ts';
import { until } from '../servers/until.ts';

type Options = Parameters<typeof createLdapPersons>[0];

const base = 'dc=example,dc=org';

/** What a setting says. */
function attributesOf(text = '') {
  const attributes = settings.phonebook.ldapAttributes.kind.parse(text);
  if (attributes === unfit) throw new Error(`${text} is no setting`);
  return attributes;
}

/** A source that is read until the test ends, and what it logs. */
function reading(changes: Partial<Options> & { readonly url: string }) {
  const lines: string[] = [];
  const source = createLdapPersons({
    startTls: false,
    ca: undefined,
    bindDn: undefined,
    password: undefined,
    base,
    filter: '(objectClass=person)',
    attributes: attributesOf(settings.phonebook.ldapAttributes.default),
    everyMs: 50,
    retryMs: 50,
    most: 100_000,
    key: createNumbers('DE', '0').key,
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(line) }),
    ...changes,
  });
  let changed = 0;
  source.onChange(() => {
    changed += 1;
  });
  onTestFinished(() => source.stop());
  return {
    lines,
    source,
    names: () => source.persons.map((person) => person.displayname).toSorted(),
    changed: () => changed,
    start: () => source.start(),
  };
}

describe('a real server', () => {
  let slapd: SlapdServer;
  let admin: Client;
  const people = 600;

  const add = (dn: string, entry: Record<string, string | string[]>) => admin.add(`${dn},${base}`, entry);
  const person = (cn: string, more: Record<string, string | string[]> = {}) =>
    add(`uid=${cn.replaceAll(' ', '')}`, { objectClass: 'inetOrgPerson', cn, sn: cn, uid: cn, ...more });

  beforeAll(async () => {
    slapd = await startSlapd({ sizeLimit: 500 });
    admin = new Client({ url: slapd.url });
    await admin.bind(slapd.bindDn, slapd.password);
    await admin.add(base, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' });
    await person('Ada Kunde', {
      givenName: 'Ada',
      sn: 'Kunde',
      displayName: 'Dr. Ada Kunde',
      o: 'Söhne & Co',
      mail: ['Ada@kunde.example', 'other@kunde.example'],
      telephoneNumber: ['+49 30 1234567', '+49 30 1234568'],
      facsimileTelephoneNumber: '+49 30 1234569',
      mobile: '0171 1234567',
      homePhone: '030 7654321',
      businessCategory: 'VIP',
      jpegPhoto: 'not asked for',
    });
    await person('No Number');
    await person('Odd One', { telephoneNumber: '---' });
    await add('ou=groups', { objectClass: 'organizationalUnit', ou: 'groups' });
  });
  afterAll(async () => {
    await admin.unbind();
    await slapd.stop();
  });

  it('gives everything that it knows of a person', async () => {
    const { source, names, start, lines } = reading({ url: slapd.url });
    await start();
    await until('people are there', async () => names().length === 2);
    expect(source.persons.find((each) => each.surname === 'Kunde')).toMatchObject({
      firstname: 'Ada',
      displayname: 'Dr. Ada Kunde',
      organisation: 'Söhne & Co',
      email: 'ada@kunde.example',
      numbers: [
        { kind: 'phone', number: '+49 30 1234567' },
        { kind: 'phone', number: '+49 30 1234568' },
        { kind: 'fax', number: '+49 30 1234569' },
        { kind: 'mobile', number: '0171 1234567' },
        { kind: 'homephone', number: '030 7654321' },
      ],
      labels: ['VIP'],
    });
    expect(lines.join('')).toContain(`uid=OddOne,${base}: \\"---\\" is not a number`);
  });

  it('is asked for the attributes that the operator names, in whatever case', async () => {
    const { source, start } = reading({
      url: slapd.url,
      filter: '(uid=AdaKunde)',
      attributes: attributesOf(
        'displayname:description, displayname:CN, phone:Mobile, labels:o, labels:mail',
      ),
    });
    await start();
    await until('it was read', () => source.persons.length === 1);
    expect(source.persons[0]).toMatchObject({
      displayname: 'Ada Kunde',
      firstname: '',
      organisation: '',
      email: '',
      numbers: [{ kind: 'phone', number: '0171 1234567' }],
      labels: ['Söhne & Co', 'Ada@kunde.example', 'other@kunde.example'],
    });
  });

  it('is followed, and what it said last stays while it is away', async () => {
    const { names, start, lines, changed } = reading({ url: slapd.url });
    await start();
    await until('people are there', async () => names().length === 2);
    await person('Carla New', { telephoneNumber: '030 1' });
    await until('the new one is there', async () => names().includes('Carla New'));
    const before = changed();
    await slapd.kill();
    await until('the loss is noticed', async () => lines.some((line) => line.includes('cannot be read')));
    expect(names()).toContain('Carla New');
    await slapd.restart();
    admin = new Client({ url: slapd.url });
    await admin.bind(slapd.bindDn, slapd.password);
    await admin.del(`uid=CarlaNew,${base}`);
    await until('the leaver is gone', async () => !names().includes('Carla New'));
    expect(changed()).toBe(before + 1);
  });

  it('is read page by page, no further than the limit', async () => {
    for (let n = 0; n < people; n++) {
      await person(`Many ${n}`, { telephoneNumber: `+49 30 ${2_000_000 + n}` });
    }
    const all = reading({ url: slapd.url, everyMs: 600_000 });
    const some = reading({ url: slapd.url, everyMs: 600_000, most: 520 });
    await Promise.all([all.start(), some.start()]);
    await until('all are there', async () => all.names().length === people + 2);
    await until('some are there', async () => some.names().length === 520);
  });

  it('is read with a password, over TLS, and by StartTLS', async () => {
    const { bindDn, password, ca, url, tlsUrl } = slapd;
    const filter = '(&(objectClass=person)(sn=Kunde))';
    for (const way of [{ url: tlsUrl }, { url, startTls: true }]) {
      const { names, start } = reading({ ...way, bindDn, password, ca, filter });
      await start();
      await until('people are there', async () => names().length === 1);
    }
  });

  it.each([
    ['a wrong password', { password: 'wrong-secret' }],
    ['a certificate of nobody we know', { url: 'tls', ca: undefined }],
    ['a base that is not there', { base: 'dc=nowhere' }],
  ])('does without, and says so, for %s', async (_why, wrong) => {
    const { bindDn, password, ca, tlsUrl } = slapd;
    const { names, start, lines } = reading({ bindDn, password, ca, ...wrong, url: tlsUrl });
    await start();
    await until('it is said', async () => lines.some((line) => line.includes('cannot be read')));
    expect(names()).toEqual([]);
    expect(lines.join('')).not.toContain('wrong-secret');
  });
});

describe('a server that talks nonsense', () => {
  it.each([
    ['nothing at all', ''],
    ['text', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['a message without end', '\x30\x84\x7f\xff\xff\xff\x02\x01'],
    ['a broken message', '\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\xff\x04\x84\xff\xff\xff\xff'],
    ['zeros', '\0'.repeat(1000)],
  ])('is given up: %s', async (_what, bytes) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(Buffer.from(bytes, 'latin1')));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { start, lines, names } = reading({ url: `ldap://127.0.0.1:${port}`, timeoutMs: 300 });
    await start();
    await until('it is given up', async () => lines.some((line) => line.includes('cannot be read')));
    expect(names()).toEqual([]);
  });
});

describe('a server that', () => {
  const element = (tag: number, ...parts: readonly (Buffer | string)[]) => {
    const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
    const length = Buffer.alloc(5, 0x84);
    length.writeUInt32BE(content.length, 1);
    return Buffer.concat([Buffer.from([tag]), length, content]);
  };
  const attribute = (name: string, value: string) =>
    element(0x30, element(0x04, name), element(0x31, element(0x04, value)));
  /** An answer to the first request of a connection: RFC 4511 §4.1.1. */
  const answer = (id: Buffer, ...operation: Parameters<typeof element>) =>
    element(0x30, element(0x02, id), element(...operation));

  /** Says that so many people are there, and for each of them much that nobody asked for; returns the bytes that went out. */
  async function serve(count: number, more: string) {
    const sent = { bytes: 0, connections: 0 };
    const server = createServer((socket) => {
      sent.connections += 1;
      socket.on('error', () => {});
      socket.once('data', (request) => {
        const id = request.subarray(request.indexOf(0x02) + 2, request.indexOf(0x63));
        const entry = (n: number) =>
          answer(
            id,
            0x64,
            element(0x04, `uid=${n},${base}`),
            element(
              0x30,
              attribute('cn', `Some ${n}`),
              attribute('telephoneNumber', `030 ${n}`),
              attribute('jpegPhoto', more),
            ),
          );
        let n = 0;
        const go = () => {
          while (!socket.destroyed && n < count) {
            n += 1;
            const bytes = entry(n);
            sent.bytes += bytes.length;
            if (!socket.write(bytes)) return;
          }
          socket.write(answer(id, 0x65, element(0x0a, Buffer.of(0)), element(0x04, ''), element(0x04, '')));
        };
        socket.on('drain', go);
        go();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const address = server.address();
    return { sent, url: `ldap://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
  }

  it('says what nobody asked for yet is given up: who stands in between could have said it before TLS began', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (request) => {
        const isBind = request.includes(0x60);
        const id = request.subarray(request.indexOf(0x02) + 2, request.indexOf(isBind ? 0x60 : 0x63));
        const entry = element(0x30, attribute('cn', 'Mallory'), attribute('telephoneNumber', '030 666'));
        if (isBind) socket.write(answer(id, 0x64, element(0x04, `uid=1,${base}`), entry));
        const done = [element(0x0a, Buffer.of(0)), element(0x04, ''), element(0x04, '')];
        socket.write(answer(id, isBind ? 0x61 : 0x65, ...done));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const address = server.address();
    const url = `ldap://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { names, start, lines } = reading({ url, bindDn: 'cn=reader', password: 'secret' });
    await start();
    await until('it was read, or not', () => lines.length > 0 || names().length > 0);
    expect(names()).toEqual([]);
    expect(lines.join('')).toContain('nobody asked');
  });

  it('ignores paging is read as a whole where that is possible', async () => {
    const { url } = await serve(2000, '');
    const { names, start, lines } = reading({ url, everyMs: 600_000 });
    await start();
    await until('all are there', () => names().length === 2000);
    expect(lines.join('')).not.toContain('skipped');
  });

  it.each([
    ['entries', '', 300, 'more than 300 (PHONEBOOK_MAX_ENTRIES)'],
    ['bytes', 'x'.repeat(30_000), 10, 'more than 307200 bytes'],
  ])(
    'ignores paging is left as soon as it has sent more than is taken: %s',
    async (_what, more, persons, reason) => {
      const { url, sent } = await serve(Number.POSITIVE_INFINITY, more);
      const { names, start, lines } = reading({ url, everyMs: 600_000, most: 300 });
      await start();
      await until('some are there', () => names().length === persons);
      expect(lines.join('')).toContain(reason);
      expect(sent.connections).toBe(1);
      // What the socket holds comes on top.
      expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
    },
  );
});

describe('stopping', () => {
  it('does not wait for a server that says nothing', async () => {
    let connected = 0;
    const server = createServer((socket) => {
      connected += 1;
      socket.on('error', () => {});
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    // One that waits for TLS, and one that waits for an answer.
    const sources = ['ldap', 'ldaps'].map((scheme) =>
      reading({ url: `${scheme}://127.0.0.1:${port}`, timeoutMs: 600_000 }),
    );
    for (const each of sources) await each.start();
    await until('both are there', async () => connected === 2);
    for (const each of sources) await each.source.stop();
  });
});

describe('filters', () => {
  it('are told from what is none', () => {
    expect(isLdapFilter('(&(objectClass=person)(!(ou=x)))')).toBe(true);
    for (const text of ['objectClass', '(', '(a=b', '']) expect(isLdapFilter(text), text).toBe(false);
  });
});
