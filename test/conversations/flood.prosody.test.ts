/** Too many requests and too many events, on a real server: who asks is answered, and nobody pays for others. */

import { expect, it } from 'vitest';
import { until } from '../servers/until.ts';
import { COMPONENT } from './office.ts';
import { people } from './people.ts';
import { CMD_NS, subscription } from './person.ts';
import { inOffice } from './stories.ts';
import { quietRequests, volley } from './volley.ts';

const { anna, bernd, carla } = people;

inOffice(
  {
    xmpp: 'prosody',
    pbx: 'simulator',
    store: 'memory',
    settings: { RATE_LIMIT_PER_SECOND: '5', RATE_LIMIT_BURST: '20' },
  },
  (office) =>
    it('a flood of one user is refused, each request once, and touches nobody else', {
      timeout: 120_000,
    }, async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      const flood = await volley(a, 40, quietRequests);
      expect(await b.command('base.FindChannels')).toMatchObject({ name: 'ChannelList' });
      await office().phone(bernd).dial(anna.extension);
      await office().phone(anna).answer();
      // Events are no requests: they go on for who floods as well.
      for (const who of [a, b]) await who.told('busy');
      await flood.answered(60);
      flood.expectOneAnswerEach();
      expect(flood.outcome().get('resource-constraint')).toBeGreaterThan(flood.size / 2);
      await until('the user is served again', async () => {
        const answer = await a.command('base.FindChannels');
        return answer.name === 'ChannelList';
      });
    }),
);

inOffice({ xmpp: 'prosody', pbx: 'simulator', store: 'memory', relayed: true }, (office) =>
  it('an answer overtakes the events that wait because the server does not keep up', {
    timeout: 180_000,
  }, async () => {
    const c = await office().login(carla);
    // Each event once a session, all of them for one who supervises.
    const all = subscription({ scope: 'supervisor' });
    await c.handshake(all);
    for (let n = 0; n < 9; n++) await (await office().login(carla)).handshake(all);
    const { bridge } = office().bridge.offhook;
    const { backlog } = bridge.publish;

    office().lines.xmpp.hold();
    const { asterisk } = office().telephones;
    const [from, to] = [asterisk.phone(anna.extension), asterisk.phone(bernd.extension)];
    for (let made = 0; made < 3000; made++) {
      from.call(to.number);
      await until('it rings', () => to.state().length === 1);
      to.answer();
      await new Promise((resolve) => setImmediate(resolve));
      // Of a call that is over nothing waits, where nobody was told of it.
      if (backlog.waiting > 0) break;
      from.hangup();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(backlog.waiting).toBeGreaterThan(0);
    // What there is to tell was there before the question.
    const before = bridge.subscriptions;
    await c.send(
      `<iq type='set' id='late' to='${COMPONENT}'><cmd xmlns='${CMD_NS}' module='event'>` +
        "<AddSubscription><Subscription module='queue' type='*'/></AddSubscription></cmd></iq>",
    );
    await until('it is answered', () => bridge.subscriptions > before, 20);
    office().lines.xmpp.release();
    const place = () => c.stanzas.findIndex(({ attrs }) => attrs.id === 'late');
    await until('the answer comes', () => place() >= 0, 90);
    expect(c.stanzas[place()]?.attrs.type).toBe('result');
    // A tenth of what may be on its way to the server, whose kernel and whose line would take ten times as much.
    const earlier = c.stanzas.slice(0, place()).filter(({ name }) => name === 'message');
    expect(earlier.length).toBeLessThan(150);
    await until('all is told', () => backlog.waiting === 0, 60);
    const later = () => c.stanzas.slice(place()).filter(({ name }) => name === 'message').length;
    await until('events come after the answer', () => later() > 10, 60);
  }),
);
