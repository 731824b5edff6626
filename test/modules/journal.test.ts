import { describe, expect, it } from 'vitest';
import type { ChannelChange, ChannelView } from '../../src/calls/changes.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import type { FullJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { person, source } from '../phonebook/people.ts';
import { phonebook as bridgePhonebook } from '../settings.ts';
import { api, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const boss = 'boss@example.org/desk';
const outsider = { number: '+4930123456', name: 'Zoë Outside' };
const trunk = { other: outsider, otherDevice: '' as const, refChannel: 'PJSIP/trunk-00000009' as ChannelId };

type Office = ReturnType<typeof api>;

const event = (at: number): PbxEvent => ({
  type: 'device-state',
  at,
  device: 'x' as DeviceName,
  state: 'NOT_INUSE',
});

/** A step of a channel. */
function step(
  type: ChannelChange['type'],
  at: number,
  changes: Partial<ChannelView> = {},
  details = '',
): ChannelChange {
  return { kind: 'channel', type, details, view: view(changes), at };
}

/** A call that rings at 1 s, perhaps is answered at 3 s, and ends at 10 s. */
function call(
  office: Office,
  number: number,
  how: 'answered' | 'missed',
  changes: Partial<ChannelView> = {},
) {
  const since = number * 60_000 + 1000;
  const own = {
    uniqueId: `${number}.1`,
    call: `${number}.0`,
    channel: `PJSIP/340-${number}` as ChannelId,
    since,
    ...changes,
  };
  office.happen(event(since), step('ringing', since, own));
  const busySince = how === 'answered' ? since + 2000 : 0;
  if (how === 'answered')
    office.happen(event(since), step('busy', busySince, { ...own, busySince, state: 'busy' }));
  const end = { ...own, busySince, state: 'ended' as const };
  office.happen(event(since), step('hangup', since + 9000, end, how === 'answered' ? 'normal' : 'cancelled'));
}

const idsIn = (answer: string) => [...answer.matchAll(/<id>([^<]*)<\/id>/g)].map(([, id]) => id);
const next = (answer: string) => /<JournalList next='([^']*)'/.exec(answer)?.[1];
const find = async (office: Office, attributes: Record<string, string> = {}, from = anna) =>
  office.ask(from, 'journal', xml('FindOwn', attributes));

