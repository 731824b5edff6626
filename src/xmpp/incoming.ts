/** What comes in on the stream, each stanza to whom it is for; what cannot be read is refused, or settles what it was to answer. */

import type { LtxElement } from '@xmpp/component';
import { StanzaError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type XmlElement, xml } from '../protocol/xml.ts';
import type { Answering } from './answering.ts';
import { normalize } from './element.ts';
import type { Requests } from './requests.ts';
import { errorElement, readStanza, writeAnswer } from './stanza.ts';
import type { Stanza } from './xmpp.ts';

/** What {@link createIncoming} needs. */
export interface IncomingOptions {
  readonly domain: string;
  /** The address that our own pings go to. */
  readonly pingTarget: string;
  /** How deep the elements of a stanza may be nested. */
  readonly maxDepth: number;
  /** Questions of others, and answers to ours. */
  readonly answering: Pick<Answering, 'answer' | 'refuse'>;
  readonly requests: Pick<Requests, 'settle'>;
  /** Sends an answer. */
  answer(stanza: string): void;
  readonly log: Log;
}

/** The sorting office. */
export interface Incoming {
  /** Stanzas that came in. */
  readonly count: number;
  take(raw: LtxElement): void;
  /** Answers what cannot be read for this reason. */
  refuse(raw: LtxElement, reason: string): void;
  onPresence(listener: (stanza: Stanza) => void): void;
  onMessage(listener: (stanza: Stanza) => void): void;
}

/** Makes it. */
export function createIncoming(options: IncomingOptions): Incoming {
  const { domain, pingTarget, maxDepth, answering, requests, log } = options;
  const presenceListeners: ((stanza: Stanza) => void)[] = [];
  const messageListeners: ((stanza: Stanza) => void)[] = [];
  let count = 0;

  /** Our own ping has come round: it tells how far the stream has got, whatever is refused to others, at a limit or on the way down. */
  function echo({ attrs }: XmlElement): void {
    const whose = { id: attrs.get('id'), from: domain, to: pingTarget };
    options.answer(writeAnswer(whose, { result: undefined }));
  }

  function pass(
    listeners: readonly ((stanza: Stanza) => void)[],
    element: XmlElement,
    defaultType: string,
  ): void {
    const stanza = readStanza(element, domain, defaultType);
    if (stanza !== undefined) notify(listeners, stanza, log);
  }

  function refuse({ name, attrs }: LtxElement, reason: string): void {
    log.debug({ name, from: attrs.from, reason }, 'a stanza was refused');
    if (name !== 'iq') return;
    const whose = new Map(Object.entries(attrs));
    if (!isAnswer(attrs.type)) answering.refuse({ attrs: whose }, new StanzaError('bad-request', reason));
    else {
      const error = errorElement(new StanzaError('resource-constraint', reason));
      requests.settle(xml('iq', { ...attrs, type: 'error' }, [error]));
    }
  }

  return {
    get count() {
      return count;
    },
    take(raw) {
      count += 1;
      const stanza = normalize(raw, maxDepth);
      if (stanza === undefined) refuse(raw, `elements may be nested ${maxDepth} deep`);
      else if (stanza.name === 'presence') pass(presenceListeners, stanza, 'available');
      else if (stanza.name === 'message') pass(messageListeners, stanza, 'normal');
      else if (stanza.name !== 'iq')
        log.debug({ name: stanza.name }, 'an element that is no stanza was ignored');
      else if (isAnswer(stanza.attrs.get('type'))) requests.settle(stanza);
      else if (stanza.attrs.get('to') === pingTarget && stanza.attrs.get('from') === domain) echo(stanza);
      else answering.answer(stanza);
    },
    refuse,
    onPresence: (listener) => void presenceListeners.push(listener),
    onMessage: (listener) => void messageListeners.push(listener),
  };
}

/** Calls listeners, one after the other: what one throws is logged, and no concern of the next. */
export function notify<T>(listeners: Iterable<(value: T) => void>, value: T, log: Log): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      log.error({ err: error }, 'a listener of the XMPP side failed');
    }
  }
}

function isAnswer(type: string | undefined): boolean {
  return type === 'result' || type === 'error';
}
