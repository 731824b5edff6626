/** One call of a phone: what the person at the phone does with it, and what the other side does. */
import { randomBytes } from 'node:crypto';
import { until } from '../until.ts';
import { beginDialog, type Dialog, type DialogSetup, identity, type Line } from './dialog.ts';
import {
  type Header,
  header,
  method,
  nameAddr,
  type Party,
  party,
  type SipMessage,
  status,
  uri,
} from './message.ts';
import { describeMedia, type MediaDirection, mediaAddress } from './sdp.ts';
import type { Address } from './transport.ts';

/** What the phone's display shows. */
export type CallState = 'calling' | 'ringing' | 'connected' | 'ended';

/** A call as its phone sees it. */
export interface Call {
  readonly direction: 'in' | 'out';
  /** `calling`: dialed, nothing heard; `ringing`: it rings, here (in) or there (out). */
  readonly state: CallState;
  /** The other party by the newest P-Asserted-Identity (RFC 3325), else From or the number dialed. */
  readonly remote: Party;
  /** True after {@link Call.hold} until {@link Call.unhold}. */
  readonly held: boolean;
  /** How it ended: the status that refused it, or who hung up. */
  readonly end: number | 'here' | 'there' | undefined;
  /** Status of a transfer by the NOTIFYs of RFC 3515 §2.4.5; undefined before the first. */
  readonly transferStatus: number | undefined;
  /** Waits for a state, at most `seconds` (default 10). @throws Error when it does not come. */
  until(state: CallState, seconds?: number): Promise<void>;
  /** Answers an incoming call and resolves when that is acknowledged. */
  answer(): Promise<void>;
  /** Refuses an incoming call: 603 Decline by default, 486 for busy. */
  decline(status?: 486 | 603 | 480): void;
  /** 302 Moved Temporarily: asks the PBX to try `number` instead. */
  forward(number: string): void;
  /** CANCEL, a refusal or BYE, whatever the state wants. Resolves when it is over here. */
  hangup(): Promise<void>;
  /** Re-INVITE with `a=sendonly` (RFC 3264 §8.4). */
  hold(): Promise<void>;
  /** Re-INVITE with `a=sendrecv`. */
  unhold(): Promise<void>;
  /** REFER to a number (RFC 3515). Resolves with the status: 202 when accepted. */
  transfer(number: string): Promise<number>;
  /** REFER with Replaces (RFC 3891): connects the others of this call and `other`, a call of the same phone. */
  transferTo(other: Call): Promise<number>;
  /** Sends DTMF digits by SIP INFO (application/dtmf-relay). */
  dtmf(digits: string): Promise<void>;
}

/** A call with what only its phone may touch. */
export interface PhoneCall extends Call {
  /** Call-ID. */
  readonly id: string;
  /** Where a voice goes in this call; undefined while nobody would hear it. */
  readonly media: Address | undefined;
  onRequest(request: SipMessage): void;
  onAck(): void;
}

const allow: Header = ['Allow', 'INVITE, ACK, BYE, CANCEL, UPDATE, NOTIFY, OPTIONS, REFER, INFO'];
const sdpType: Header = ['Content-Type', 'application/sdp'];
const refusals = { 480: 'Temporarily Unavailable', 486: 'Busy Here', 603: 'Decline' };

/** For {@link Call.transferTo}, which is given the public face of a call. */
const dialogs = new WeakMap<Call, Dialog>();

/** A call that `invite` offers. */
export function incomingCall(line: Line, invite: SipMessage): PhoneCall {
  const setup = {
    id: header(invite, 'Call-ID'),
    remote: identity(invite) ?? party(header(invite, 'From')),
    local: header(invite, 'To'),
    peer: header(invite, 'From'),
    target: uri(header(invite, 'Contact')),
  };
  return makeCall(line, setup, invite);
}

/** A call to `number`; the INVITE is on its way when this returns. */
export function outgoingCall(line: Line, number: string, from: Party): PhoneCall {
  const target = `sip:${number.replaceAll('#', '%23')}@${line.pbx}`;
  const id = `${randomBytes(8).toString('hex')}@${line.transport.host}`;
  const local = nameAddr(from, line.transport.host);
  return makeCall(line, { id, remote: { number, name: '' }, local, peer: `<${target}>`, target });
}

