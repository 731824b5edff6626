import { describe, expect, it } from 'vitest';
import { xml } from '../../src/protocol/xml.ts';
import { api, user } from './harness.ts';

const anna = 'tweber@example.org/desk';
const findOwn = xml('FindOwn', {});
const message = (mailbox: string, newMessages: number, oldMessages = 0) =>
  ({ type: 'message-waiting', mailbox, newMessages, oldMessages, at: 1 }) as const;
const subscribe = xml('AddSubscription', {}, [xml('Subscription', { module: 'voicemail', type: '*' })]);

describe('FindOwn', () => {
  it('tells what waits in the user’s box', async () => {
    const { ask, models } = api();
    models.mailboxes.apply(message('340@default', 2, 5), []);
    models.mailboxes.apply(message('370@default', 9), []);
    expect(await ask(anna, 'voicemail', findOwn)).toBe(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='voicemail'><Voicemailbox>" +
        '<db_016voi_name>Thomas Weber</db_016voi_name><inboxMessages>2</inboxMessages>' +
        '<db_016voi_mailbox>340</db_016voi_mailbox><db_016voi_tmstmp/>' +
        '<newMessages>2</newMessages><oldMessages>5</oldMessages></Voicemailbox></cmd>',
    );
  });

  it('is empty for who has none', async () => {
    const { ask } = api();
    const answer = await ask('nophone@example.org/desk', 'voicemail', findOwn);
    expect(answer).toContain('<db_016voi_mailbox/>');
    expect(answer).toContain('<inboxMessages>0</inboxMessages>');
  });
});

describe('VoicemailEvent', () => {
  const change = (mailbox: string, newMessages: number, oldMessages = 0) =>
    ({ kind: 'mailbox', mailbox, count: { newMessages, oldMessages }, at: 1 }) as const;

  it('goes to everybody who has the box, and to nobody else', async () => {
    const { ask, change: hire, tell, sent } = api();
    hire(user('assistant', '341', 'Ada Assistant', { mailbox: '340@default' }));
    for (const who of ['tweber', 'assistant', 'mmeyer'])
      await ask(`${who}@example.org/desk`, 'event', subscribe);
    tell(change('340@default', 1, 5));
    expect(sent).toHaveLength(2);
    const told = sent.join('\n');
    expect(told).toContain("to='tweber@example.org/desk'");
    expect(told).toContain("to='assistant@example.org/desk'");
    expect(sent[0]).toContain(
      "<VoicemailEvent eventType='update' eventId='340@default'><mailbox>340</mailbox><newMessages>1</newMessages>" +
        '<oldMessages>5</oldMessages><summary>You have 1 new voice message, 5 old.</summary></VoicemailEvent>',
    );
    tell(change('340@default', 0), change('999@default', 3));
    expect(sent).toHaveLength(4);
    expect(sent[2]).toContain('<summary>You have no new voice messages.</summary>');
  });
});
