/** A client of the old kind, over a bare socket: it answers a ping with the error of RFC 6120 §8.4 for what it does not know. */

import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { XmppServer } from '../servers/index.ts';
import { until } from '../servers/until.ts';

export interface LegacyClient {
  readonly jid: string;
  /** Everything that came, as text. */
  readonly received: () => string;
  /** How many pings it has refused. */
  readonly refused: () => number;
  send(text: string): void;
  /** Gone without a word. */
  vanish(): void;
}

/** Logs in with SASL PLAIN (RFC 4616), without stream management. Vanishes with the test. */
export async function legacyLogin(
  server: XmppServer,
  { name, password }: { readonly name: string; readonly password: string },
  resource: string,
): Promise<LegacyClient> {
  const socket = connect(server.c2sPort, server.host).setEncoding('utf8');
  onTestFinished(() => void socket.destroy());
  let received = '';
  let refused = 0;
  socket.on('data', (text: string) => {
    received += text;
    for (const [iq] of text.matchAll(/<iq [^>]*>\s*<ping [^>]*\/>/g)) {
      const id = / id=["']([^"']+)/.exec(iq)?.[1];
      const from = / from=["']([^"']+)/.exec(iq)?.[1];
      const error =
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
      socket.write(`<iq type='error' id='${id}' to='${from}'>${error}</iq>`);
      refused += 1;
    }
  });
  const exchange = async (text: string, answer: RegExp) => {
    const seen = received.length;
    socket.write(text);
    await until(`the server answers ${answer}`, () => answer.test(received.slice(seen)));
  };
  const open = `<stream:stream to='${server.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
  const credentials = Buffer.from(`\0${name}\0${password}`).toString('base64');
  await exchange(open, /<\/stream:features>/);
  await exchange(
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${credentials}</auth>`,
    /<success/,
  );
  await exchange(open, /<\/stream:features>/);
  const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}</resource></bind>`;
  await exchange(`<iq type='set' id='bind'>${bind}</iq>`, /<jid>/);
  return {
    jid: `${name}@${server.domain}/${resource}`,
    received: () => received,
    refused: () => refused,
    send: (text) => void socket.write(text),
    vanish: () => void socket.destroy(),
  };
}