function makeCall(line: Line, setup: DialogSetup, invite?: SipMessage): PhoneCall {
  const { transport } = line;
  const direction = invite ? 'in' : 'out';
  let state: CallState = invite ? 'ringing' : 'calling';
  let held = false;
  let end: Call['end'];
  let transferStatus: number | undefined;
  let answering = false;
  let blind = false;
  let acknowledged = false;
  let sdpVersion = 0;
  let media = invite && mediaAddress(invite.body);

  const dialog = beginDialog(line, setup, (response) => {
    if (state !== 'calling' && state !== 'ringing') return;
    dialog.learn(response);
    if ((status(response) ?? 0) > 100) move('ringing');
  });
  const { contact, tagged } = dialog;
  const move = (next: CallState, why?: Call['end']) => {
    if (state === 'ended' || state === next) return;
    state = next;
    if (next === 'ended') end = why;
    line.note(`${direction} ${dialog.remote.number} ${next}${why === undefined ? '' : ` (${why})`}`);
  };
  const sdp = (way: MediaDirection) => {
    sdpVersion += 1;
    return describeMedia(transport.host, line.rtpPort, sdpVersion, way);
  };
  const offer = async (way: MediaDirection) => {
    const response = await dialog.request('INVITE', [allow, sdpType], sdp(way));
    if (status(response) === 200) {
      dialog.confirm(response);
      media = mediaAddress(response.body);
    }
    return response;
  };
  const renegotiate = async (way: MediaDirection) => {
    const response = await offer(way);
    if (status(response) !== 200) throw new Error(`The PBX refused ${way}: ${response.start}`);
    held = way === 'sendonly';
  };
  const refer = async (to: string) => {
    const by: Header = ['Referred-By', `<sip:${line.self.number}@${line.pbx}>`];
    return status(await dialog.request('REFER', [['Refer-To', to], by])) ?? 0;
  };
  const refuse = (code: number, reason: string, extra: readonly Header[] = []) => {
    if (!invite || state !== 'ringing' || answering) return;
    transport.respond(invite, `${code} ${reason}`, [tagged, ...extra]);
    move('ended', code);
  };

  const call: PhoneCall = {
    id: setup.id,
    direction,
    get state() {
      return state;
    },
    get remote() {
      return dialog.remote;
    },
    get held() {
      return held;
    },
    get media() {
      return state === 'connected' && !held ? media : undefined;
    },
    get end() {
      return end;
    },
    get transferStatus() {
      return transferStatus;
    },
    async until(wanted, seconds) {
      await until(
        `Call with ${dialog.remote.number} is ${wanted} (now ${state})`,
        () => state === wanted,
        seconds,
      );
    },
    async answer() {
      if (!invite || state !== 'ringing' || answering)
        throw new Error(`Nothing to answer: the call is ${answering ? 'answered' : state}`);
      answering = true;
      transport.respond(invite, '200 OK', [tagged, contact, allow, sdpType], sdp('sendrecv'));
      await until('The answer is acknowledged', () => acknowledged || state === 'ended');
    },
    decline: (code = 603) => refuse(code, refusals[code]),
    forward: (number) => refuse(302, 'Moved Temporarily', [['Contact', `<sip:${number}@${line.pbx}>`]]),
    async hangup() {
      if (state === 'calling') await until('The PBX has heard of the call', () => state !== 'calling');
      if (answering) await until('The answer is acknowledged', () => state !== 'ringing');
      if (state === 'connected') {
        move('ended', 'here');
        await dialog.request('BYE');
      } else if (invite) {
        call.decline();
      } else if (state === 'ringing') {
        await dialog.cancel();
        await call.until('ended');
      }
    },
    hold: () => renegotiate('sendonly'),
    unhold: () => renegotiate('sendrecv'),
    transfer(number) {
      blind = true;
      return refer(`<sip:${number.replaceAll('#', '%23')}@${line.pbx}>`);
    },
    async transferTo(other) {
      const replaced = dialogs.get(other);
      if (!replaced) throw new Error('That is no call of a phone of ours');
      return refer(`<${replaced.replacement()}>`);
    },
    async dtmf(digits) {
      for (const digit of digits) {
        const signal = `Signal=${digit}\r\nDuration=100\r\n`;
        await dialog.request('INFO', [['Content-Type', 'application/dtmf-relay']], signal);
      }
    },
    onAck() {
      acknowledged = true;
      if (state === 'ringing') move('connected');
    },
    onRequest(request) {
      const name = method(request);
      if (name === 'INVITE' || (name === 'UPDATE' && request.body !== '')) {
        dialog.learn(request);
        media = mediaAddress(request.body) ?? media;
        return transport.respond(request, '200 OK', [contact, allow, sdpType], sdp('sendrecv'));
      }
      transport.respond(request, '200 OK', name === 'UPDATE' ? [contact, allow] : []);
      if (name === 'UPDATE') dialog.learn(request);
      if (name === 'BYE') move('ended', 'there');
      if (name === 'CANCEL') onCancel();
      if (name === 'NOTIFY') onNotify(request);
    },
  };
  const onCancel = () => {
    // RFC 3261 §9.2: no effect on what is answered already.
    if (!invite || state !== 'ringing' || answering) return;
    transport.respond(invite, '487 Request Terminated', [tagged]);
    move('ended', 'there');
  };
  const onNotify = (request: SipMessage) => {
    // What telephones with remote control understand: take the call, or put it on hold.
    const asked = header(request, 'Event');
    if (asked === 'talk' || asked === 'hold') {
      const done = asked === 'hold' ? call.hold() : state === 'ringing' ? call.answer() : call.unhold();
      done.catch((error: unknown) => line.note(`not done (${asked}): ${error}`));
      return;
    }
    const code = /^SIP\/2\.0 (\d{3})/.exec(request.body)?.[1];
    if (!code) return;
    transferStatus = Number(code);
    // The transfer is done: who transferred is the one to hang up (RFC 5589 §6.1). COMPAT: of a blind one that went wrong later
    // than at the dialplan (404) the channel is gone, too; a telephone that stayed would keep a dialog with nothing behind it.
    if (transferStatus >= 200 && (transferStatus < 300 || (blind && transferStatus !== 404))) {
      call.hangup().catch((error: unknown) => line.note(`no answer to BYE: ${error}`));
    }
  };
  const dial = async () => {
    const response = await offer('sendrecv');
    const code = status(response) ?? 0;
    if (code >= 300) return move('ended', code);
    dialog.learn(response);
    move('connected');
  };

  dialogs.set(call, dialog);
  line.note(`${direction} ${dialog.remote.number} "${dialog.remote.name}" ${state}`);
  if (invite) transport.respond(invite, '180 Ringing', [tagged, contact, allow]);
  else dial().catch(() => move('ended', 408));
  return call;
}
