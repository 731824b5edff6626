/** Many requests at once, and how often each was answered. */

import { expect } from 'vitest';
import { until } from '../servers/until.ts';
import { COMPONENT } from './office.ts';
import { CMD_NS, type Person } from './person.ts';

const cmd = (module: string, children: string) =>
  `<cmd xmlns='${CMD_NS}' module='${module}'>${children}</cmd>`;

const subscribed = "<Subscription module='base' type='*'/>";

/** Commands of every kind, good and bad: those that act on the telephone system, those that do not, those that no one serves. */
const requests: readonly string[] = [
  cmd('base', "<Dial target='370'/>"),
  cmd('base', "<DialFrom identity='anna' target='370'/>"),
  cmd('base', "<Hangup channel='PJSIP/340-fffffff0'/>"),
  cmd('base', '<Hangup/>'),
  cmd('base', "<Transfer channel='PJSIP/340-fffffff0' target='370'/>"),
  cmd('base', '<FindChannels/>'),
  cmd('base', "<FindChannels scope='supervisor'/>"),
  cmd('xmppuser', '<FindUserInfo/>'),
  cmd('xmppuser', "<FindUserInfo jid='anna'/>"),
  cmd('xmppuser', `<ClientInfo><AddSubscription>${subscribed}</AddSubscription></ClientInfo>`),
  cmd('event', `<AddSubscription>${subscribed}</AddSubscription>`),
  cmd('event', "<RemoveSubscription><Subscription module='queue' type='*'/></RemoveSubscription>"),
  cmd('queue', '<FindOwnState/>'),
  cmd('base', '<NoSuchCommand/>'),
  cmd('base', '<Dial/>'),
  cmd('base', ''),
  cmd('base', '<Hangup/><Hangup/>'),
  "<query xmlns='jabber:iq:last'/>",
  "<ping xmlns='urn:xmpp:ping'/>",
];

/** Those of them that make no telephone ring and end no call. */
export const quietRequests = requests.filter((request) => !/<Dial|'><Hangup\/><\/cmd>/.test(request));

/** Requests on their way. */
export interface Volley {
  /** How many requests. */
  readonly size: number;
  /** Resolves when each has an answer, but for those that `isLost`; rejects with those that have none after so many seconds. */
  answered(seconds: number, isLost?: (id: string) => boolean): Promise<void>;
  /** Fails unless each has exactly one answer by now. */
  expectOneAnswerEach(): void;
  /** Fails where one has two. */
  expectNoSecondAnswer(): void;
  /** How often the answers said what: `Success`, `pbx-unavailable`, `bad-request`, … */
  outcome(): ReadonlyMap<string, number>;
}

let volleys = 0;

/** Sends all kinds of requests, each so many times, as fast as the stream takes them. */
export async function volley(
  person: Person,
  times: number,
  what: readonly string[] = requests,
): Promise<Volley> {
  volleys += 1;
  const sent = new Map<string, string>();
  for (let round = 0; round < times; round += 1) {
    for (const [index, request] of what.entries()) sent.set(`volley${volleys}-${round}-${index}`, request);
  }
  const stanzas = [...sent].map(([id, request]) => {
    // Legacy clients send `get` even for commands that change something.
    const type = id.includes('-0-') || request.includes('urn:xmpp:ping') ? 'get' : 'set';
    return `<iq type='${type}' id='${id}' to='${COMPONENT}'>${request}</iq>`;
  });
  await person.send(stanzas.join(''));

  const answers = () => person.stanzas.filter(({ name, attrs }) => name === 'iq' && sent.has(attrs.id ?? ''));
  const counts = () => {
    const found = new Map([...sent.keys()].map((id) => [id, 0]));
    for (const { attrs } of answers()) found.set(attrs.id ?? '', (found.get(attrs.id ?? '') ?? 0) + 1);
    return found;
  };
  const others = (wanted: (count: number, id: string) => boolean) =>
    [...counts()]
      .filter(([id, count]) => !wanted(count, id))
      .map(([id, count]) => `${count} answers to ${sent.get(id)}`);
  return {
    size: sent.size,
    async answered(seconds, isLost = () => false) {
      const unanswered = () => others((count, id) => count > 0 || isLost(id));
      try {
        await until('every request is answered', () => unanswered().length === 0, seconds);
      } catch {
        throw new Error(`after ${seconds} s:\n${unanswered().join('\n')}`);
      }
    },
    expectOneAnswerEach: () => expect(others((count) => count === 1)).toEqual([]),
    expectNoSecondAnswer: () => expect(others((count) => count < 2)).toEqual([]),
    outcome() {
      const said = new Map<string, number>();
      for (const stanza of answers()) {
        const payload = stanza.getChild('cmd', CMD_NS)?.getChildElements()[0];
        const condition = stanza.getChild('error')?.getChildElements()[0]?.name;
        const word = condition ?? payload?.attrs.code ?? payload?.name ?? 'result';
        said.set(word, (said.get(word) ?? 0) + 1);
      }
      return said;
    },
  };
}
