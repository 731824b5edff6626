/** A SIP phone for scripts: it does exactly what it is told, and what it saw is the truth seen from the telephone. */
import { randomBytes } from 'node:crypto';
import type { AsteriskServer } from './asterisk.ts';
import { trunkHost } from './asterisk.ts';
import { freePort, loopback } from './ports.ts';
import { type Call, incomingCall, outgoingCall, type PhoneCall } from './sip/call.ts';
import type { Line } from './sip/dialog.ts';
import { answerChallenge } from './sip/digest.ts';
import { type Header, header, method, nameAddr, type Party, type SipMessage, status } from './sip/message.ts';
import { openTransport } from './sip/transport.ts';
import { openVoice } from './sip/voice.ts';
import { until } from './until.ts';

/** What a phone does with a call that comes in: `ring` leaves it to the script, `answer` takes it at once. */
export type Incoming =
  | 'ring'
  | 'answer'
  | 'busy'
  | 'decline'
  | { readonly answerAfter: number }
  | { readonly forward: string };

/** How a phone shall be. */
export interface PhoneOptions {
  /** Default: ring. `answerAfter` is in ms. Can be changed later: {@link Phone.incoming}. */
  readonly incoming?: Incoming;
  /** Registers at once. Default: true; never for the trunk. */
  readonly register?: boolean;
  /** Tone in Hz that it sends into each call which is connected and not held. Default: none, it is mute. */
  readonly voice?: number;
}

/** A phone, or with extension `trunk` the telephone company. */
export interface Phone {
  readonly extension: string;
  incoming: Incoming;
  /** All calls it ever had, oldest first. */
  readonly calls: readonly Call[];
  /** What it saw and did, one line each. */
  readonly log: readonly string[];
  /** Calls a number. `from` is what the caller claims to be; the PBX believes it of the trunk only. Resolves at once. */
  dial(number: string, from?: Party): Promise<Call>;
  /** The call that rings now, or the next to ring within `seconds` (default 10). @throws Error when none does. */
  ringing(seconds?: number): Promise<Call>;
  /** @throws Error when the PBX refuses. */
  register(): Promise<void>;
  unregister(): Promise<void>;
  /** `Event` of each NOTIFY outside of calls so far, but for messages waiting. `talk` makes it answer where it rings. */
  readonly notified: readonly string[];
  /** For how long it heard a tone of so many Hz in its calls, seconds, of the last half minute; 0 for a phone without a voice. */
  heard(hertz: number): number;
  /** New messages in the mailbox by the last message waiting indication (RFC 3842); undefined before the first. */
  readonly messages: number | undefined;
  /** Hangs up, unregisters and closes its socket. */
  stop(): Promise<void>;
}

