/** A colleague at a computer: logged in over XMPP, sends commands, keeps what the bridge tells. */

import { type Element, xml } from '@xmpp/client';
import { until } from '../servers/until.ts';
import type { XmppServer } from '../servers/xmpp.ts';
import { login, type User } from '../xmpp/client.ts';
import { type ChannelEvent, payloadOf, readChannelEvent } from './wire.ts';

export const CMD_NS = 'http://www.pascom.net/mobydick';

/** The bridge's answer to one command. */
export interface Answer {
  /** `result` or `error`. */
  readonly type: string;
  /** Name of the payload (`Success`, `Failure`, `UserInfo`, …); for an error its condition (RFC 6120 §8.3.3). */
  readonly name: string;
  /** `Failure@code`; empty where there is none. */
  readonly code: string;
  /** The sentence for people. */
  readonly text: string;
  /** The payload's element; undefined for an error. */
  readonly payload: Element | undefined;
}

export interface Person extends User {
  /** Resolves with the answer to an IQ that was sent under this id. */
  answerTo(id: string): Promise<Element>;
  /** Every ChannelEvent since the login, oldest first. */
  readonly events: readonly ChannelEvent[];
  /** What a client shows that knows nothing but these events: `ringing 370`, `busy 370 held`, sorted. */
  readonly screen: readonly string[];
  /** Sentences of what no client should be told: an end that was told before, a call that begins in the middle. */
  readonly broken: readonly string[];
  /** `base.Dial({ target: '370' })` as an IQ, and its answer. */
  command(
    name: `${string}.${string}`,
    attributes?: Readonly<Record<string, string>>,
    children?: readonly Element[],
  ): Promise<Answer>;
  /** `ClientInfo` with these subscriptions; by default one for the own events of module `base`. */
  handshake(...subscriptions: readonly Element[]): Promise<Answer>;
  /** Resolves with the newest event of that type about a channel, once there is one. */
  told(type: string, about?: (event: ChannelEvent) => boolean): Promise<ChannelEvent>;
  /** Resolves when so many events have come. */
  toldTimes(count: number): Promise<void>;
}

/** A `Subscription` element. */
export function subscription(
  attributes: Readonly<Record<string, string>> = {},
  filters: Readonly<Record<string, string>> = {},
): Element {
  const children = Object.entries(filters).map(([name, equals]) => xml('AttributeFilter', { name, equals }));
  return xml('Subscription', { module: 'base', type: '*', ...attributes }, ...children);
}

/** Logs in under a resource; logs out with the test. */
export async function arrive(
  server: XmppServer,
  component: string,
  account: { readonly name: string; readonly password: string },
  resource: string,
): Promise<Person> {
  const user = await login(server, account, resource);
  const events = () =>
    user.stanzas.flatMap((stanza) => {
      const payload = stanza.name === 'message' ? payloadOf(stanza) : undefined;
      return payload?.name === 'ChannelEvent' ? [readChannelEvent(payload)] : [];
    });
  const person: Person = {
    ...user,
    get events() {
      return events();
    },
    answerTo: (id) =>
      until(`an answer to ${id}`, () =>
        user.stanzas.find((stanza) => stanza.name === 'iq' && stanza.attrs.id === id),
      ),
    get screen() {
      return [...watch(events()).calls.values()]
        .map(({ state, number, held }) => `${state} ${number}${held ? ' held' : ''}`)
        .sort();
    },
    get broken() {
      return watch(events()).broken;
    },
    async command(name, attributes = {}, children = []) {
      const [module = '', command = ''] = name.split('.');
      const cmd = xml('cmd', { xmlns: CMD_NS, module }, xml(command, attributes, ...children));
      return readAnswer(await user.ask(component, cmd.toString(), 'set'));
    },
    handshake(...subscriptions) {
      const wanted = subscriptions.length > 0 ? subscriptions : [subscription()];
      return person.command('xmppuser.ClientInfo', {}, [xml('AddSubscription', {}, ...wanted)]);
    },
    told(type, about = () => true) {
      const seen = () => events().map((event) => `${event.eventType} ${event.eventId}`);
      return until(`${user.jid} is told "${type}"`, () =>
        events().findLast((event) => event.eventType === type && about(event)),
      ).catch((error: unknown) => {
        throw new Error(`${user.jid} was told: ${seen().join(', ') || 'nothing'}`, { cause: error });
      });
    },
    async toldTimes(count) {
      await until(`${user.jid} is told ${count} events`, () => events().length >= count);
    },
  };
  return person;
}

interface Shown {
  readonly state: 'ringing' | 'busy';
  readonly number: string;
  readonly held: boolean;
}

/** Follows events as a client would. What is told twice is shown once. */
function watch(events: readonly ChannelEvent[]) {
  const calls = new Map<string, Shown>();
  const broken: string[] = [];
  for (const event of events) {
    const { eventType: type, eventId: id, eventDetails } = event;
    const before = calls.get(id);
    if (type === 'hangup') {
      if (!calls.delete(id)) broken.push(`${id} ends, and was not there`);
      continue;
    }
    if (before === undefined && type !== 'ringing' && type !== 'busy')
      broken.push(`${id} begins with ${type}`);
    const state = type === 'ringing' || type === 'busy' ? type : (before?.state ?? 'busy');
    const held =
      (type === 'hold' || type === 'unhold') && eventDetails !== 'remote'
        ? type === 'hold'
        : before?.held === true;
    const number = event.outbound === 'true' ? event.targetNumber : event.sourceNumber;
    calls.set(id, { state, number, held });
  }
  return { calls, broken };
}

/** Reads the answer to a command. */
export function readAnswer(iq: Element): Answer {
  const type = iq.attrs.type ?? '';
  if (type === 'error') {
    const conditions = iq.getChild('error')?.getChildElements() ?? [];
    const condition = conditions.find(({ name }) => name !== 'text')?.name ?? '';
    const text = iq.getChild('error')?.getChildText('text') ?? '';
    return { type, name: condition, code: '', text, payload: undefined };
  }
  const payload = payloadOf(iq);
  return {
    type,
    name: payload?.name ?? '',
    code: payload?.attrs.code ?? '',
    text: payload?.getChildText('message') ?? '',
    payload,
  };
}
