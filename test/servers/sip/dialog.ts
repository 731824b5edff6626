/** The dialog below a call (RFC 3261 §12): who talks to whom under which tags, and requests that belong to it. */
import { randomBytes } from 'node:crypto';
import { answerChallenge, type Credentials } from './digest.ts';
import {
  cseq,
  type Header,
  header,
  type Party,
  parameter,
  party,
  type SipMessage,
  status,
  uri,
} from './message.ts';
import { newBranch, type Transport } from './transport.ts';

/** What a call needs of its phone. */
export interface Line {
  readonly transport: Transport;
  readonly self: Party;
  readonly login: Credentials | undefined;
  /** `host:port` of the PBX. */
  readonly pbx: string;
  readonly rtpPort: number;
  note(text: string): void;
}

/** How a dialog begins. */
export interface DialogSetup {
  /** Call-ID. */
  readonly id: string;
  readonly remote: Party;
  /** From header of our requests, without the tag. */
  readonly local: string;
  /** To header of our requests, with the tag if it is known already. */
  readonly peer: string;
  /** Request-URI until a Contact tells better. */
  readonly target: string;
}

/** A dialog as its phone sees it. */
export interface Dialog {
  /** The other party by the newest P-Asserted-Identity (RFC 3325). */
  readonly remote: Party;
  /** Our Contact header. */
  readonly contact: Header;
  /** Our side's name with its tag, for the To header of answers. */
  readonly tagged: Header;
  /** Takes over what a message tells of the other side. */
  learn(message: SipMessage): void;
  /** Sends a request, again with credentials when they are asked for. Resolves with the final response. */
  request(method: string, extra?: readonly Header[], body?: string): Promise<SipMessage>;
  /** Takes the tag of the other side from a 2xx and acknowledges it. */
  confirm(response: SipMessage): void;
  /** Takes back the INVITE that is on its way. */
  cancel(): Promise<void>;
  /** How to refer to this dialog in order to replace it: a Refer-To URI (RFC 3891 §4). */
  replacement(): string;
}

/** Begins a dialog; `onProvisional` gets what comes before the final response to its requests. */
export function beginDialog(
  { transport, self, login }: Line,
  setup: DialogSetup,
  onProvisional: (response: SipMessage) => void,
): Dialog {
  const tag = randomBytes(6).toString('hex');
  const local = `${setup.local};tag=${tag}`;
  const contact: Header = ['Contact', `<sip:${self.number}@${transport.host}:${transport.port}>`];
  let { remote, peer, target } = setup;
  let sequence = 0;
  let branch = '';
  /** Tag of the other side before it has answered (RFC 3261 §12.1.2): an early dialog can be replaced, too. */
  let early = '';

  const build = (method: string, number: number, extra: readonly Header[] = [], body = ''): SipMessage => ({
    start: `${method} ${target} SIP/2.0`,
    headers: [
      ['Max-Forwards', '70'],
      ['From', local],
      ['To', peer],
      ['Call-ID', setup.id],
      ['CSeq', `${number} ${method}`],
      contact,
      ...extra,
    ],
    body,
  });
  const send = (method: string, extra: readonly Header[], body: string) => {
    sequence += 1;
    branch = newBranch();
    return transport.request(build(method, sequence, extra, body), { branch, onProvisional });
  };
  return {
    contact,
    tagged: ['To', local],
    get remote() {
      return remote;
    },
    learn(message) {
      remote = identity(message) ?? remote;
      if (status(message) !== undefined) early = parameter(header(message, 'To'), 'tag');
      target = uri(header(message, 'Contact')) || target;
    },
    async request(method, extra = [], body = '') {
      const response = await send(method, extra, body);
      const challenge = header(response, 'WWW-Authenticate') || header(response, 'Proxy-Authenticate');
      if (!challenge || !login) return response;
      const name = status(response) === 401 ? 'Authorization' : 'Proxy-Authorization';
      return send(method, [...extra, [name, answerChallenge(challenge, method, target, login)]], body);
    },
    confirm(response) {
      peer = header(response, 'To');
      transport.acknowledge(build('ACK', Number.parseInt(cseq(response), 10)), response);
    },
    async cancel() {
      // RFC 3261 §9.1: number and branch are those of the INVITE.
      await transport.request(build('CANCEL', sequence), { branch });
    },
    replacement() {
      const dialog = `${setup.id};to-tag=${parameter(peer, 'tag') || early};from-tag=${tag}`;
      return `${target.replace(/[;?].*$/, '')}?Replaces=${encodeURIComponent(dialog)}`;
    },
  };
}

/** Who a message says its sender is, if it says so. */
export function identity(message: SipMessage): Party | undefined {
  const value = header(message, 'P-Asserted-Identity') || header(message, 'Remote-Party-ID');
  return value ? party(value) : undefined;
}
