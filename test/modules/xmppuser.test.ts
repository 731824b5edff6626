import { describe, expect, it } from 'vitest';
import { xml } from '../../src/protocol/xml.ts';
import { api } from './harness.ts';

const anna = 'tweber@example.org/desk';
const boss = 'boss@example.org/desk';
const subscriptions = (...scopes: string[]) =>
  xml(
    'AddSubscription',
    {},
    scopes.map((scope) => xml('Subscription', { module: 'base', type: '*', scope })),
  );

describe('ClientInfo', () => {
  it('opens a session and answers everything about the user', async () => {
    const { ask, sessions, models } = api();
    const waiting = { newMessages: 2, oldMessages: 1 };
    models.mailboxes.apply({ type: 'message-waiting', mailbox: '340@default', ...waiting, at: 1 }, []);
    const answer = await ask(
      anna,
      'xmppuser',
      xml('ClientInfo', {}, [xml('os', {}, ['Debian']), subscriptions('user')]),
    );
    expect([...sessions.all()]).toMatchObject([{ jid: anna, client: { os: 'Debian' } }]);
    const order = [
      'Identity',
      'RoleList',
      'LocationList',
      'Voicemailbox',
      'RedirectEntry',
      'QueueMemberStates',
      'SubscriptionList',
    ];
    const places = order.map((name) => answer.indexOf(`<${name}`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(answer).toContain(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='xmppuser'><UserInfo name='tweber'>",
    );
    expect(answer).toContain(
      '<db_003use_name>tweber</db_003use_name><db_003use_bez>Thomas Weber</db_003use_bez>',
    );
    expect(answer).toContain('<db_009ext_extension>340</db_009ext_extension><faxextension/>');
    expect(answer).toMatch(/<db_003use_id>[1-9][0-9]*<\/db_003use_id>/);
    expect(answer).toContain("<Roletype name='xmpp.connect'/>");
    expect(answer).toContain(
      "<Location name='Thomas Weber' isstatic='true' username='tweber'><DeviceEntry delayinternal='0'",
    );
    expect(answer).toContain(
      "<Phonedevice name='Desk 340' type='hardphone'><capabilities><dial/><hangup/><hold/></capabilities>",
    );
    expect(answer).toContain('<inboxMessages>2</inboxMessages><db_016voi_mailbox>340</db_016voi_mailbox>');
    expect(answer).toContain(
      "<RedirectEntry eventType='update' eventId='340'><source>340</source><target/><old/><busy/><noanswer/><doNotDisturb>false</doNotDisturb></RedirectEntry>",
    );
    expect(answer).toContain(
      "<SubscriptionList><Subscription module='base' type='*' scope='user'/></SubscriptionList>",
    );
  });

  it('replaces the subscriptions of the session that is open', async () => {
    const { ask, sessions } = api();
    await ask(anna, 'xmppuser', xml('ClientInfo', {}, [subscriptions('user')]));
    expect(await ask(anna, 'xmppuser', xml('ClientInfo'))).toContain('<SubscriptionList/>');
    expect([...sessions.all()]).toMatchObject([{ jid: anna, subscriptions: [] }]);
  });

  it('opens nothing where a subscription is not permitted', async () => {
    const { ask, sessions } = api();
    const answer = await ask(anna, 'xmppuser', xml('ClientInfo', {}, [subscriptions('user', 'supervisor')]));
    expect(answer).toContain("<Failure code='not-permitted'>");
    expect(sessions.size).toBe(0);
  });

  it('keeps to its limits, and says so', async () => {
    const { ask, sessions } = api();
    for (const resource of ['a', 'b', 'c'])
      await ask(`tweber@example.org/${resource}`, 'xmppuser', xml('ClientInfo'));
    expect(await ask('tweber@example.org/d', 'xmppuser', xml('ClientInfo'))).toContain(
      "<Failure code='rejected'>",
    );
    expect(await ask('tweber@example.org/a', 'xmppuser', xml('ClientInfo'))).toContain('<UserInfo');
    expect(sessions.size).toBe(3);
  });
});

describe('FindUserInfo', () => {
  it('answers the sender with the subscriptions of the session', async () => {
    const { ask } = api();
    await ask(anna, 'xmppuser', xml('ClientInfo', {}, [subscriptions('user')]));
    expect(await ask(anna, 'xmppuser', xml('FindUserInfo'))).toContain(
      "<SubscriptionList><Subscription module='base'",
    );
    expect(await ask(anna, 'xmppuser', xml('FindUserInfo', { jid: '' }))).toContain('<SubscriptionList>');
  });

  it.each(['mmeyer', 'mmeyer@example.org', 'nobody', 'nobody@example.org'])(
    'tells a user nothing of %s',
    async (jid) => {
      expect(await api().ask(anna, 'xmppuser', xml('FindUserInfo', { jid }))).toContain(
        "<Failure code='not-permitted'>",
      );
    },
  );

  it('tells supervisors: without subscriptions for a user, with them for a session', async () => {
    const { ask } = api();
    await ask(anna, 'xmppuser', xml('ClientInfo', {}, [subscriptions('user')]));
    for (const jid of ['tweber', 'tweber@example.org']) {
      const answer = await ask(boss, 'xmppuser', xml('FindUserInfo', { jid }));
      expect(answer).toContain("<UserInfo name='tweber'>");
      expect(answer).not.toContain('SubscriptionList');
    }
    expect(await ask(boss, 'xmppuser', xml('FindUserInfo', { jid: anna }))).toContain(
      "<Subscription module='base'",
    );
    expect(await ask(boss, 'xmppuser', xml('FindUserInfo', { jid: 'nobody' }))).toContain(
      "<Failure code='no-such-user'>",
    );
  });
});
