/**
 * An XMPP server's component port (XEP-0114) in this process, and a bridge in a process of its own that is connected to it. The port believes
 * everybody and reads no more than it must: an XML parser there would be the slowest part of the road.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

export const domain = 'example.test';
export const component = `pbx.${domain}`;
const secret = 'bench';
const main = fileURLToPath(new URL('../src/main.js', import.meta.url));

/** A whole stanza at the beginning, with content or without. */
const stanza = /^<(iq|message|presence)\b[^>]*?(?:\/>|>.*?<\/\1>)/s;

/** A question to the component's own address, with a resource or without, or the answer to one. */
const toItself = new RegExp(`^<iq [^>]*to='${component}[/']`);

/** AMI users of the simulated Asterisk: without the right to filter, every event reaches the bridge. */
export const users = [
  { username: 'feed', secret, read: ['all'], write: ['reporting'] },
  { username: 'control', secret, read: ['call'], write: ['all'] },
];

/** Starts a port; what the component says to itself goes back to it, everything else is shown as text. */
export async function startPort(onStanza: (text: string) => void) {
  let online: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    online = resolve;
  });
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.setNoDelay(true).setEncoding('utf8'));
    let rest = '';
    let greeted = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (text: string) => {
      rest += text;
      if (!greeted) {
        if (rest.includes('<stream:stream'))
          socket.write(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>",
          );
        greeted = rest.includes('</handshake>');
        rest = greeted ? rest.slice(rest.indexOf('</handshake>') + '</handshake>'.length) : '';
        if (!greeted) return;
        socket.write('<handshake/>');
        online(socket);
      }
      for (let next = stanza.exec(rest); next !== null; next = stanza.exec(rest)) {
        const [whole] = next;
        rest = rest.slice(whole.length);
        if (toItself.test(whole)) socket.write(whole);
        else onStanza(whole);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    /** The component's connection. */
    accepted,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Starts a bridge between the two ports; `settings` as in `.env`. */
export function startBridge(xmpp: number, ami: number, settings: Readonly<Record<string, string>>) {
  const bridge = fork(main, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      XMPP_SERVICE: `xmpp://127.0.0.1:${xmpp}`,
      XMPP_COMPONENT: component,
      XMPP_SECRET: secret,
      AMI_PORT: String(ami),
      AMI_USERNAME: 'control',
      AMI_SECRET: secret,
      AMI_FEED_USERNAME: 'feed',
      AMI_FEED_SECRET: secret,
      HTTP_LISTEN: '',
      LOG_LEVEL: 'error',
      ...settings,
    },
  });
  return {
    async stop() {
      bridge.kill();
      await once(bridge, 'exit');
    },
  };
}

/** A command that subscribes a user's session to events. */
export const subscribe = (session: string, subscription: string) =>
  `<iq type='set' id='s' from='${session}' to='${component}'>` +
  "<cmd xmlns='http://www.pascom.net/mobydick' module='event'><AddSubscription>" +
  `<Subscription ${subscription}/></AddSubscription></cmd></iq>`;
