/** Random faults while telephones are used; after each, every client must show what its telephone does. */

import { heapInUse } from '../heap.ts';
import { until } from '../servers/until.ts';
import { faults } from './faults.ts';
import { createRandom, type Random } from './random.ts';
import { extensions, startWorld, type World } from './world.ts';

/** What a run has done. */
export interface Report {
  readonly faults: number;
  readonly calls: number;
  readonly messages: number;
  /** Bytes in use at the end, as a ratio to those after the first third; undefined for a short run. */
  readonly growth: number | undefined;
}

/**
 * Runs. Rejects with what differed after which fault, where clients did not converge, an IQ was answered twice, or one that was sent
 * to a healthy bridge was not answered.
 */
export async function runChaos(
  seed: number,
  count: number,
  onFault: (line: string) => void = () => {},
): Promise<Report> {
  const random = createRandom(seed);
  const world = await startWorld();
  const stray: unknown[] = [];
  const onStray = (reason: unknown) => void stray.push(reason);
  process.on('unhandledRejection', onStray);
  let calls = 0;
  try {
    const names = Object.keys(faults);
    // Each once, in an order that the seed makes; then as it comes.
    const order = shuffled(names, random);
    const third = count < 90 ? undefined : Math.floor(count / 3);
    let settled: number | undefined;
    for (let n = 0; n < count; n++) {
      if (n === third) settled = heapInUse();
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
      if (stray.length > 0) throw new Error(`a promise was left alone after ${name}`, { cause: stray[0] });
    }
    for (const extension of extensions) hangUpAll(world, extension);
    await world.converged('the last call');
    const growth = settled === undefined ? undefined : heapInUse() / settled;
    return { faults: count, calls, messages: world.clients.told, growth };
  } finally {
    process.off('unhandledRejection', onStray);
    await world.stop();
  }
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

async function healthy({ bridge, asterisk }: World): Promise<void> {
  const isUp = () => bridge.isReady;
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
