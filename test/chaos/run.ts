/** Random faults while telephones are used; after each, every client must show what its telephone does. */

import { until } from '../servers/until.ts';
import { faults } from './faults.ts';
import { hostThere } from './host.ts';
import { extensions } from './names.ts';
import { createRandom, type Random } from './random.ts';
import { startWorld, type World } from './world.ts';

/** What the bridge needed, in a process that it has for itself. */
export interface Memory {
  /** Bytes before the first fault, used to as many calls and restarts as the faults bring. */
  readonly before: number;
  /** The most that it needed after a fault, as a ratio to that. */
  readonly most: { readonly ratio: number; readonly after: string };
}

/** More than this of what was needed before may not be needed after a fault. */
const mostMemory = 1.1;
const callsAFault = 6;
const callsARestart = 50;

/** As people read a ratio. */
export const percent = (ratio: number) => `${Math.round(100 * ratio)} %`;

/** What a run has done. */
export interface Report {
  readonly faults: number;
  readonly calls: number;
  readonly messages: number;
  readonly memory: Memory;
}

/**
 * Runs. Rejects with what differed after which fault, where clients did not converge, an IQ was answered twice, one that was sent
 * to a healthy bridge was not answered, or the bridge needs more memory than before.
 */
export async function runChaos(
  seed: number,
  count: number,
  onFault: (line: string) => void = () => {},
): Promise<Report> {
  const random = createRandom(seed);
  const host = hostThere();
  const world = await startWorld(host);
  let calls = 0;
  try {
    const names = Object.keys(faults);
    // Each once, in an order that the seed makes; then as it comes.
    const order = shuffled(names, random);
    calls += await warmUp(world, random, count * callsAFault);
    const before = await host.memory();
    let most = { ratio: 0, after: '' };
    for (let n = 0; n < count; n++) {
      const name = order[n] ?? names[random.below(names.length)] ?? '';
      onFault(`${n + 1}/${count} ${name}`);
      calls += use(world, random);
      const end = await faults[name]?.(world, random, () => {
        calls += use(world, random);
      });
      const during = ['340', '341'].map((each) => world.ask(each, '<FindChannels/>'));
      calls += use(world, random);
      await end?.();
      await healthy(world);
      await world.converged(`fault ${n + 1}, ${name} (seed ${seed})`);
      const asked = [...during];
      await until(`an IQ is answered after ${name}`, () => {
        // Again and again: the first ones may go to a stream that is ending.
        asked.push(world.ask('340', '<FindChannels/>'));
        return asked.slice(during.length).some((id) => world.clients.answers.has(id));
      });
      for (const id of asked) {
        if ((world.clients.answers.get(id) ?? 0) > 1)
          throw new Error(`${id} was answered twice after ${name}`);
        world.clients.forget(id);
      }
      const ratio = (await host.memory()) / before;
      if (ratio > mostMemory)
        throw new Error(`after ${name} the bridge needs ${percent(ratio)} of the memory it needed before`);
      if (ratio > most.ratio) most = { ratio, after: name };
      const [warning] = host.warnings;
      if (warning !== undefined) throw new Error(`a warning after ${name}: ${warning}`);
    }
    for (const extension of extensions) hangUpAll(world, extension);
    await world.converged('the last call');
    return { faults: count, calls, messages: world.clients.told, memory: { before, most } };
  } finally {
    await world.stop();
  }
}

/** Office life without faults, and some restarts: code gets compiled and caches get filled that stay so. */
async function warmUp(world: World, random: Random, calls: number): Promise<number> {
  let made = 0;
  for (let restarts = 0; made < calls; ) {
    made += use(world, random);
    await world.converged('a call like any other');
    if (made < restarts * callsARestart) continue;
    restarts += 1;
    await world.restart(() => {});
    await healthy(world);
  }
  return made;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    const [one, two] = [order[at], order[other]];
    if (one !== undefined && two !== undefined) [order[at], order[other]] = [two, one];
  }
  return order;
}

async function healthy({ host, asterisk }: World): Promise<void> {
  const isUp = async () => (await host.standing()).ready;
  await until(`all connections are back (${asterisk.sessions.length} AMI sessions so far)`, isUp, 15);
}

/** A few seconds of office life at once; the number of calls that were begun. */
function use({ asterisk }: World, random: Random): number {
  let begun = 0;
  for (let step = 0; step < 6; step++) {
    const phone = asterisk.phone(random.pick(extensions));
    const calls = phone.state();
    // One call a telephone: who holds whom is in none of Asterisk's lists, and of a telephone with two calls nobody could tell.
    const [call] = calls;
    if (call === undefined) {
      const target = random.pick(extensions);
      if (target === phone.number || asterisk.phone(target).state().length > 0) continue;
      phone.call(target);
      begun += 1;
    } else if (call.state === 'ringing' && random.below(3) > 0) phone.answer(call.channel);
    else if (call.state === 'up' && random.below(2) > 0) phone.hold(call.channel);
    else if (call.state === 'held' && random.below(2) > 0) phone.unhold(call.channel);
    else phone.hangup(call.channel);
  }
  return begun;
}

function hangUpAll({ asterisk }: World, extension: string): void {
  const phone = asterisk.phone(extension);
  for (const { channel } of phone.state()) {
    if (phone.state().some((call) => call.channel === channel)) phone.hangup(channel);
  }
}
