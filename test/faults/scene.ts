/** What every fault is put to: a call in progress, requests on their way, and at the end everybody's screen compared with the telephones. */

import { expect } from 'vitest';
import type { Office } from '../conversations/office.ts';
import { people } from '../conversations/people.ts';
import type { Person } from '../conversations/person.ts';
import type { Real } from '../conversations/telephones.ts';
import { quietRequests, type Volley, volley } from '../conversations/volley.ts';
import { readChannelEvent } from '../conversations/wire.ts';
import { until } from '../servers/until.ts';

export const { anna, bernd, carla } = people;

export type Suffering = Office<Real>;

/** What a fault spares. */
export interface Situation {
  readonly name: string;
  /** Does the harm; returns what ends it. `ask` sends further requests meanwhile. */
  harm(office: Suffering, ask: () => Promise<void>): Promise<(() => Promise<unknown>) | undefined>;
  /** The telephones go on while it lasts: one call ends and another begins meanwhile. Default: true. */
  readonly telephones?: false;
  /**
   * The clients' own streams end with it: they log in again. What they had asked before is answered to nobody; of all else each request has
   * one answer, from the bridge or from the server, but for those that the line has swallowed: the server had said them to a component
   * that was gone, or the component's answer went into a line that was cut, and no server asks again.
   */
  readonly streams?: 'lost';
  /** The server may not have noticed when the requests come that are sent meanwhile: it says them on a connection that is closed, or forgets them with it. */
  readonly unnoticed?: true;
  /** Afterwards the store must hold what another bridge needs: there is one, and a call ends before it comes. */
  readonly store?: 'proven';
}

/** Waits until every screen shows what its telephone shows. */
export async function agree(office: Suffering, persons: readonly Person[], when: string): Promise<void> {
  const owners = [anna, bernd, carla];
  const shown = (person: Person, at: number) => {
    const owner = owners[at];
    return { screen: person.screen, telephone: owner === undefined ? [] : office.phone(owner).shown() };
  };
  const wrong = () =>
    persons
      .map(shown)
      .filter(({ screen, telephone }) => JSON.stringify(screen) !== JSON.stringify(telephone));
  await until(when, () => wrong().length === 0, 30).catch((error: unknown) => {
    throw new Error(`${when}: ${JSON.stringify(wrong())}\n${told(persons)}`, { cause: error });
  });
}

function told(persons: readonly Person[]): string {
  return persons
    .map(({ jid, events }) => `${jid}: ${events.map((e) => `${e.eventType} ${e.eventId}`).join(', ')}`)
    .join('\n');
}

/** Anna, Bernd and Carla come in; Anna and Bernd talk, Anna has him on hold. */
export async function callInProgress(office: Suffering): Promise<[Person, Person, Person]> {
  const persons: [Person, Person, Person] = [
    await office.comeIn(anna),
    await office.comeIn(bernd),
    await office.comeIn(carla),
  ];
  const [a, b] = persons;
  await office.phone(anna).dial(bernd.extension);
  await office.phone(bernd).answer();
  await Promise.all([a.told('busy'), b.told('busy')]);
  await office.phone(anna).hold();
  await a.told('hold');
  return persons;
}

/**
 * Puts an office through a situation. COMPAT: ejabberd forgets what waits in the mailbox of a component's connection when that ends, unsaid and unanswered; so
 * does Prosody, one time in a hundred, with what it was about to write. What was not said at that moment may therefore have no answer.
 */
export async function suffer(office: Suffering, situation: Situation): Promise<void> {
  const { telephones = true, streams, unnoticed = false, store } = situation;
  let persons = await callInProgress(office);
  const [a, b, c] = persons;
  const { ledger } = office.lines.xmpp;
  const endsBefore = ledger.ends;
  const shots: Volley[] = [await volley(c, 1, quietRequests)];
  const ask = async () => void shots.push(await volley(c, 1, quietRequests));
  const undo = await situation.harm(office, ask);
  if (streams === undefined) await ask();
  if (telephones) {
    await office.phone(bernd).hangUp();
    await office.phone(carla).dial('600');
    await office.phone(carla).talks();
  }
  await undo?.();
  await office.bridge.isReady();
  if (streams === 'lost') {
    const again = await office.comeIn(carla);
    expect(await listed(again)).toEqual(office.phone(carla).shown());
    persons = [await office.comeIn(anna), await office.comeIn(bernd), again];
    const fresh = await volley(again, 1, quietRequests);
    await fresh.answered(20);
    fresh.expectOneAnswerEach();
    await endCalls(office);
  } else {
    await agree(office, [a, b, c], `clients show what telephones do after: ${situation.name}`);
    const { lost, said, ends } = ledger;
    for (const [index, each] of shots.entries()) {
      const isForgotten = (id: string) => (unnoticed || (index === 0 && ends > endsBefore)) && !said.has(id);
      await each.answered(20, (id) => lost.has(id) || isForgotten(id));
    }
  }
  if (store === 'proven') await anotherBridge(office, c);
  await endCalls(office);
  await aCallLikeAnyOther(office, persons);
  for (const each of shots) each.expectNoSecondAnswer();
  // Whoever was there to hear it.
  expect(ledger.answeredAgain).toEqual([]);
  // Who logs in during a call hears of its end only.
  if (streams === undefined) expect(persons.flatMap(({ broken }) => broken)).toEqual([]);
}

/** Carla's call ends while there is no bridge; the next one must know of her session, and of the call. */
async function anotherBridge(office: Suffering, c: Person): Promise<void> {
  await office.bridge.stop();
  const before = c.events.length;
  await office.phone(carla).hangUp();
  await office.bridge.start();
  await office.bridge.isReady();
  await c.told('hangup');
  expect(c.events.slice(before).map(({ eventType }) => eventType)).toEqual(['hangup']);
}

/** What a client asks for when it comes in the middle of a call. */
async function listed(person: Person): Promise<string[]> {
  const { payload } = await person.command('base.FindChannels');
  const calls = (payload?.getChildElements() ?? []).map(readChannelEvent);
  return calls
    .map(({ eventType, eventDetails, outbound, targetNumber, sourceNumber }) => {
      const number = outbound === 'true' ? targetNumber : sourceNumber;
      if (eventType !== 'hold') return `${eventType} ${number}`;
      return `busy ${number}${eventDetails === '' ? ' held' : ''}`;
    })
    .sort();
}

/** Everybody hangs up. */
export async function endCalls(office: Suffering): Promise<void> {
  for (const person of [anna, bernd, carla]) {
    if (office.phone(person).shown().length > 0) await office.phone(person).hangUp();
  }
  await office.quiet();
}

/** All is well again: Bernd calls Anna, she answers, he hangs up. */
export async function aCallLikeAnyOther(office: Suffering, persons: readonly Person[]): Promise<void> {
  const [a, b] = persons;
  if (a === undefined || b === undefined) throw new Error('Anna and Bernd have to be there');
  await agree(office, persons, 'nobody shows a call');
  const before = [a.events.length, b.events.length];
  await office.phone(bernd).dial(anna.extension);
  await office.phone(anna).answer();
  await office.phone(bernd).talks();
  await agree(office, persons, 'a new call is shown');
  await office.phone(bernd).hangUp();
  // Until both have put the receiver down, screens and displays may agree about the call that was.
  await Promise.all([anna, bernd].map((each) => office.phone(each).isIdle()));
  await agree(office, persons, 'the new call is over');
  for (const [at, person] of [a, b].entries()) {
    expect(person.events.slice(before[at]).map(({ eventType }) => eventType)).toEqual([
      'ringing',
      'busy',
      'hangup',
    ]);
  }
}
