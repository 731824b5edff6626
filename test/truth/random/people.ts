/** What a person does with a telephone, at random. */

import type { Dice } from './dice.ts';
import type { Exchange, Handset } from './telephones.ts';

/** What was done, and a promise of its end. */
export interface Deed {
  readonly what: string;
  readonly done: Promise<unknown>;
}

/** Does one thing at one telephone; undefined where there was nothing to do. */
export function actAtRandom(exchange: Exchange, dice: Dice): Deed | undefined {
  const { handsets } = exchange;
  // Whoever is rung or talks does more than whoever is idle.
  const active = handsets.filter((handset) => handset.calls().length > 0);
  const handset =
    dice.chance(0.75) && active.length > handsets.length * 0.2 ? dice.pick(active) : dice.pick(handsets);
  const deed = (what: string, done: Promise<unknown>): Deed => ({
    what: `${handset.extension} ${what}`,
    done,
  });
  const other = () => dice.pick(handsets.filter((each) => each !== handset)).extension;
  const calls = handset.calls();
  if (calls.length === 0) {
    const number = target(exchange, handset, dice);
    return deed(`dials ${number}`, handset.dial(number));
  }
  const call = dice.pick(calls);
  const about = `${call.number}`;
  if (call.state === 'calling') return undefined;
  if (call.state === 'ringing') {
    if (!call.incoming) return dice.chance(0.15) ? deed(`gives up ${about}`, call.hangUp()) : undefined;
    const roll = dice.below(100);
    if (roll < 60) return deed(`answers ${about}`, call.answer());
    if (roll < 68) return deed(`declines ${about}`, call.decline());
    if (roll < 74) return deed(`is engaged for ${about}`, call.refuseAsBusy());
    return undefined;
  }
  const roll = dice.below(100);
  if (roll < 20) return deed(`hangs up on ${about}`, call.hangUp());
  if (roll < 50)
    return call.held ? deed(`resumes ${about}`, call.resume()) : deed(`holds ${about}`, call.hold());
  if (roll < 65) {
    const number = other();
    return deed(`sends ${about} to ${number}`, call.transfer(number));
  }
  const second = calls.find((each) => each !== call && each.state === 'connected');
  // A service that is handed on does not tell the one who gets it what it is: the display goes on to show who did it.
  const services = calls.some((each) => each.number === '600');
  if (second !== undefined && call.join !== undefined && !services) {
    return deed(`connects ${about} with ${second.number}`, call.join(second));
  }
  if (roll < 80 && calls.length === 1) {
    const number = other();
    const ask = async () => {
      if (!call.held) await call.hold();
      await handset.dial(number);
    };
    return deed(`asks ${number} about ${about}`, ask());
  }
  return undefined;
}

function target({ handsets }: Exchange, caller: Handset, dice: Dice): string {
  const others = handsets.filter((each) => each !== caller);
  const roll = dice.below(100);
  if (roll < 3) return '999';
  if (roll < 6) return '600';
  const rung = others.filter((each) =>
    each.calls().some((call) => call.incoming && call.state === 'ringing'),
  );
  if (roll < 12 && rung.length > 0) return `*8${dice.pick(rung).extension}`;
  const { extension } = dice.pick(others);
  if (roll < 20) return `7${extension}`;
  if (roll < 28) return `6${extension}`;
  return extension;
}
