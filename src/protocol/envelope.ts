/** The frame around every command, answer and event: `<cmd xmlns='…' module='…'>` with exactly one child. */

import { badRequest, type Failure } from '../errors.ts';
import type { ElementCodec } from './codec.ts';
import { FixedText, Utf8Writer } from './utf8.ts';
import { elements, escapeXml, type XmlElement, xml } from './xml.ts';

/** The namespace of the command API, as its original publisher chose it. */
export const CMD_NS = 'http://www.pascom.net/mobydick';

/** The service discovery feature (XEP-0030 §3.1) that says that a command works here; `command` is `module.Command`. */
export function featureOf(command: string): string {
  return `${CMD_NS}#${command}`;
}

/** A command or answer taken out of its frame. */
export interface Envelope {
  readonly module: string;
  readonly payload: XmlElement;
}

/** Takes the frame off. Throws `bad-request` where it is malformed. */
export function unwrap(cmd: XmlElement): Envelope {
  const module = cmd.attrs.get('module');
  if (module === undefined || module === '') badRequest("cmd: attribute 'module' is missing");
  const [payload, ...more] = elements(cmd);
  if (payload === undefined) badRequest('cmd: exactly one command element is expected, there is none');
  if (payload.ns !== undefined && payload.ns !== CMD_NS) {
    badRequest(`cmd: the command must be of the namespace ${CMD_NS}, not ${payload.ns.slice(0, 100)}`);
  }
  if (more.length > 0)
    badRequest(`cmd: exactly one command element is expected, there are ${more.length + 1}`);
  return { module, payload };
}

/** Puts the frame around an answer or an event. */
export function wrap(module: string, payload: XmlElement): XmlElement {
  return xml('cmd', { xmlns: CMD_NS, module }, [payload]);
}

/** `base.Failure`: understood, and refused. */
export function wrapFailure(failure: Failure): XmlElement {
  return wrap('base', xml('Failure', { code: failure.code }, [xml('message', {}, [failure.message])]));
}

/** What stands around the payload of an event, from the recipient's address on. */
export interface EventFrame {
  readonly before: FixedText;
  readonly after: FixedText;
}

/**
 * What frames payloads of one module.
 * Hints: XEP-0334 `no-store` and `no-copy`; headlines are never archived, copied or stored offline (RFC 6121 §8.5.2).
 */
export function eventFrame(from: string, module: string): EventFrame {
  const head = `' from='${escapeXml(from)}' type='headline'><cmd xmlns='${CMD_NS}' module='${escapeXml(module)}'>`;
  const hints = "<no-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/>";
  return { before: new FixedText(head), after: new FixedText(`</cmd>${hints}</message>`) };
}

const toRecipient = new FixedText("<message to='");

/** Addresses have some 40 bytes; for a longer one than fits here the message is put together anew. */
const margin = 512;

/** Events' messages, written once whoever gets them. */
export class EventWriter {
  readonly #out = new Utf8Writer(margin);

  /** Writes all but the recipient. */
  write<T>({ before, after }: EventFrame, payload: ElementCodec<T>, value: T): void {
    this.#out.clear();
    this.#out.fixed(before);
    payload.print(value, this.#out);
    this.#out.fixed(after);
  }

  /** What was written, as one recipient's message; valid until the next one. */
  addressed(to: string): Uint8Array {
    return this.#out.behind(toRecipient, to);
  }
}
