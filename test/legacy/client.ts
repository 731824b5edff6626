/**
 * A client as the original system's sample client is: it knows of no component, so that nothing it sends has a `to`, every request
 * is of type `get`, it logs in with SASL PLAIN and without TLS, and announces itself before its initial presence. Requests of
 * others it leaves unanswered, pings included, unless told otherwise. On a bare socket, so that no library behaves any better.
 */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from '../servers/until.ts';
import type { XmppServer, XmppUser } from '../servers/xmpp.ts';
import { find, reader, type Tree, textIn } from '../xmpp/tree.ts';

/** What the client shows of its user, read from `UserInfo` without looking whether it is there. */
export interface Shown {
  readonly name: string;
  readonly fullName: string;
  readonly extension: string;
  /** Name of the first device: what the telephone's buttons act on. */
  readonly device: string;
}

/** One that has logged in. */
export interface LegacyClient {
  /** The full JID that the server gave. */
  readonly jid: string;
  /** Every stanza since the login, in order. */
  readonly stanzas: readonly Tree[];
  send(text: string): void;
  /** Sends an IQ of type `get` without `to` and resolves with its answer. */
  ask(payload: string, attributes?: string): Promise<Tree>;
  /** Sends a command and resolves with the element inside the answer's `cmd`, or with the `error` element. */
  command(module: string, payload: string): Promise<Tree>;
  /** `ClientInfo` with its subscriptions. Throws TypeError where `UserInfo` lacks what the client reads. */
  announce(): Promise<Shown>;
  /** Roster and initial presence, as the sample client does after `UserInfo`. */
  appear(): Promise<void>;
  /** Payloads of the events so far, in order. */
  events(): readonly Tree[];
  /** Ends the stream in order. */
  leave(): Promise<void>;
  /** The machine is switched off, as far as the server can see. */
  vanish(): void;
}

const CMD_NS = 'http://www.pascom.net/mobydick';
export const clientInfo =
  '<ClientInfo><os>Windows</os><osUser>tweber</osUser><clientVersion>1.0</clientVersion><AddSubscription>' +
  ['event', 'base', 'journal']
    .map((module) => `<Subscription module="${module}" type="*" scope="user"/>`)
    .join('') +
  '</AddSubscription></ClientInfo>';

/** Logs in, and does no more. Vanishes with the test. */
export async function legacyClient(
  server: XmppServer,
  { name, password }: XmppUser,
  { resource = 'agsXMPP', refusesPings = false }: { resource?: string; refusesPings?: boolean } = {},
): Promise<LegacyClient> {
  const socket = connect(server.c2sPort, server.host);
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const stanzas: Tree[] = [];
  let closed = false;
  // What goes wrong shows as what does not arrive.
  socket
    .on('error', () => socket.destroy())
    .on('close', () => {
      closed = true;
    });
  socket.setEncoding('utf8').setNoDelay(true);
  const open = `<stream:stream to='${server.domain}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;
  const restart = () => {
    socket.removeAllListeners('data');
    const end = () => void socket.end('</stream:stream>');
    const stanza = (each: Tree) => {
      stanzas.push(each);
      if (!refusesPings || find(each, 'ping') === undefined || each.attrs.type !== 'get') return;
      // The words of XEP-0199 §4.1, which are those of a server for somebody who is not there.
      const error =
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
      socket.write(`<iq type='error' id='${each.attrs.id}' to='${each.attrs.from}'>${error}</iq>`);
    };
    socket.on('data', reader({ start: () => undefined, stanza, end }));
    socket.write(open);
  };
  const next = async (what: string, fits: (stanza: Tree) => boolean) =>
    until(`${name} gets ${what}`, () => stanzas.find(fits));
  let count = 0;
  const ask = (payload: string, attributes = '') => {
    count += 1;
    const id = `agsXMPP_${count}`;
    // Double quotes and no blanks, as its serializer writes.
    socket.write(`<iq id="${id}" type="get"${attributes}>${payload}</iq>`);
    return next(`an answer to ${payload}`, (stanza) => stanza.name === 'iq' && stanza.attrs.id === id);
  };

  restart();
  await next('features', ({ name: kind }) => kind === 'stream:features');
  const initial = Buffer.from(`\0${name}\0${password}`).toString('base64');
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${initial}</auth>`);
  const outcome = await next('in', ({ name: kind }) => kind === 'success' || kind === 'failure');
  if (outcome.name === 'failure') throw new Error(`${name} cannot log in: ${JSON.stringify(outcome)}`);
  stanzas.length = 0;
  restart();
  await next('features', ({ name: kind }) => kind === 'stream:features');
  const jid = await bind(socket, resource, next);
  stanzas.length = 0;

  const command = async (module: string, payload: string) => {
    const answer = await ask(`<cmd xmlns="${CMD_NS}" module="${module}">${payload}</cmd>`);
    const [inner] = (find(answer, 'cmd') ?? answer).children.filter((node) => typeof node !== 'string');
    return find(answer, 'error') ?? inner ?? answer;
  };
  return {
    jid,
    stanzas,
    send: (text) => void socket.write(text),
    ask,
    command,
    async announce() {
      const info = await command('xmppuser', clientInfo);
      const identity = demand(info, 'Identity');
      const place = demand(demand(info, 'LocationList'), 'Location');
      const device = demand(demand(place, 'DeviceEntry'), 'Phonedevice').attrs.name;
      if (device === undefined) throw new TypeError('Phonedevice has no name');
      return {
        name: textIn(demand(identity, 'db_003use_name')),
        fullName: textIn(demand(identity, 'db_003use_bez')),
        extension: textIn(demand(identity, 'db_009ext_extension')),
        device,
      };
    },
    async appear() {
      await ask('<query xmlns="jabber:iq:roster"/>');
      socket.write('<presence><priority>5</priority></presence>');
      await next('its own presence', ({ name: kind, attrs }) => kind === 'presence' && attrs.from === jid);
    },
    events: () =>
      stanzas
        .filter(({ name: kind, attrs }) => kind === 'message' && attrs.type === 'headline')
        .flatMap((message) => find(message, 'cmd')?.children ?? [])
        .filter((node) => typeof node !== 'string'),
    async leave() {
      socket.end('</stream:stream>');
      await until(`${jid} is out`, () => closed);
    },
    vanish: () => void socket.destroy(),
  };
}

async function bind(
  socket: Socket,
  resource: string,
  next: (what: string, fits: (stanza: Tree) => boolean) => Promise<Tree>,
): Promise<string> {
  const ns = 'urn:ietf:params:xml:ns:xmpp-bind';
  socket.write(`<iq id='bind' type='set'><bind xmlns='${ns}'><resource>${resource}</resource></bind></iq>`);
  const bound = await next('a resource', ({ attrs }) => attrs.id === 'bind');
  const jid = textIn(find(find(bound, 'bind'), 'jid'));
  if (jid === '') throw new Error(`no resource: ${JSON.stringify(bound)}`);
  return jid;
}

/** As `element.GetTag(name).…` of a client that does not look first. */
function demand(parent: Tree, name: string): Tree {
  const found = find(parent, name);
  if (found === undefined) throw new TypeError(`${parent.name} has no ${name}`);
  return found;
}
