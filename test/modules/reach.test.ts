/** How far supervisors see and reach, in commands and in events alike. */
import { describe, expect, it } from 'vitest';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import { type XmlElement, xml } from '../../src/protocol/xml.ts';
import { api, user, view } from './harness.ts';

const boss = 'boss@example.org/desk';
const sales = new Set(['sales']);
const supervisor = new Set(['xmpp.connect', 'xmpp.supervisor'] as const);
const bea = user('boss', '320', 'Bea Boss', {
  groups: sales,
  roles: supervisor,
  pickupGroups: new Set<string>(),
});
const thomas = user('tweber', '340', 'Thomas Weber', { groups: sales, pickupGroups: sales });

/** A supervisor of sales, who listens to everything; Thomas is in sales, Max is not. */
async function office(withinGroups = true) {
  const it = api();
  it.allow({ supervisorsWithinGroups: withinGroups, dialFrom: true });
  it.change(bea, thomas);
  const subscribe = xml('AddSubscription', {}, [
    xml('Subscription', { module: '*', type: '*', scope: 'supervisor' }),
    xml('Subscription', { module: '*', type: '*', scope: 'user' }),
  ]);
  await it.ask(boss, 'event', subscribe);
  return it;
}

const rings = (number: string) =>
  ({
    kind: 'channel',
    type: 'ringing',
    details: '',
    view: view({ device: `PJSIP/${number}` as DeviceName }),
    at: 1,
  }) as const;
const pickable = {
  kind: 'pickup',
  type: 'ringing',
  device: 'PJSIP/370' as DeviceName,
  channel: view().channel,
  source: { number: '1', name: '' },
  sourceDevice: '',
  at: 1,
} as const;
const stranger = { number: '1', name: '' };
const inRoom = {
  kind: 'conference',
  type: 'join',
  room: '800',
  uniqueId: '1.0',
  caller: stranger,
  present: [],
  at: 1,
} as const;

describe('a supervisor who stays within groups', () => {
  it('is told of their users, of what those hear, and of nobody else', async () => {
    const { tell, sent } = await office();
    tell(rings('370'), { ...inRoom, channel: 'PJSIP/370-00000000' as ChannelId });
    expect(sent).toEqual([]);
    tell(rings('340'));
    expect(sent).toHaveLength(1);
    tell(rings('320'));
    expect(sent).toHaveLength(2);
  });

  it('is told what a colleague of the group may pick up', async () => {
    const { tell, sent, change } = await office();
    tell(pickable);
    expect(sent).toEqual([]);
    change(bea, thomas, user('mmeyer', '370', 'Max Meyer', { callGroups: sales }));
    tell(pickable);
    expect(sent).toHaveLength(1);
  });

  it('is told nothing more from the moment on at which a group is taken away', async () => {
    const { tell, sent, change } = await office();
    change(bea, user('tweber', '340', 'Thomas Weber'));
    tell(rings('340'));
    expect(sent).toEqual([]);
  });

  it('looks up, lists and dials for their users only', async () => {
    const { ask, views, actions } = await office();
    views.push(
      view({ state: 'busy' }),
      view({ state: 'busy', channel: 'PJSIP/370-00000000' as ChannelId, device: 'PJSIP/370' as DeviceName }),
    );
    const all = await ask(boss, 'base', xml('FindChannels', { scope: 'supervisor' }));
    expect(all.match(/<ChannelEvent>/g)).toHaveLength(1);
    expect(await ask(boss, 'xmppuser', xml('FindUserInfo', { jid: 'tweber' }))).toContain('<UserInfo');
    for (const [module, payload] of [
      ['xmppuser', xml('FindUserInfo', { jid: 'mmeyer' })],
      ['xmppuser', xml('FindUserInfo', { jid: 'mmeyer@example.org/desk' })],
      ['base', xml('DialFrom', { identity: 'mmeyer', target: '340' })],
    ] satisfies [string, XmlElement][]) {
      expect(await ask(boss, module, payload)).toContain(
        "code='not-permitted'><message>Max Meyer is in none of your groups.",
      );
    }
    expect(await ask(boss, 'xmppuser', xml('FindUserInfo'))).toContain('<UserInfo');
    expect(actions).toEqual([]);
  });
});

it('a supervisor without limits is told of everybody, and of who is no user', async () => {
  const { tell, sent } = await office(false);
  tell(rings('370'), rings('340'), { ...inRoom, channel: 'PJSIP/trunk-00000001' as ChannelId });
  expect(sent).toHaveLength(3);
});