/** Starts the phone of an extension, or the far end of the trunk with `trunk`; it is registered when this resolves. */
export async function startPhone(
  pbx: Pick<AsteriskServer, 'host' | 'sipPort' | 'trunkPort' | 'extensions' | 'alive'>,
  extension: string,
  options: PhoneOptions = {},
): Promise<Phone> {
  const isTrunk = extension === 'trunk';
  const entry = pbx.extensions.get(extension);
  if (!entry && !isTrunk)
    throw new Error(`No extension ${extension}: there are ${[...pbx.extensions.keys()].join(', ')}`);
  const host = isTrunk ? trunkHost : loopback;
  const local = { host, port: isTrunk ? pbx.trunkPort : await freePort(host) };
  const calls: PhoneCall[] = [];
  const log: string[] = [];
  const self: Party = { number: extension, name: entry?.name ?? '' };
  let incoming = options.incoming ?? 'ring';
  const notified: string[] = [];
  let messages: number | undefined;
  let registered = false;

  const find = (message: SipMessage) => calls.find((call) => call.id === header(message, 'Call-ID'));
  const transport = await openTransport(
    local,
    { host: pbx.host, port: pbx.sipPort },
    {
      onAck: (ack) => find(ack)?.onAck(),
      onRequest(request) {
        const call = find(request);
        if (call) return call.onRequest(request);
        if (method(request) === 'INVITE') return ring(request);
        if (method(request) === 'NOTIFY') onNotify(header(request, 'Event'));
        const waiting = /Voice-Message:\s*(\d+)/i.exec(request.body)?.[1];
        if (waiting !== undefined) messages = Number(waiting);
        transport.respond(request, method(request) === 'BYE' ? '481 Call Does Not Exist' : '200 OK');
      },
    },
  );
  const line: Line = {
    transport,
    self,
    login: entry && { username: entry.number, password: entry.password },
    pbx: `${pbx.host}:${pbx.sipPort}`,
    rtpPort: await freePort(host),
    note: (text) => log.push(text),
  };

  const ring = (invite: SipMessage) => {
    const call = incomingCall(line, invite);
    calls.push(call);
    if (incoming === 'busy') call.decline(486);
    else if (incoming === 'decline') call.decline();
    else if (incoming === 'answer') answer(call);
    else if (incoming !== 'ring' && 'forward' in incoming) call.forward(incoming.forward);
    else if (incoming !== 'ring') setTimeout(() => answer(call), incoming.answerAfter).unref();
  };
  const onNotify = (event: string) => {
    // Comes unasked whenever a mailbox changes, and has its own place below.
    if (event === 'message-summary') return;
    notified.push(event);
    const ringing = calls.find((call) => call.direction === 'in' && call.state === 'ringing');
    if (event === 'talk' && ringing) answer(ringing);
  };
  const answer = (call: Call) => {
    // The caller may have given up in the meantime.
    if (call.state === 'ringing') call.answer().catch((error: unknown) => log.push(`not answered: ${error}`));
  };

  const voice =
    options.voice === undefined
      ? undefined
      : openVoice({ host, port: line.rtpPort }, options.voice, () =>
          calls.flatMap(({ media }) => media ?? []),
        );
  const sendRegister = registration(line);
  const phone: Phone = {
    extension,
    calls,
    log,
    get incoming() {
      return incoming;
    },
    set incoming(next) {
      incoming = next;
    },
    notified,
    heard: (hertz) => voice?.heard(hertz) ?? 0,
    get messages() {
      return messages;
    },
    async dial(number, from = self) {
      const call = outgoingCall(line, number, from);
      calls.push(call);
      return call;
    },
    ringing: (seconds) =>
      until(
        `${extension} rings`,
        () => calls.find((call) => call.direction === 'in' && call.state === 'ringing'),
        seconds,
      ),
    async register() {
      await sendRegister(3600);
      registered = true;
    },
    async unregister() {
      registered = false;
      await sendRegister(0);
    },
    async stop() {
      try {
        if (pbx.alive()) {
          await Promise.all(calls.map((call) => call.hangup()));
          if (registered) await phone.unregister();
        }
      } finally {
        await voice?.close();
        await transport.close();
      }
    },
  };
  if (!isTrunk && (options.register ?? true)) await phone.register();
  return phone;
}

/** REGISTER with the credentials of the line (RFC 3261 §10.2). */
function registration({ transport, self, login, pbx }: Line): (expires: number) => Promise<void> {
  const id = `${randomBytes(8).toString('hex')}@${transport.host}`;
  const tag = randomBytes(6).toString('hex');
  let sequence = 0;
  return async (expires) => {
    const target = `sip:${pbx}`;
    const send = (extra: readonly Header[]) => {
      sequence += 1;
      const address = nameAddr({ number: self.number, name: '' }, pbx);
      const headers: Header[] = [
        ['Max-Forwards', '70'],
        ['From', `${address};tag=${tag}`],
        ['To', address],
        ['Call-ID', id],
        ['CSeq', `${sequence} REGISTER`],
        ['Contact', `<sip:${self.number}@${transport.host}:${transport.port}>`],
        ['Expires', `${expires}`],
        ...extra,
      ];
      return transport.request({ start: `REGISTER ${target} SIP/2.0`, headers, body: '' });
    };
    let response = await send([]);
    const challenge = header(response, 'WWW-Authenticate');
    if (challenge && login) {
      response = await send([['Authorization', answerChallenge(challenge, 'REGISTER', target, login)]]);
    }
    if (status(response) !== 200) throw new Error(`${self.number} cannot register: ${response.start}`);
  };
}
