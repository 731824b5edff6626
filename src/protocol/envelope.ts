/** The frame around every command, answer and event: `<cmd xmlns='…' module='…'>` with exactly one child. */

import { badRequest, type Failure } from '../errors.ts';
import { FixedText } from './utf8.ts';
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

/** What stands around the payload of an event. */
export interface EventFrame {
  readonly before: FixedText;
  readonly after: FixedText;
}

/**
 * What frames payloads of one module as the part of an event's message that is the same for every recipient: written once,
 * whoever gets it.
 * Hints: XEP-0334 `no-store` and `no-copy`; headlines are never archived, copied or stored offline (RFC 6121 §8.5.2).
 */
export function eventFrame(from: string, module: string): EventFrame {
  const head = ` from='${escapeXml(from)}' type='headline'><cmd xmlns='${CMD_NS}' module='${escapeXml(module)}'>`;
  const hints = "<no-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/>";
  return { before: new FixedText(head), after: new FixedText(`</cmd>${hints}</message>`) };
}

/** The small head that makes a framed event one recipient's message. */
export function eventHead(to: string): string {
  return `<message to='${escapeXml(to)}'`;
}
