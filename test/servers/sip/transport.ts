/** SIP over UDP with its transactions (RFC 3261 §17, §18): every request is answered once, whatever is sent twice. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import {
  cseq,
  formatMessage,
  type Header,
  header,
  method,
  parameter,
  parseMessage,
  type SipMessage,
  status,
} from './message.ts';

/** Where a message goes. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One UDP socket of a phone. */
export interface Transport extends Address {
  /**
   * Sends a request (without Via) and resolves with the final response. An INVITE that is refused is acknowledged here.
   * @throws Error when nothing comes back within 10 s.
   */
  request(request: SipMessage, options?: RequestOptions): Promise<SipMessage>;
  /** Sends what has no answer, the ACK of a 2xx, and again when `response` is repeated. */
  acknowledge(ack: SipMessage, response: SipMessage): void;
  /** Answers a request; a final answer to an INVITE is repeated until its ACK comes. */
  respond(request: SipMessage, status: string, extra?: readonly Header[], body?: string): void;
  close(): Promise<void>;
}

/** How a request is sent. */
export interface RequestOptions {
  /** Of the Via header; a CANCEL has that of its INVITE. Default: a new one. */
  readonly branch?: string;
  onProvisional?(response: SipMessage): void;
}

interface Pending {
  readonly settle: (response: SipMessage) => void;
  readonly provisional: (response: SipMessage) => void;
}

/** T1 of RFC 3261 §17.1.1.1 and how often a message is repeated, in ms and times. */
const [repeatAfter, repeats] = [500, 20];

/** Opens the socket; `onRequest` gets each new request but ACK, `onAck` each ACK. */
export async function openTransport(
  local: Address,
  remote: Address,
  handlers: { onRequest(request: SipMessage): void; onAck(ack: SipMessage): void },
): Promise<Transport> {
  const socket = createSocket('udp4');
  const pending = new Map<string, Pending>();
  const answered = new Map<string, string>();
  const acknowledged = new Map<string, SipMessage>();
  const repeating = new Map<string, NodeJS.Timeout>();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).bind(local.port, local.host, () => resolve());
  });

  const send = (text: string) => socket.send(text, remote.port, remote.host);
  const repeat = (key: string, text: string, failed: () => void = () => {}) => {
    let count = 0;
    const timer = setInterval(() => {
      count += 1;
      if (count < repeats) return send(text);
      calm(key);
      failed();
    }, repeatAfter);
    repeating.set(key, timer);
    send(text);
  };
  const calm = (key: string) => {
    clearInterval(repeating.get(key));
    repeating.delete(key);
  };

  const onResponse = (response: SipMessage) => {
    const key = transaction(response);
    const ack = acknowledged.get(key);
    if (ack) return send(formatMessage(ack));
    const waiting = pending.get(key);
    if (!waiting) return;
    calm(key);
    if ((status(response) ?? 0) < 200) return waiting.provisional(response);
    pending.delete(key);
    waiting.settle(response);
  };

  const onRequest = (request: SipMessage) => {
    if (method(request) === 'ACK') {
      calm(inviteOf(request));
      return handlers.onAck(request);
    }
    const key = transaction(request);
    const answer = answered.get(key);
    if (answer !== undefined) return answer ? send(answer) : undefined;
    answered.set(key, '');
    handlers.onRequest(request);
  };

  socket.on('message', (data: Buffer) => {
    const message = parseMessage(data.toString('utf8'));
    if (!message) return;
    if (status(message) === undefined) onRequest(message);
    else onResponse(message);
  });

  return {
    ...local,
    request(request, { branch = newBranch(), onProvisional = () => {} } = {}) {
      const via: Header = ['Via', `SIP/2.0/UDP ${local.host}:${local.port};branch=${branch};rport`];
      const full = { ...request, headers: [via, ...request.headers] };
      const key = transaction(full);
      return new Promise((resolve, reject) => {
        const settle = (response: SipMessage) => {
          if (method(request) === 'INVITE' && (status(response) ?? 0) >= 300) {
            const ack = refusalAck(full, response);
            acknowledged.set(key, ack);
            send(formatMessage(ack));
          }
          resolve(response);
        };
        pending.set(key, { settle, provisional: onProvisional });
        repeat(key, formatMessage(full), () => {
          pending.delete(key);
          reject(new Error(`No answer to ${request.start}`));
        });
      });
    },
    acknowledge(ack, response) {
      const via: Header = ['Via', `SIP/2.0/UDP ${local.host}:${local.port};branch=${newBranch()};rport`];
      const full = { ...ack, headers: [via, ...ack.headers] };
      acknowledged.set(transaction(response), full);
      send(formatMessage(full));
    },
    respond(request, line, extra = [], body = '') {
      const copied = request.headers.filter(([name]) => /^(via|from|call-id|cseq)$/i.test(name));
      const to = extra.some(([name]) => name === 'To') ? [] : [['To', header(request, 'To')] as const];
      const text = formatMessage({ start: `SIP/2.0 ${line}`, headers: [...copied, ...to, ...extra], body });
      answered.set(transaction(request), text);
      if (method(request) === 'INVITE' && Number.parseInt(line, 10) >= 200) repeat(inviteOf(request), text);
      else send(text);
    },
    close() {
      for (const key of [...repeating.keys()]) calm(key);
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

/** A branch as RFC 3261 §8.1.1.7 wants it. */
export function newBranch(): string {
  return `z9hG4bK${randomBytes(8).toString('hex')}`;
}

function transaction(message: SipMessage): string {
  return `${parameter(header(message, 'Via'), 'branch')} ${method(message)}`;
}

function inviteOf(message: SipMessage): string {
  return `${header(message, 'Call-ID')} ${Number.parseInt(cseq(message), 10)}`;
}

/** The ACK of a refused INVITE belongs to its transaction (RFC 3261 §17.1.1.3). */
function refusalAck(invite: SipMessage, response: SipMessage): SipMessage {
  const kept = invite.headers.filter(([name]) => /^(via|from|call-id|max-forwards)$/i.test(name));
  const number = Number.parseInt(cseq(invite), 10);
  const own: Header[] = [
    ['To', header(response, 'To')],
    ['CSeq', `${number} ACK`],
  ];
  return { start: invite.start.replace(/^INVITE/, 'ACK'), headers: [...kept, ...own], body: '' };
}
