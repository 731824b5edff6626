/** Numbers from the vCards (XEP-0054) that users keep on the XMPP server. They are the users' own word, and the least trusted source. */

import { setTimeout } from 'node:timers/promises';
import type { Directory } from '../directory.ts';
import { StanzaError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BareJid } from '../protocol/jid.ts';
import { child, elements, textOf, type XmlElement, xml } from '../protocol/xml.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import type { Numbers } from './numbers.ts';
import { type Draft, makePerson } from './person.ts';
import type { Person } from './phonebook.ts';
import { createRefreshed, type Refreshed } from './refreshed.ts';
import type { Share } from './sharing.ts';
import { kindOf } from './vcard.ts';

/** What {@link createVcardPersons} needs. */
export interface VcardOptions {
  readonly xmpp: Pick<Xmpp, 'request' | 'onState' | 'state'>;
  readonly directory: () => Directory;
  readonly everyMs: number;
  readonly key: Numbers['key'];
  readonly log: Log;
  /** Between two questions, and how long the server has for an answer; milliseconds. */
  readonly gapMs?: number;
  readonly timeoutMs?: number;
}

/** A server that does not answer so many in a row is left alone until the next time. */
const patience = 5;

/**
 * Asks for one card after the other, twenty a second at the most. A user without a card is no failure (`item-not-found`, or `service-unavailable`
 * on ejabberd); a server that does not answer at all is: ejabberd 24.12 with mod_privilege drops such questions.
 */
export function createVcardPersons(options: VcardOptions): Refreshed {
  const { xmpp, directory, key, log, gapMs = 50, timeoutMs = 10_000 } = options;

  async function read(signal: AbortSignal, share: Share): Promise<readonly Person[]> {
    const stopped = aborted(signal);
    const persons: Person[] = [];
    let silent = 0;
    for (const { jid, fullName } of directory().users) {
      if (signal.aborted) break;
      try {
        const asked = xmpp.request(jid, 'get', xml('vCard', { xmlns: 'vcard-temp' }), timeoutMs);
        const answer = await Promise.race([asked, stopped]);
        silent = 0;
        const card = child(answer, 'vCard');
        const person = card && makePerson('vcard', draftOf(card, jid, fullName), key);
        if (typeof person === 'string') log.debug({ jid, reason: person }, 'a vCard was skipped');
        else if (person !== undefined && (person.numbers.length > 0 || person.email !== ''))
          persons.push(share(person));
      } catch (error) {
        const isSilence = error instanceof StanzaError && error.condition === 'remote-server-timeout';
        silent = isSilence ? silent + 1 : 0;
        if (silent >= patience)
          throw new Error('the XMPP server does not answer questions for vCards', { cause: error });
      }
      await setTimeout(gapMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return persons;
  }

  const source = createRefreshed({
    name: 'vcard',
    everyMs: options.everyMs,
    retryMs: 60_000,
    log,
    isReady: () => xmpp.state.status === 'online',
    read,
  });
  xmpp.onState(({ status }) => {
    if (status === 'online') source.refresh();
  });
  return source;
}

/** Rejects when the signal comes; to race with. */
function aborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
  });
  // Nobody may be racing by then.
  promise.catch(() => undefined);
  return promise;
}

function draftOf(card: XmlElement, jid: BareJid, fullName: string): Draft {
  const part = (...path: string[]) => {
    const found = path.reduce<XmlElement | undefined>((node, name) => node && child(node, name), card);
    return found === undefined ? undefined : textOf(found);
  };
  return {
    id: jid.length <= 256 ? jid : undefined,
    jid,
    // The directory knows how they are called; what a card calls itself would name callers.
    displayname: fullName.slice(0, 256),
    organisation: part('ORG', 'ORGNAME'),
    email: part('EMAIL', 'USERID'),
    numbers: elements(card)
      .filter(({ name }) => name === 'TEL')
      .map((tel) => {
        const number = child(tel, 'NUMBER');
        return {
          kind: kindOf(elements(tel).map(({ name }) => name.toLowerCase())),
          number: number === undefined ? '' : textOf(number),
        };
      }),
  };
}
