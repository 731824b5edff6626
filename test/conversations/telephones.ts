/** The telephones of the office, alike over the simulated Asterisk and over a real one with SIP phones. */

import { randomBytes } from 'node:crypto';
import type { Asterisk, Phone as SimulatedPhone } from '../asterisk/api.ts';
import { startAsterisk as startSimulator } from '../asterisk/asterisk.ts';
import {
  type AsteriskServer,
  type Call,
  type Phone as SipPhone,
  shownByPhones,
  startAsterisk,
  startPhone,
  until,
} from '../servers/index.ts';
import { everybody, people } from './people.ts';

/** A number and the name that goes with it. */
export interface Party {
  readonly number: string;
  readonly name: string;
}

/** What a person can do with a telephone. */
export interface Telephone {
  /** Lifts the receiver and dials. */
  dial(number: string): Promise<void>;
  /** Resolves when a call rings here. */
  rings(): Promise<void>;
  /** Takes the call that rings. */
  answer(): Promise<void>;
  /** Presses "reject" (603). */
  decline(): Promise<void>;
  /** Is engaged (486). */
  refuseAsBusy(): Promise<void>;
  hangUp(): Promise<void>;
  hold(): Promise<void>;
  resume(): Promise<void>;
  /** Resolves when the call is up. */
  talks(): Promise<void>;
  /** Resolves when there is no call any more. */
  isIdle(): Promise<void>;
  /** Whom the display shows for the call that is there. */
  display(): Party;
  /** Everything that the display shows, as {@link Person.screen} would: `busy 370 held`. Who is still dialing shows nothing. */
  shown(): readonly string[];
}

/** The world outside, on the trunk. */
export interface Outside extends Telephone {
  /** Calls a direct-dial number of the office, as the telephone company delivers it. */
  dialFrom(from: Party, extension: string): Promise<void>;
}

/** A login of the manager interface. */
interface Account {
  readonly username: string;
  readonly secret: string;
}