/** Every field of the only entry. */
async function only(office: Office, from = anna): Promise<Record<string, string>> {
  const answer = await find(office, {}, from);
  expect(idsIn(answer)).toHaveLength(1);
  return Object.fromEntries(
    [...answer.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

describe('FindOwn', () => {
  it.each([{}, { limit: '30' }, { limit: '' }])('answers an empty list to %j', async (attributes) => {
    expect(await find(api(), attributes)).toBe(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='journal'><JournalList/></cmd>",
    );
  });

  it.each(['0', '-1', 'many', '10001'])('says what a limit of %s should be', async (limit) => {
    expect(await find(api(), { limit })).toBe(
      "bad-request: FindOwn: attribute 'limit' must be a whole number from 1 to 10000",
    );
  });

  it('shows a call that was answered, every field in its place', async () => {
    const office = api();
    call(office, 1, 'answered');
    expect(await find(office)).toBe(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='journal'><JournalList>" +
        "<JournalEntry eventId='1.1' eventType='new' userId='847968644' userName='tweber'><id>1.1</id><timestamp>61000</timestamp>" +
        '<inbound>true</inbound><internal>true</internal><duration>9</duration><connected>7</connected>' +
        '<deviceId>PJSIP/340</deviceId><deviceName>Desk 340</deviceName><locationId>Thomas Weber</locationId>' +
        '<locationName>Thomas Weber</locationName><name>Max Meyer</name><number>370</number><prefix/>' +
        '<result>hangup</result><resultDetails/><via/><viaDetails/><extension>340</extension><recordId/></JournalEntry>' +
        '</JournalList></cmd>',
    );
  });

  it('shows the newest first, a hundred at the most, and how to go on', async () => {
    const office = api();
    for (let number = 1; number <= 120; number++) call(office, number, 'missed');
    const first = await find(office);
    // The journal of these tests keeps a hundred.
    expect(idsIn(first)).toHaveLength(100);
    expect(next(first)).toBeUndefined();
    const page = await find(office, { limit: '2' });
    expect([idsIn(page), next(page)]).toEqual([['120.1', '119.1'], '119.1']);
    const older = await find(office, { limit: '3', before: '119.1' });
    expect([idsIn(older), next(older)]).toEqual([['118.1', '117.1', '116.1'], '116.1']);
    const last = await find(office, { limit: '50', before: '23.1' });
    expect([idsIn(last), next(last)]).toEqual([['22.1', '21.1'], undefined]);
    const newer = await find(office, { limit: '2', after: '116.1' });
    expect([idsIn(newer), next(newer)]).toEqual([['118.1', '117.1'], '118.1']);
    const newest = await find(office, { limit: '2', after: '118.1' });
    expect([idsIn(newest), next(newest)]).toEqual([['120.1', '119.1'], undefined]);
  });

  it('finds calls that ended in one way, wherever they are', async () => {
    const office = api();
    for (let number = 1; number <= 90; number++)
      call(office, number, number % 30 === 1 ? 'answered' : 'missed');
    expect(idsIn(await find(office, { result: 'hangup' }))).toEqual(['61.1', '31.1', '1.1']);
    const page = await find(office, { result: 'hangup', limit: '1', before: '61.1' });
    expect([idsIn(page), next(page)]).toEqual([['31.1'], '31.1']);
    expect(idsIn(await find(office, { result: 'hangup', limit: '1', after: '2.1' }))).toEqual(['31.1']);
    expect(await find(office, { result: 'lost' })).toContain(
      "bad-request: FindOwn: attribute 'result' must be one of",
    );
  });

  it('says so where the store cannot be read', async () => {
    const store = createMemoryStore();
    const office = api({
      store: {
        ...store,
        ledger: (book, keep) => ({
          ...store.ledger(book, keep),
          read: () => Promise.reject(new Error('Redis at 127.0.0.1:1: nobody listens there')),
        }),
      },
    });
    const answer = await find(office);
    expect(answer).toContain("<Failure code='not-available'>");
    expect(answer).not.toContain('127.0.0.1');
  });

  it('fits into one stanza, and says how to go on', async () => {
    const office = api();
    const name = 'x'.repeat(30_000);
    for (let number = 1; number <= 30; number++)
      call(office, number, 'missed', { ...trunk, other: { number: '1', name } });
    const first = await find(office);
    expect(idsIn(first).length).toBeGreaterThan(5);
    expect(first.length).toBeLessThan(400_000);
    const rest = await find(office, { before: next(first) ?? '' });
    expect([...idsIn(first), ...idsIn(rest)].slice(0, 20)).toEqual(
      Array.from({ length: 20 }, (_, at) => `${30 - at}.1`),
    );
  });
});

describe('FindByIdentity', () => {
  it('shows supervisors the calls of others, and nobody else', async () => {
    const office = api();
    call(office, 1, 'missed');
    const ask = (from: string, identity: string) =>
      office.ask(from, 'journal', xml('FindByIdentity', { identity, limit: '5' }));
    expect(idsIn(await ask(boss, 'tweber'))).toEqual(['1.1']);
    expect(idsIn(await ask(boss, 'mmeyer@example.org'))).toEqual([]);
    expect(await ask(boss, 'nobody')).toContain("code='no-such-user'");
    expect(await ask(anna, 'mmeyer')).toContain("code='not-permitted'");
  });

  it('keeps supervisors within their groups', async () => {
    const office = api();
    office.allow({ supervisorsWithinGroups: true });
    office.change(
      user('boss', '320', 'Bea Boss', {
        roles: new Set(['xmpp.connect', 'xmpp.supervisor']),
        groups: new Set(['sales']),
      }),
    );
    const ask = (identity: string) => office.ask(boss, 'journal', xml('FindByIdentity', { identity }));
    expect(await ask('mmeyer')).toContain("code='not-permitted'");
    expect(await ask('boss')).toContain('<JournalList/>');
  });
});

describe('an entry', () => {
  it.each([
    ['cancelled', 'missed', 'cancelled'],
    ['noanswer', 'missed', 'noanswer'],
    ['unknown', 'missed', 'unknown'],
    ['rejected', 'rejected', ''],
    ['busy', 'busy', ''],
    ['answered-elsewhere', 'answered-elsewhere', ''],
    ['redirected', 'redirect', 'to'],
    ['unreachable', 'failed', 'unreachable'],
  ])('of a called user whose call ended as %s says %s', async (token, result, resultDetails) => {
    const office = api();
    office.happen(event(1), step('ringing', 1000), step('hangup', 6000, { state: 'ended' }, token));
    expect(await only(office)).toMatchObject({ inbound: 'true', duration: '0', connected: '0', result });
    expect(await find(office)).toContain(
      resultDetails === '' ? '<resultDetails/>' : `<resultDetails>${resultDetails}</resultDetails>`,
    );
  });

  it.each([
    ['cancelled', 'cancelled', ''],
    ['noanswer', 'cancelled', 'noanswer'],
    ['rejected', 'rejected', ''],
    ['busy', 'busy', ''],
    ['unreachable', 'failed', 'unreachable'],
    ['failed', 'failed', ''],
  ])('of a calling user whose call ended as %s says %s', async (token, result, resultDetails) => {
    const office = api();
    const out = { outbound: true, dialed: '370' };
    office.happen(
      event(1),
      step('ringing', 1000, out),
      step('hangup', 6000, { ...out, state: 'ended' }, token),
    );
    expect(await only(office)).toMatchObject({ inbound: 'false', duration: '0', number: '370', result });
    expect(await find(office)).toContain(
      resultDetails === '' ? '<resultDetails/>' : `<resultDetails>${resultDetails}</resultDetails>`,
    );
  });

  it('takes the outside prefix off the number that was dialled, and names its owner', async () => {
    const customer = person({ name: 'Ada Kunde', numbers: [['mobile', '+49 172 1234567']] });
    const office = api({ phonebook: { ...bridgePhonebook, sources: [source('file', customer)] } });
    await office.models.phonebook.start?.();
    const out = {
      ...trunk,
      other: { number: '01721234567', name: '' },
      outbound: true,
      dialed: '001721234567',
    };
    office.happen(
      event(1),
      step('ringing', 1000, out),
      step('hangup', 6000, { ...out, state: 'ended' }, 'cancelled'),
    );
    expect(await only(office)).toMatchObject({
      number: '01721234567',
      prefix: '0',
      internal: 'false',
      name: 'Ada Kunde',
    });
  });

  it('believes no stranger who claims to be an extension', async () => {
    const office = api();
    call(office, 1, 'missed', { ...trunk, other: { number: '370', name: 'Max Meyer (really)' } });
    expect(await only(office)).toMatchObject({
      internal: 'false',
      name: 'Max Meyer (really)',
      number: '370',
    });
  });

  it('is one for all telephones that ring together, and shows the one that was answered', async () => {
    const office = api();
    const soft = { channel: 'PJSIP/341-2' as ChannelId, uniqueId: '1.2', device: 'PJSIP/341' as DeviceName };
    office.happen(event(1), step('ringing', 1000), step('ringing', 1100, soft));
    office.happen(event(2), step('busy', 3000, { ...soft, state: 'busy', busySince: 3000 }));
    office.happen(event(3), step('hangup', 3100, { state: 'ended' }, 'answered-elsewhere'));
    expect(idsIn(await find(office))).toEqual([]);
    office.happen(event(4), step('hangup', 8000, { ...soft, state: 'ended', busySince: 3000 }, 'normal'));
    expect(await only(office)).toMatchObject({
      id: '1.1',
      result: 'hangup',
      connected: '5',
      duration: '7',
      deviceName: 'Softphone',
    });
  });

  it('is one for all rings of a queue, told again when it becomes another', async () => {
    const office = api();
    await office.ask(
      anna,
      'event',
      xml('AddSubscription', {}, [xml('Subscription', { module: 'journal', type: '*' })]),
    );
    const ring = (number: number) => ({
      ...trunk,
      channel: `PJSIP/340-${number}` as ChannelId,
      uniqueId: `1.${number}`,
      queue: 'Support',
      since: number * 10_000,
    });
    office.happen(
      event(1),
      step('ringing', 10_000, ring(1)),
      step('hangup', 15_000, { ...ring(1), state: 'ended' }, 'noanswer'),
    );
    expect(await only(office)).toMatchObject({
      id: '1.1',
      result: 'missed',
      via: 'Support',
      viaDetails: 'queue',
    });
    office.happen(event(2), step('ringing', 20_000, ring(2)));
    office.happen(event(3), step('busy', 22_000, { ...ring(2), state: 'busy', busySince: 22_000 }));
    office.happen(
      event(4),
      step('hangup', 40_000, { ...ring(2), state: 'ended', busySince: 22_000 }, 'normal'),
    );
    expect(await only(office)).toMatchObject({
      id: '1.1',
      timestamp: '10000',
      result: 'hangup',
      connected: '18',
      duration: '30',
    });
    expect(office.sent.map((text) => /eventType='(\w+)'/.exec(text)?.[1])).toEqual(['new', 'update']);
    // The same call comes back from a parking lot: another part in it, and another entry.
    office.happen(
      event(5),
      step('ringing', 50_000, ring(5)),
      step('hangup', 55_000, { ...ring(5), state: 'ended' }, 'noanswer'),
    );
    expect(idsIn(await find(office))).toEqual(['1.5', '1.1']);
  });

  it('is there for somebody whose number led elsewhere, without their telephone ringing', async () => {
    const office = api();
    call(office, 1, 'answered', { from: { number: '370', name: 'Max' }, ...trunk });
    expect(await only(office)).toMatchObject({
      result: 'hangup',
      resultDetails: 'from',
      via: '370',
      viaDetails: 'redirect',
    });
    expect(await only(office, 'mmeyer@example.org/desk')).toMatchObject({
      result: 'redirect',
      resultDetails: 'to',
      name: 'Zoë Outside',
      duration: '0',
    });
  });

  it('says who transferred an outside call, and nothing twice to whoever did', async () => {
    const office = api();
    const bernd = {
      ...trunk,
      channel: 'PJSIP/370-1' as ChannelId,
      device: 'PJSIP/370' as DeviceName,
      uniqueId: '1.1',
      busySince: 3000,
      state: 'busy' as const,
    };
    const anna = { ...trunk, uniqueId: '1.2', since: 9000, from: { number: '370', name: 'Max' } };
    office.happen(
      event(1),
      step('busy', 3000, bernd),
      step('hangup', 9000, { ...bernd, state: 'ended' }, 'normal'),
    );
    office.happen(
      event(2),
      step('ringing', 9000, anna),
      step('hangup', 20_000, { ...anna, state: 'ended' }, 'noanswer'),
    );
    expect(await only(office)).toMatchObject({
      result: 'missed',
      via: '370',
      viaDetails: 'transfer',
      number: outsider.number,
    });
    expect(await only(office, 'mmeyer@example.org/desk')).toMatchObject({
      result: 'hangup',
      number: outsider.number,
    });
  });

  it('lasts, where nobody saw the end, until the telephone system was last heard', async () => {
    const office = api();
    const talk = { busySince: 3000, state: 'busy' as const };
    office.happen(event(1), step('ringing', 1000), step('busy', 3000, talk));
    office.happen({ type: 'feed-down', at: 13_000 });
    const snapshot = { channels: [], bridges: [], devices: new Map(), meanwhile: [] } as never;
    office.happen(
      { type: 'snapshot', at: 500_000, snapshot },
      step('hangup', 500_000, { ...talk, state: 'ended' }, 'normal'),
    );
    expect(await only(office)).toMatchObject({ duration: '12', connected: '10', result: 'hangup' });
  });

  it('is there for a call of which only the end is told, and once', async () => {
    const office = api();
    const end = step('hangup', 9000, { busySince: 3000, state: 'ended' }, 'normal');
    office.happen(event(1), end);
    office.happen(event(2), end);
    expect(await only(office)).toMatchObject({
      duration: '8',
      connected: '6',
      result: 'hangup',
      name: 'Max Meyer',
    });
  });
});

describe('JournalEntry', () => {
  it('goes to the user, and to supervisors who ask for it, with filters', async () => {
    const office = api();
    const subscribe = (jid: string, attributes: Record<string, string>, filter?: string) =>
      office.ask(
        jid,
        'event',
        xml('AddSubscription', {}, [
          xml('Subscription', { module: 'journal', type: 'JournalEntry', ...attributes }, [
            ...(filter === undefined ? [] : [xml('AttributeFilter', { name: 'result', equals: filter })]),
          ]),
        ]),
      );
    await subscribe(anna, {});
    await subscribe('mmeyer@example.org/desk', {});
    await subscribe(boss, { scope: 'supervisor' }, 'missed');
    call(office, 1, 'answered');
    call(office, 2, 'missed');
    const to = (jid: string) => office.sent.filter((text) => text.includes(`to='${jid as FullJid}'`));
    expect(to(anna).map((text) => idsIn(text)[0])).toEqual(['1.1', '2.1']);
    expect(to('mmeyer@example.org/desk')).toEqual([]);
    expect(to(boss).map((text) => idsIn(text)[0])).toEqual(['2.1']);
  });
});
