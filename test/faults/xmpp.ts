/** What can happen to an XMPP server, and to the line to it. */

import { pino } from 'pino';
import { type Component, createComponent } from '../../src/xmpp/component.ts';
import { COMPONENT } from '../conversations/office.ts';
import { until } from '../servers/until.ts';
import type { Situation, Suffering } from './scene.ts';

const offline = ({ bridge }: Suffering) => until('the bridge notices', () => !bridge.readiness.ready, 30);

const ends: readonly Situation[] = [
  {
    name: 'the XMPP server is killed (SIGKILL) and comes back',
    streams: 'lost',
    async harm({ xmpp }) {
      await xmpp.kill();
      return () => xmpp.restart();
    },
  },
  {
    name: 'the XMPP server is restarted',
    streams: 'lost',
    async harm({ xmpp }) {
      await xmpp.restart();
      return undefined;
    },
  },
];

const lines: readonly Situation[] = [
  {
    name: 'the XMPP server is stopped (SIGSTOP) and goes on',
    unnoticed: true,
    async harm(office) {
      process.kill(office.xmpp.pid, 'SIGSTOP');
      await offline(office);
      return async () => process.kill(office.xmpp.pid, 'SIGCONT');
    },
  },
  {
    name: 'the line to the XMPP server is dead at the other end (half-open)',
    unnoticed: true,
    async harm(office, ask) {
      const { xmpp } = office.lines;
      xmpp.freeze();
      const before = xmpp.ledger.lost.size;
      await ask();
      await until('the server says requests to nobody', () => xmpp.ledger.lost.size > before);
      await offline(office);
      return async () => xmpp.mend();
    },
  },
  {
    name: 'the XMPP server refuses the secret',
    async harm(office) {
      const { lines } = office;
      lines.xmpp.rewrite((text) => text.replace(/<handshake>\w+/, `<handshake>${'0'.repeat(40)}`));
      lines.xmpp.cut();
      await offline(office);
      lines.xmpp.mend();
      lines.xmpp.rewrite((text) => text.replace(/<handshake>\w+/, `<handshake>${'0'.repeat(40)}`));
      await until('it is refused', () => /secret/i.test(office.bridge.readiness.lines.join()));
      return async () => lines.xmpp.mend();
    },
  },
  {
    name: 'the XMPP server is slower than what there is to say',
    async harm({ lines, bridge }) {
      lines.xmpp.slow(2000);
      lines.xmpp.cut();
      await until('the bridge notices', () => !bridge.readiness.ready);
      lines.xmpp.mend();
      lines.xmpp.slow(2000);
      await bridge.isReady();
      return async () => {
        lines.xmpp.mend();
        lines.xmpp.hurry();
      };
    },
  },
];

/** Another component of the bridge's name, which serves nothing. */
function rivalIn({ xmpp }: Suffering): Component {
  return createComponent({
    service: `xmpp://${xmpp.host}:${xmpp.componentPort}`,
    domain: COMPONENT,
    secret: xmpp.component.secret,
    log: pino({ level: 'silent' }),
  });
}

/** Needs a Prosody that lets the newer of two components win. */
export const conflict: Situation = {
  name: 'the XMPP server gives the JID to another component (conflict)',
  async harm(office) {
    const rival = rivalIn(office);
    await rival.start();
    await until('the bridge is told why', () =>
      /conflict|another|replaced/i.test(office.bridge.readiness.lines.join()),
    );
    return () => rival.stop(1000);
  },
};

/** COMPAT: ejabberd takes both, and gives each stanza to either of them: pings of the bridge's own get lost, and it connects anew. */
export const rivalry: Situation = {
  name: 'the XMPP server takes another component of the same JID as well, and divides stanzas between the two',
  unnoticed: true,
  async harm(office) {
    const rival = rivalIn(office);
    await rival.start();
    await until('it gets what was for the bridge', () => rival.counters.received > 0, 30);
    return () => rival.stop(1000);
  },
};

export const xmppSituations: readonly Situation[] = [...lines, ...ends];
