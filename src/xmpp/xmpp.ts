/** The XMPP port: what the bridge needs from the server it is attached to. Types only; `component.ts` is the adapter. */

import type { StanzaError } from '../errors.ts';
import type { Jid } from '../protocol/jid.ts';
import type { XmlElement } from '../protocol/xml.ts';

/** An IQ of type get or set. `from` is what the server stamped (RFC 6120 §8.1.2.1, XEP-0114 §3). */
export interface IqRequest {
  readonly type: 'get' | 'set';
  readonly id: string;
  readonly from: Jid;
  readonly to: Jid;
  /** The one child element. */
  readonly payload: XmlElement;
}

/** The content of the one answer: a result with or without payload, or an error. */
export type IqAnswer = { readonly result: XmlElement | undefined } | { readonly error: StanzaError };

/**
 * Serves the IQs whose payload has a namespace it was registered for. Whatever it throws that is not a
 * {@link StanzaError} is logged and answered with `internal-server-error`; the adapter sends exactly one answer.
 */
export type IqHandler = (request: IqRequest) => Promise<IqAnswer> | IqAnswer;

/**
 * Puts an answer into another before it is sent, whoever gave it: the handler, or the adapter itself on a deadline, at a limit, on
 * the way down. For IQs whose sender asks for somebody else (XEP-0355), who would not hear of an error outside. Must not throw.
 */
export type AnswerFrame = (request: IqRequest, answer: IqAnswer) => IqAnswer;

/** A presence or message stanza, as it came. */
export interface Stanza {
  readonly from: Jid;
  readonly to: Jid;
  readonly type: string;
  readonly id: string | undefined;
  readonly element: XmlElement;
}

/** Where the stream stands. `online` = handshake done. */
export type XmppStatus = 'offline' | 'connecting' | 'online';

/** Why the stream is not up, for logs and readiness; never holds a secret. */
export interface XmppState {
  readonly status: XmppStatus;
  /** Human-readable reason of the last loss or refusal; empty while all is well. */
  readonly reason: string;
}

/** The stream to the XMPP server. */
export interface Xmpp {
  /** The component's own JID (a domain). */
  readonly domain: string;
  readonly state: XmppState;
  /**
   * Begins to connect, for ever; resolves when the first handshake has succeeded (or when {@link stop} was called
   * before), never rejects. Calling it again changes nothing.
   */
  start(): Promise<void>;
  /**
   * Ends in order: IQs in the making are answered within `graceMs` milliseconds (the rest, and new ones, with
   * `service-unavailable`, type `wait`), what was sent is written, the stream is closed. `send` works until the answers
   * are out. Resolves when all is closed, never rejects, never connects again.
   */
  stop(graceMs: number): Promise<void>;
  /** Calls back on every change of {@link state}. Returns the unsubscription. */
  onState(listener: (state: XmppState) => void): () => void;
  /**
   * Registers the handler of IQs by payload namespace (and optionally element name). One handler a key; throws on a second.
   * `frame` is put around every answer to these IQs.
   */
  onIq(ns: string, handler: IqHandler, name?: string, frame?: AnswerFrame): void;
  /** Presence towards the component (any host it serves). */
  onPresence(listener: (stanza: Stanza) => void): void;
  /** Messages towards the component, errors included (`type === 'error'`). */
  onMessage(listener: (stanza: Stanza) => void): void;
  /**
   * Sends one stanza, already serialised (bytes: UTF-8, copied), with `from` and `to`: some servers end the stream for one without. While away,
   * when the bounded buffer is full, or when the stanza is larger than servers take, it is refused: false. Writes are joined: many calls in one turn become few socket writes. Allocates no promise.
   * `lane`: `bulk` waits while there are others.
   */
  send(stanza: string | Uint8Array, lane?: 'event' | 'bulk'): boolean;
  /**
   * Whether the stream is up and keeps pace with the events. False is no promise that {@link send} refuses, but a hint that
   * what is sent now waits: better to send it later, as it is by then.
   */
  readonly hasRoom: boolean;
  /** Called when there is room again after {@link hasRoom} was false. One listener; the bridge. */
  onRoom(listener: () => void): void;
  /**
   * Sends an IQ that overtakes no event sent before, and resolves when the server has processed all of them; rejects as
   * {@link request} does.
   */
  confirm(timeoutMs: number): Promise<unknown>;
  /**
   * Sends an IQ and resolves with the answering `iq` element (`type` result). Matched by id **and** sender.
   * Rejects with {@link StanzaError}: that of an error answer; `remote-server-timeout` where there is no answer: none within
   * `timeoutMs` milliseconds of the call, none before the stream ended, or nobody to ask while away; `resource-constraint` where
   * too many wait already. Whatever else it rejects with, the addressee or its server has said.
   */
  request(to: string, type: 'get' | 'set', payload: XmlElement, timeoutMs: number): Promise<XmlElement>;
}
