/** IQs to us: each gets exactly one answer, whatever its handler does. */

import { randomBytes } from 'node:crypto';
import { StanzaError } from '../errors.ts';
import type { Log } from '../log.ts';
import { parseJid } from '../protocol/jid.ts';
import { elements, type XmlElement } from '../protocol/xml.ts';
import { type Addressed, writeAnswer } from './stanza.ts';
import type { AnswerFrame, IqAnswer, IqHandler, IqRequest } from './xmpp.ts';

/** What {@link createAnswering} needs. */
export interface AnsweringOptions {
  /** Whom an IQ without `to` is for. */
  readonly domain: string;
  /** From the arrival to the answer, at most, milliseconds. */
  readonly deadlineMs: number;
  /** How many may be in the making; more are refused with `resource-constraint`. */
  readonly max: number;
  /** Bytes of one answer; a larger one is replaced by an error, since it would cost the stream. */
  readonly maxBytes: number;
  /** Whether somebody may ask this now; default: always. */
  admits?(request: IqRequest): boolean;
  readonly log: Log;
  /** Takes the serialised answer; false where there is no room for it. */
  send(stanza: string): boolean;
}

/** The IQs of others: who serves them, and which are in the making. */
export interface Answering {
  /** How many are in the making. */
  readonly size: number;
  /**
   * Registers a handler by namespace and, where given, name of the payload; `frame` is put around whatever answers these IQs.
   * Throws on a second one for the same.
   */
  handle(ns: string, handler: IqHandler, name?: string, frame?: AnswerFrame): void;
  /** Takes an IQ of any type but `result` and `error`. Never throws. */
  answer(iq: XmlElement): void;
  /** Answers an IQ that cannot be served; nothing where there is nobody to answer. */
  refuse(iq: Pick<XmlElement, 'attrs'>, error: StanzaError): void;
  /**
   * From now on every new IQ is refused; resolves when those in the making are answered, after `graceMs` at the latest:
   * then the rest is refused, too.
   */
  finish(graceMs: number): Promise<void>;
}

/** The key that stands for any name of the namespace. No element is called so. */
const anyName = '*';

interface Registered {
  readonly handler: IqHandler;
  readonly frame: AnswerFrame;
}

const unframed: AnswerFrame = (_request, answer) => answer;

