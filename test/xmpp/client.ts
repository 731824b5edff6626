/** An XMPP user for tests against real servers: logs in, sends what it is told, keeps what it gets. */

import { client, type Element } from '@xmpp/client';
import { onTestFinished } from 'vitest';
import { until } from '../servers/until.ts';
import type { XmppServer, XmppUser } from '../servers/xmpp.ts';

export interface User {
  /** The full JID. */
  readonly jid: string;
  /** Every stanza since the login, in order. */
  readonly stanzas: readonly Element[];
  /** Sends stanzas as they are written. */
  send(text: string): Promise<void>;
  /** Sends an IQ and resolves with its answer, `result` or `error`. */
  ask(to: string, payload: string, type?: 'get' | 'set'): Promise<Element>;
  leave(): Promise<void>;
}

/** Logs in and sends the initial presence. Logs out with the test. */
export async function login(
  server: XmppServer,
  { name, password }: XmppUser,
  resource: string,
): Promise<User> {
  const service = `xmpp://${server.host}:${server.c2sPort}`;
  const entity = client({ service, domain: server.domain, resource, username: name, password });
  entity.reconnect.stop();
  const stanzas: Element[] = [];
  entity.on('element', (element: Element) => stanzas.push(element));
  // COMPAT: the library counts neither what is sent by `write` nor what comes before `<enabled/>`, and ends the stream over
  // it (XEP-0198): it shall not see that the server offers acknowledgements, in whatever versions.
  entity.prependListener('element', ({ name: kind, children }: Element) => {
    if (kind !== 'stream:features') return;
    const others = children.filter((node) => typeof node === 'string' || node.name !== 'sm');
    children.splice(0, children.length, ...others);
  });
  // COMPAT: the library decodes each TCP chunk on its own, which damages what is not ASCII.
  entity.on('connect', () => entity.socket?.setEncoding('utf8'));
  // What goes wrong shows as what does not arrive.
  entity.on('error', () => undefined);
  const jid = (await entity.start()).toString();
  onTestFinished(() => entity.stop().then(() => undefined));
  await entity.write('<presence/>');
  await until(`${jid} sees itself online`, () =>
    stanzas.some(({ name: kind, attrs }) => kind === 'presence' && attrs.from === jid),
  );
  let count = 0;
  return {
    jid,
    stanzas,
    send: (text) => entity.write(text),
    async ask(to, payload, type = 'get') {
      count += 1;
      const id = `ask${count}`;
      await entity.write(`<iq type='${type}' id='${id}' to='${to}'>${payload}</iq>`);
      return until(`an answer to ${payload}`, () =>
        stanzas.find((stanza) => stanza.name === 'iq' && stanza.attrs.id === id),
      );
    },
    leave: () => entity.stop().then(() => undefined),
  };
}
