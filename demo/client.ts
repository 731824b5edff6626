/** A small XMPP client that logs in, sends commands, and shows the events that come. */

import { client as createXmppClient, type Element, xml } from '@xmpp/client';
import { exchange } from './screen.ts';

const CMD_NS = 'http://www.pascom.net/mobydick';

/** One ChannelEvent as the client understood it. */
export interface SeenEvent {
  readonly type: string;
  readonly channel: string;
}

/** A logged-in person. */
export interface Person {
  readonly jid: string;
  /** Every ChannelEvent so far, oldest first. */
  readonly events: readonly SeenEvent[];
  /** Sends `<cmd module><name …/></cmd>` to the component, prints both ways, and returns the answer's payload. */
  command(
    module: string,
    name: string,
    attributes: Readonly<Record<string, string>>,
    children?: readonly Element[],
  ): Promise<Element>;
  /** The login handshake: subscribes to all events of module `base`. */
  handshake(): Promise<Element>;
  logout(): Promise<void>;
}

/** Logs in. Rejects where the server refuses or does not answer. */
export async function logIn(options: {
  readonly host: string;
  readonly port: number;
  readonly domain: string;
  readonly component: string;
  readonly name: string;
  readonly password: string;
}): Promise<Person> {
  const { host, port, domain, component, name, password } = options;
  const xmpp = createXmppClient({
    service: `xmpp://${host}:${port}`,
    domain,
    username: name,
    password,
    resource: 'demo',
  });
  const events: SeenEvent[] = [];
  xmpp.on('error', () => {
    // start() rejects as well; what happens later ends the session, which the demo does not outlive.
  });
  xmpp.on('stanza', (stanza: Element) => {
    const payload =
      stanza.name === 'message' ? stanza.getChild('cmd', CMD_NS)?.getChildElements()[0] : undefined;
    if (payload?.name === 'ChannelEvent') showEvent(payload);
  });
  const address = await xmpp.start();

  function showEvent(event: Element): void {
    const of = (child: string) => event.getChildText(child) ?? '';
    events.push({ type: of('eventType'), channel: of('eventId') });
    const direction = of('outbound') === 'true' ? 'out' : 'in';
    const details = of('eventDetails') === '' ? '' : ` (${of('eventDetails')})`;
    const party = (role: string) => `${of(`${role}Name`)} ${of(`${role}Number`)}`.trim() || '(not known yet)';
    exchange(
      name,
      '←',
      `${of('eventType')}${details}`,
      `${direction}: ${party('source')} → ${party('target')}`,
    );
  }

  async function ask(payload: Element, module: string): Promise<Element> {
    const cmd = xml('cmd', { xmlns: CMD_NS, module }, payload);
    const answer: Element = await xmpp.iqCaller.request(xml('iq', { type: 'set', to: component }, cmd));
    const [found] = answer.getChild('cmd', CMD_NS)?.getChildElements() ?? [];
    if (found === undefined) throw new Error('the bridge answered without a payload');
    return found;
  }

  return {
    jid: String(address),
    events,
    async command(module, command, attributes, children = []) {
      const shown = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
      exchange(name, '→', `${module}.${command}`, shown.join(' '));
      const answer = await ask(xml(command, attributes, ...children), module);
      if (answer.name === 'Success' || answer.name === 'Failure') {
        exchange(name, '←', `base.${answer.name}`, answer.getChildText('message') ?? '');
      }
      return answer;
    },
    async handshake() {
      const subscribe = xml('AddSubscription', {}, xml('Subscription', { module: 'base', type: '*' }));
      exchange(name, '→', 'xmppuser.ClientInfo', 'subscribes to all events of module base');
      const info = await ask(xml('ClientInfo', {}, xml('os', {}, process.platform), subscribe), 'xmppuser');
      const identity = info.getChild('Identity');
      const device = info
        .getChild('LocationList')
        ?.getChild('Location')
        ?.getChild('DeviceEntry')
        ?.getChild('Phonedevice');
      const person = `${identity?.getChildText('db_003use_bez')}, extension ${identity?.getChildText('db_009ext_extension')}`;
      exchange(name, '←', 'xmppuser.UserInfo', `${person}, ${device?.attrs.name}`);
      return info;
    },
    async logout() {
      await xmpp.stop();
    },
  };
}