/** Makes it. */
export function createAnswering(options: AnsweringOptions): Answering {
  const { domain, deadlineMs, max, maxBytes, log, send } = options;
  const handlers = new Map<string, Map<string, Registered>>();
  /** The IQs in the making, each with what answers it. */
  const open = new Map<symbol, (answer: IqAnswer) => void>();
  let finishing = false;
  let idle: (() => void) | undefined;

  function write(whose: Addressed, answer: IqAnswer, frame = (inner: IqAnswer) => inner): void {
    const stanza = fitting(whose, answer, frame);
    if (stanza !== undefined && !send(stanza))
      log.warn(
        { to: whose.from, id: shown(whose) },
        'an IQ answer was lost: the XMPP server does not keep up',
      );
  }

  /** The answer, or that it is too large; undefined where even that is, for which only the sender's own id can be the cause. */
  function fitting(
    whose: Addressed,
    answer: IqAnswer,
    frame: (answer: IqAnswer) => IqAnswer,
  ): string | undefined {
    const stanza = writeAnswer(whose, frame(answer));
    const bytes = Buffer.byteLength(stanza);
    if (bytes <= maxBytes) return stanza;
    const text = `the answer has ${bytes} bytes, ${maxBytes} are possible: ask for less`;
    const instead = writeAnswer(
      whose,
      frame({ error: new StanzaError('resource-constraint', text, 'modify') }),
    );
    if (Buffer.byteLength(instead) > maxBytes) {
      log.debug({ to: whose.from }, 'an IQ was not answered: its id alone is larger than a stanza may be');
      return undefined;
    }
    log.error(
      { to: whose.from, bytes, maxBytes },
      'an answer was too large for the XMPP server and became an error',
    );
    return instead;
  }

  /** What answers this IQ: the first call counts. */
  function opened(
    whose: Addressed,
    payload: XmlElement,
    frame: (answer: IqAnswer) => IqAnswer,
  ): (answer: IqAnswer) => void {
    const key = Symbol();
    const settle = (answer: IqAnswer) => {
      if (!open.delete(key)) return;
      clearTimeout(timer);
      try {
        write(whose, answer, frame);
      } catch (error) {
        // Not an answer that can be written: as much the handler's defect as throwing.
        write(whose, defect(error, whose, payload), frame);
      }
      if (open.size === 0) idle?.();
    };
    const timer = setTimeout(() => {
      const reference = newReference();
      log.error(
        { reference, from: whose.from, id: shown(whose), deadlineMs },
        'an IQ was not answered in time',
      );
      settle({
        error: new StanzaError(
          'remote-server-timeout',
          `no answer within ${deadlineMs / 1000} s (reference ${reference})`,
        ),
      });
    }, deadlineMs);
    open.set(key, settle);
    return settle;
  }

  function defect(error: unknown, { from }: Addressed, { name, ns }: XmlElement): IqAnswer {
    if (error instanceof StanzaError) return { error };
    const reference = newReference();
    log.error({ reference, err: error, from, payload: name, ns }, 'the handler of an IQ failed');
    return { error: new StanzaError('internal-server-error', `internal error, reference ${reference}`) };
  }

  /** The request, or why it is none (RFC 6120 §8.2.3). */
  function read(iq: XmlElement, whose: Addressed): IqRequest | StanzaError {
    const type = iq.attrs.get('type');
    if (type !== 'get' && type !== 'set')
      return new StanzaError('bad-request', "iq: attribute 'type' is none of get, set, result, error");
    if (whose.id === undefined || whose.id === '')
      return new StanzaError('bad-request', "iq: attribute 'id' is missing");
    const [payload, ...more] = elements(iq);
    if (payload === undefined || more.length > 0) {
      return new StanzaError(
        'bad-request',
        `iq: exactly one child element is expected, there are ${elements(iq).length}`,
      );
    }
    const [from, to] = [parseJid(whose.from), parseJid(whose.to)];
    if (from === undefined || to === undefined)
      return new StanzaError('jid-malformed', "iq: 'from' and 'to' must be JIDs");
    return { type, id: whose.id, from, to, payload };
  }

  function registeredFor({ ns, name }: XmlElement): Registered | undefined {
    const names = handlers.get(ns ?? '');
    return names?.get(name) ?? names?.get(anyName);
  }

  return {
    get size() {
      return open.size;
    },
    handle(ns, handler, name = anyName, frame = unframed) {
      const names = handlers.get(ns) ?? new Map<string, Registered>();
      if (names.has(name)) throw new Error(`a second handler for IQs with <${name} xmlns='${ns}'/>`);
      handlers.set(ns, names.set(name, { handler, frame }));
    },
    answer(iq) {
      const whose = addressOf(iq, domain);
      if (whose === undefined) {
        log.warn({ id: iq.attrs.get('id')?.slice(0, idInLog) }, 'an IQ without sender was ignored');
        return;
      }
      const request = read(iq, whose);
      if (request instanceof StanzaError) return write(whose, { error: request });
      const registered = registeredFor(request.payload);
      const frame = (answer: IqAnswer) => registered?.frame(request, answer) ?? answer;
      const refuse = (error: StanzaError) => write(whose, { error }, frame);
      if (finishing) return refuse(new StanzaError('service-unavailable', 'shutting down', 'wait'));
      if (registered === undefined) {
        return refuse(new StanzaError('service-unavailable', `${request.payload.name}: not served here`));
      }
      if (options.admits?.(request) === false) {
        const text = 'Too many requests: wait a moment, then send them more slowly.';
        return refuse(new StanzaError('resource-constraint', text));
      }
      if (open.size >= max)
        return refuse(new StanzaError('resource-constraint', 'too many requests at a time'));
      const { payload } = request;
      const settle = opened(whose, payload, frame);
      // In this turn, so that requests of one sender reach their handlers in order.
      try {
        const answer = registered.handler(request);
        if (answer instanceof Promise)
          answer.then(settle, (error: unknown) => settle(defect(error, whose, payload)));
        else settle(answer);
      } catch (error) {
        settle(defect(error, whose, payload));
      }
    },
    refuse(iq, error) {
      const whose = addressOf(iq, domain);
      if (whose !== undefined) write(whose, { error });
    },
    finish(graceMs) {
      finishing = true;
      if (open.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          const error = new StanzaError('service-unavailable', 'shutting down', 'wait');
          for (const settle of [...open.values()]) settle({ error });
        }, graceMs);
        idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

/** Undefined without sender: a stanza to nobody would end the stream on some servers. */
function addressOf({ attrs }: Pick<XmlElement, 'attrs'>, domain: string): Addressed | undefined {
  const from = attrs.get('from');
  return from === undefined || from === ''
    ? undefined
    : { id: attrs.get('id'), from, to: attrs.get('to') ?? domain };
}

// The sender chooses it, and its length.
const idInLog = 60;

function shown({ id }: Addressed): string | undefined {
  return id?.slice(0, idInLog);
}

/** Joins what the sender was told with what the log says. */
function newReference(): string {
  return randomBytes(4).toString('hex');
}
