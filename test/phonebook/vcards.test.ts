import { describe, expect, it, onTestFinished } from 'vitest';
import { createDirectory } from '../../src/directory.ts';
import { StanzaError } from '../../src/errors.ts';
import { createNumbers } from '../../src/phonebook/numbers.ts';
import { createVcardPersons } from '../../src/phonebook/vcards.ts';
import { type XmlElement, xml } from '../../src/protocol/xml.ts';
import type { XmppState } from '../../src/xmpp/xmpp.ts';
import { user } from '../modules/harness.ts';
import { until } from '../servers/until.ts';
import { keepLog } from '../xmpp/setup.ts';

const users = Array.from({ length: 12 }, (_, n) => user(`u${n}`, `${300 + n}`, `User ${n}`));
const tel = (number: string, ...marks: string[]) =>
  xml('TEL', {}, [...marks.map((mark) => xml(mark)), xml('NUMBER', {}, [number])]);
const card = (...children: XmlElement[]) => xml('iq', {}, [xml('vCard', { xmlns: 'vcard-temp' }, children)]);

/** A source of a server that answers as told. */
function asking(answer: (jid: string) => XmlElement | Promise<XmlElement>) {
  const asked: string[] = [];
  const log = keepLog();
  let state: XmppState = { status: 'connecting', reason: '' };
  const listeners: ((state: XmppState) => void)[] = [];
  const source = createVcardPersons({
    xmpp: {
      get state() {
        return state;
      },
      onState(listener) {
        listeners.push(listener);
        return () => {};
      },
      async request(to) {
        asked.push(to);
        return answer(to);
      },
    },
    directory: () => createDirectory(users),
    everyMs: 600_000,
    key: createNumbers('DE', '0').key,
    log,
    gapMs: 1,
  });
  onTestFinished(() => source.stop());
  return {
    asked,
    log,
    source,
    connect() {
      state = { status: 'online', reason: '' };
      for (const tell of listeners) tell(state);
    },
  };
}

describe('vCards', () => {
  it('give numbers to users, who are called what the directory calls them', async () => {
    const { source, connect, asked } = asking((jid) => {
      if (jid.startsWith('u1@')) {
        return card(
          xml('FN', {}, ['The Boss']),
          xml('ORG', {}, [xml('ORGNAME', {}, ['Example'])]),
          xml('EMAIL', {}, [xml('USERID', {}, ['U1@example.org'])]),
          tel('+49 171 1', 'HOME', 'CELL'),
          tel('030 2', 'HOME'),
          tel('030 3', 'WORK', 'FAX'),
          tel('', 'WORK'),
        );
      }
      if (jid.startsWith('u2@')) return card(tel('not a number'));
      if (jid.startsWith('u3@')) return card(tel('1'.repeat(100_000)));
      throw new StanzaError('item-not-found', 'no card');
    });
    await source.start();
    connect();
    await until('everybody was asked', () => asked.length === users.length);
    await until('the one card is there', () => source.persons.length === 1);
    expect(source.persons).toMatchObject([
      {
        jid: 'u1@example.org',
        displayname: 'User 1',
        organisation: 'Example',
        email: 'u1@example.org',
        numbers: [
          { kind: 'mobile', number: '+49 171 1' },
          { kind: 'homephone', number: '030 2' },
          { kind: 'fax', number: '030 3' },
        ],
      },
    ]);
  });

  it('keep nobody waiting who stops', async () => {
    const { source, connect, asked } = asking(() => new Promise<XmlElement>(() => {}));
    await source.start();
    connect();
    await until('somebody was asked', () => asked.length === 1);
    await source.stop();
  });

  it('are not asked for before there is somebody to ask', async () => {
    const { source, asked, log } = asking(() => card());
    await source.start();
    expect([asked, log.lines]).toEqual([[], []]);
  });

  it('are not asked for any longer where nobody answers', async () => {
    const { source, connect, asked, log } = asking(() => {
      throw new StanzaError('remote-server-timeout', 'no answer');
    });
    await source.start();
    connect();
    await until('it is said', () =>
      log.lines.some(({ fields }) => String(fields.reason).includes('does not answer questions for vCards')),
    );
    expect(asked).toHaveLength(5);
  });
});
