import { describe, expect, it } from 'vitest';
import type { Archive, ArchivedMessage, ArchiveQuery } from '../../src/archive/archive.ts';
import { Failure } from '../../src/errors.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api } from './harness.ts';

const anna = 'tweber@example.org/desk';
const me = 'tweber@example.org' as BareJid;
const max = 'mmeyer@example.org' as BareJid;
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);

/** A message from Max in the wall-clock time of Berlin in winter, where the tests are. */
const message = (time: string, body: string, peer = max): ArchivedMessage => ({
  at: Date.parse(`${time}+01:00`),
  from: `${peer}/phone`,
  to: me,
  peer,
  body,
});

/** An archive with these messages; what was asked is kept. */
function archiveWith(...messages: ArchivedMessage[]) {
  const asked: ArchiveQuery[] = [];
  const archive: Archive = {
    async search(query, found) {
      asked.push(query);
      for (const each of [...messages].sort((a, b) => b.at - a.at)) if (!found(each)) return;
    },
    times: async (_owner, peer, from, to) =>
      messages
        .filter((each) => each.peer === peer && each.at >= from && each.at <= to)
        .map(({ at }) => at)
        .sort((a, b) => a - b),
    stop: async () => {},
  };
  return { ...api({ archive }), asked };
}
const fields = (parts: Readonly<Record<string, string>>) =>
  Object.entries(parts).map(([name, value]) => xml(name, {}, [value]));
const entries = (parts: Readonly<Record<string, string>>, attributes = {}) =>
  xml('FindEntries', attributes, fields({ fromdate: '2026-01-01', query: 'noon', ...parts }));
const dates = (parts: Readonly<Record<string, string>>, attributes = {}) =>
  xml('FindDates', attributes, fields({ query: 'noon', ...parts }));

describe('FindEntries', () => {
  it('gives messages oldest first, in conversations', async () => {
    const { ask } = archiveWith(
      message('2026-01-05T12:00:00', 'at noon?'),
      message('2026-01-05T12:59:59', 'noon it is'),
      message('2026-01-05T13:59:59', 'noon & <over>'),
    );
    const answer = await ask(anna, 'archive', entries({}));
    expect(answer).toContain(
      "<ArchiveEntryList><ArchiveEntry timestamp='2026-01-05T12:00:00+01:00' from='mmeyer@example.org' to='tweber@example.org' conversationid=",
    );
    expect(answer).toContain('<body>noon &amp; &lt;over&gt;</body>');
    const ids = [...answer.matchAll(/conversationid='([^']+)'/g)].map(([, id]) => id);
    expect(ids).toHaveLength(3);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('asks for the sender’s own, within the time and with the person that were named', async () => {
    const { ask, asked } = archiveWith();
    await ask(
      anna,
      'archive',
      entries({ fromdate: '2026-07-01', todate: '2026-07-01', participant: `${max}/x` }),
    );
    await ask(anna, 'archive', entries({ fromdate: '2026-07-01 10:00', todate: '2026-07-01T10:00:00Z' }));
    expect(
      asked.map(({ owner, from, to, peer }) => [
        owner,
        peer,
        from && new Date(from).toISOString(),
        to && new Date(to).toISOString(),
      ]),
    ).toEqual([
      [me, max, '2026-06-30T22:00:00.000Z', '2026-07-01T22:00:00.000Z'],
      [me, undefined, '2026-07-01T08:00:00.000Z', '2026-07-01T10:00:01.000Z'],
    ]);
  });

  it('gives the newest where there are too many', async () => {
    const { ask } = archiveWith(
      ...[1, 2, 3].map((day) => message(`2026-01-0${day}T12:00:00`, `noon ${day}`)),
    );
    const answer = await ask(anna, 'archive', entries({}, { limit: '2' }));
    expect([...answer.matchAll(/<body>([^<]*)</g)].map(([, body]) => body)).toEqual(['noon 2', 'noon 3']);
  });

  it('stays below the size of an answer', async () => {
    const { ask } = archiveWith(
      ...[1, 2, 3].map((day) => message(`2026-01-0${day}T12:00:00`, 'x'.repeat(90_000))),
    );
    const answer = await ask(anna, 'archive', entries({}));
    expect([...answer.matchAll(/<body>/g)]).toHaveLength(2);
  });

  it('says what is malformed', async () => {
    const { ask } = archiveWith();
    for (const bad of [
      { query: 'ab' },
      { query: '  ab ' },
      { query: '' },
      { participant: '@x' },
      { fromdate: '' },
    ]) {
      expect(await ask(anna, 'archive', entries(bad))).toMatch(/^bad-request/);
    }
    for (const fromdate of ['2026-02-30', '2026-13-01', 'yesterday', '2026-01-01 24:00', '1.1.2026']) {
      expect(await ask(anna, 'archive', entries({ fromdate }))).toMatch(/^bad-request/);
    }
  });
});

describe('FindDates', () => {
  it('gives each day with its first hit, by the clocks of the time zone', async () => {
    const { ask } = archiveWith(
      message('2026-01-05T00:30:00', 'first'),
      message('2026-01-05T23:59:59', 'second'),
      message('2026-01-06T00:00:00', 'third'),
    );
    const answer = await ask(anna, 'archive', dates({}));
    expect(
      [...answer.matchAll(/<Date date='([^']+)'>.*?<body>([^<]*)</g)].map(
        ([, day, body]) => `${day} ${body}`,
      ),
    ).toEqual(['2026-01-06 third', '2026-01-05 first']);
    const [one] = [await ask(anna, 'archive', dates({}, { limit: '1' }))];
    expect(one).toContain("date='2026-01-06'");
    expect(one).not.toContain("date='2026-01-05'");
  });
});

it('without an archive, and while it cannot be read, nothing is available', async () => {
  expect(await api().ask(anna, 'archive', dates({}))).toEqual(failure('not-available'));
  const archive: Archive = {
    search: async () => {
      throw new Failure('not-available', 'The archive cannot be searched at the moment.');
    },
    times: async () => [],
    stop: async () => {},
  };
  expect(await api({ archive }).ask(anna, 'archive', entries({}))).toEqual(failure('not-available'));
});