/** A telephone system with its telephones. */
export interface Telephones {
  readonly host: string;
  readonly port: number;
  readonly control: Account;
  readonly feed: Account;
  /** The telephone of an extension. */
  at(extension: string): Telephone;
  /** A second telephone with the same extension; it is there when this resolves, and goes with `quiet`. */
  second(extension: string): Promise<Telephone>;
  readonly outside: Outside;
  /** Dies without a word, and takes no connections until {@link comeBack}. */
  die(): Promise<void>;
  /** Is there again when this resolves, with its telephones. */
  comeBack(): Promise<void>;
  /** Ends every call and takes second telephones away; resolves when the telephone system has no channel left. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

/** Everybody's telephone but Emil's, which is never registered. */
const pluggedIn = everybody.filter((person) => person !== people.emil);

/** Where the trunk delivers calls for an extension. */
const direct = (extension: string) => `4930123456${extension}`;

/** The simulated Asterisk of `test/asterisk`, with itself for tests that look underneath. */
export interface Simulated extends Telephones {
  readonly asterisk: Asterisk;
}

/** Starts the simulated Asterisk. */
export async function simulatedTelephones(): Promise<Simulated> {
  const asterisk = await startSimulator({
    extensions: everybody.map(({ extension, fullName }) => ({
      number: extension,
      name: fullName,
      devices: 2,
      registered: false,
    })),
  });
  for (const { extension } of pluggedIn) asterisk.phone(extension).register();
  const second = new Set<SimulatedPhone>();
  return {
    asterisk,
    host: asterisk.host,
    port: asterisk.port,
    control: accountOf(asterisk, 'control'),
    feed: accountOf(asterisk, 'feed'),
    at: (extension) =>
      simulated(asterisk.phone(extension), (number) => asterisk.phone(extension).call(number)),
    async second(extension) {
      const phone = asterisk.phone(extension, 2);
      phone.register();
      second.add(phone);
      return simulated(phone, (number) => phone.call(number));
    },
    outside: {
      ...simulated(asterisk.outside, (number) => asterisk.outside.call(number)),
      async dialFrom(from, extension) {
        asterisk.outside.call(direct(extension), from);
      },
    },
    async die() {
      await asterisk.faults.refuse();
      asterisk.faults.drop();
    },
    comeBack: () => asterisk.faults.accept(),
    async quiet() {
      for (const phone of [...asterisk.phones, asterisk.outside]) {
        for (const call of phone.state()) {
          // Ending one leg may have ended this one, too.
          if (phone.state().some(({ channel }) => channel === call.channel)) phone.hangup(call.channel);
        }
      }
      for (const phone of second) phone.unregister();
      second.clear();
      await asterisk.until(() => asterisk.channels().length === 0, 'no call is left');
    },
    stop: () => asterisk.stop(),
  };
}

function accountOf(asterisk: Asterisk, name: string): Account {
  const found = asterisk.users.find(({ username }) => username === name);
  if (found === undefined) throw new Error(`the simulated Asterisk has no account ${name}`);
  return found;
}

type Line = Pick<SimulatedPhone, 'state' | 'answer' | 'decline' | 'busy' | 'hangup' | 'hold' | 'unhold'>;

function simulated(line: Line, call: (number: string) => unknown): Telephone {
  const has = (what: string, ...states: string[]) =>
    until(`the telephone ${what}`, () => line.state().some(({ state }) => states.includes(state))).then(
      () => {},
    );
  return {
    dial: async (number) => void call(number),
    rings: () => has('rings', 'ringing'),
    answer: async () => {
      await has('rings', 'ringing');
      line.answer();
    },
    decline: async () => {
      await has('rings', 'ringing');
      line.decline();
    },
    refuseAsBusy: async () => {
      await has('rings', 'ringing');
      line.busy();
    },
    hangUp: async () => line.hangup(),
    hold: async () => line.hold(),
    resume: async () => line.unhold(),
    talks: () => has('talks', 'up', 'held'),
    isIdle: () => until('the telephone is idle', () => line.state().length === 0).then(() => {}),
    display() {
      const [shown] = line.state();
      return { number: shown?.number ?? '', name: shown?.name ?? '' };
    },
    shown: () =>
      line.state().flatMap(({ state, number }) => {
        if (state === 'ringing') return [`ringing ${number}`];
        if (state === 'up' || state === 'held') return [`busy ${number}${state === 'held' ? ' held' : ''}`];
        return [];
      }),
  };
}

/** A real Asterisk, with itself for tests that mistreat it. */
export interface Real extends Telephones {
  readonly server: AsteriskServer;
}

/** Starts a real Asterisk 22 and a SIP phone for everybody. */
export async function realTelephones(): Promise<Real> {
  // Services go by their names only where the feed may read `dialplan`; `system` lets it filter out what comes with that.
  const feed = { username: 'listener', secret: randomBytes(12).toString('hex') };
  const rights = { read: 'system,call,agent,dialplan', write: 'system,reporting' };
  const asterisk = await startAsterisk({ managers: [{ ...feed, ...rights }] });
  const phones = new Map<string, SipPhone>();
  const second: SipPhone[] = [];
  const all = () => [...phones.values(), ...second];
  try {
    for (const extension of [...pluggedIn.map((person) => person.extension), 'trunk']) {
      phones.set(extension, await startPhone(asterisk, extension));
    }
  } catch (error) {
    for (const phone of all()) await phone.stop();
    await asterisk.stop();
    throw error;
  }
  const at = (extension: string) => {
    const phone = phones.get(extension);
    if (phone === undefined) throw new Error(`${extension} has no telephone`);
    return phone;
  };
  return {
    server: asterisk,
    host: asterisk.host,
    port: asterisk.amiPort,
    control: asterisk.managers.control,
    feed,
    at: (extension) => sip(at(extension)),
    async second(extension) {
      const phone = await startPhone(asterisk, extension);
      second.push(phone);
      return sip(phone);
    },
    outside: {
      ...sip(at('trunk')),
      async dialFrom(from, extension) {
        await at('trunk').dial(direct(extension), from);
      },
    },
    die: () => asterisk.kill(),
    async comeBack() {
      await asterisk.restart();
      for (const phone of all()) if (phone.extension !== 'trunk') await phone.register();
    },
    async quiet() {
      for (const phone of all()) for (const call of phone.calls) await call.hangup();
      for (const phone of second.splice(0)) await phone.stop();
      await until('no call is left', async () => (await channels(asterisk)) === 0);
    },
    async stop() {
      try {
        await Promise.all(all().map((phone) => phone.stop()));
      } finally {
        await asterisk.stop();
      }
    },
  };
}

async function channels(asterisk: AsteriskServer): Promise<number> {
  return Number(/^(\d+) active channel/m.exec(await asterisk.cli('core show channels count'))?.[1] ?? 'NaN');
}

function sip(phone: SipPhone): Telephone {
  const living = () => phone.calls.filter(({ state }) => state !== 'ended');
  const present = (): Call => {
    const call = living().at(-1);
    if (call === undefined) throw new Error(`${phone.extension} has no call`);
    return call;
  };
  return {
    dial: async (number) => void (await phone.dial(number)),
    rings: async () => void (await phone.ringing()),
    answer: async () => (await phone.ringing()).answer(),
    decline: async () => (await phone.ringing()).decline(603),
    refuseAsBusy: async () => (await phone.ringing()).decline(486),
    hangUp: async () => present().hangup(),
    hold: async () => present().hold(),
    resume: async () => present().unhold(),
    talks: async () =>
      void (await until('the telephone talks', () => living().some(({ state }) => state === 'connected'))),
    isIdle: async () => void (await until('the telephone is idle', () => living().length === 0)),
    display: () => present().remote,
    shown: () => shownByPhones([phone], phone.extension),
  };
}
