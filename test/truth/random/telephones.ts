/** A hundred telephones, alike on a real Asterisk and on the simulated one, and what is told of them. */

import { startAsterisk as startSimulator } from '../../asterisk/asterisk.ts';
import { type Call, type Phone, startPhone } from '../../servers/index.ts';
import { openLab } from '../lab.ts';
import { type Listening, listen } from '../listening.ts';

/** A call on a telephone, as its user sees and handles it. Everything resolves when the telephone has done it. */
export interface Handling {
  readonly state: 'calling' | 'ringing' | 'connected';
  readonly incoming: boolean;
  /** What was dialed; empty for a call that came in. */
  readonly dialed: string;
  /** Number on the display. */
  readonly number: string;
  /** This telephone pressed hold. */
  readonly held: boolean;
  answer(): Promise<unknown>;
  decline(): Promise<unknown>;
  refuseAsBusy(): Promise<unknown>;
  hangUp(): Promise<unknown>;
  hold(): Promise<unknown>;
  resume(): Promise<unknown>;
  transfer(number: string): Promise<unknown>;
  /** Connects the others of both calls; undefined where the telephone cannot. */
  readonly join: ((other: Handling) => Promise<unknown>) | undefined;
}

/** One telephone. */
export interface Handset {
  readonly extension: string;
  /** Oldest first. */
  calls(): readonly Handling[];
  dial(number: string): Promise<unknown>;
}

/** A telephone system with its telephones. */
export interface Exchange {
  readonly name: string;
  readonly handsets: readonly Handset[];
  readonly listening: Listening;
  stop(): Promise<void>;
}

/** Extensions from 300 on. */
const extensions = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ number: `${300 + index}`, name: `Person ${300 + index}` }));

/** Rings 5 s; a telephone that has two calls takes a third, too. */
const dialplan = `[general]
static = yes
writeprotect = yes

[internal]
exten => _3XX,1,Dial(PJSIP/\${EXTEN},5,tT)
 same => n,Hangup()
exten => _7XXX,1,Dial(Local/\${EXTEN:1}@internal,5)
 same => n,Hangup()
exten => _6XXX,1,Dial(Local/\${EXTEN:1}@internal/n,5)
 same => n,Hangup()
exten => _*8XXX,1,Pickup(\${EXTEN:2}@internal)
 same => n,Hangup()
exten => 600,1,Answer()
 same => n,Echo()

[from-trunk]
exten => _X.,1,Hangup()
`;

/** SIP phones on a real Asterisk. */
export async function realExchange(count: number, version: '22' | '16'): Promise<Exchange> {
  const lab = await openLab({
    version,
    extensions: extensions(count),
    extraFiles: { 'extensions.conf': dialplan },
  });
  const phones: Phone[] = [];
  const stop = async () => {
    await Promise.allSettled(phones.map((phone) => phone.stop()));
    await lab.stop();
  };
  try {
    for (const extension of lab.asterisk.extensions.keys()) {
      phones.push(await startPhone(lab.asterisk, extension));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: lab.asterisk.version,
    handsets: phones.map(sipHandset),
    listening: lab,
    stop,
  };
}

function sipHandset(phone: Phone): Handset {
  const known = new Map<Call, Handling>();
  const of = new WeakMap<Handling, Call>();
  const dialed = new WeakMap<Call, string>();
  const handle = (call: Call): Handling => {
    const handling: Handling = {
      get state() {
        // Ended ones are not asked.
        return call.state === 'ended' ? 'calling' : call.state;
      },
      incoming: call.direction === 'in',
      get dialed() {
        return dialed.get(call) ?? '';
      },
      get number() {
        return call.remote.number;
      },
      get held() {
        return call.held;
      },
      answer: () => call.answer(),
      decline: async () => call.decline(),
      refuseAsBusy: async () => call.decline(486),
      hangUp: () => call.hangup(),
      hold: () => call.hold(),
      resume: () => call.unhold(),
      transfer: (number) => call.transfer(number),
      async join(other) {
        const second = of.get(other);
        if (second !== undefined) await call.transferTo(second);
      },
    };
    known.set(call, handling);
    of.set(handling, call);
    return handling;
  };
  return {
    extension: phone.extension,
    calls() {
      const living = phone.calls.filter(({ state }) => state !== 'ended');
      return living.map((call) => known.get(call) ?? handle(call));
    },
    async dial(number) {
      dialed.set(await phone.dial(number), number);
    },
  };
}

/** Telephones of the simulated Asterisk. */
export async function simulatedExchange(count: number): Promise<Exchange> {
  const people = extensions(count);
  const asterisk = await startSimulator({ extensions: people });
  const account = (name: string) => {
    const found = asterisk.users.find(({ username }) => username === name);
    if (found === undefined) throw new Error(`the simulated Asterisk has no account ${name}`);
    return found;
  };
  const listening = await listen({
    host: asterisk.host,
    port: asterisk.port,
    control: account('control'),
    feed: account('feed'),
    people,
  });
  return {
    name: 'simulated Asterisk',
    handsets: people.map(({ number }) => {
      const phone = asterisk.phone(number);
      const dialed = new Map<string, string>();
      return {
        extension: number,
        async dial(target) {
          const channel = phone.call(target);
          if (channel !== undefined) dialed.set(channel, target);
        },
        calls: () =>
          phone.state().map(({ channel, state, number: shown }) => ({
            // It has no state of its own for a call that rings at the other end.
            state: state === 'held' || state === 'up' ? 'connected' : 'ringing',
            incoming: !dialed.has(channel),
            dialed: dialed.get(channel) ?? '',
            number: shown,
            held: state === 'held',
            answer: async () => phone.answer(channel),
            decline: async () => phone.decline(channel),
            refuseAsBusy: async () => phone.busy(channel),
            hangUp: async () => phone.hangup(channel),
            hold: async () => phone.hold(channel),
            resume: async () => phone.unhold(channel),
            transfer: async (target) => phone.transfer(target, channel),
            join: undefined,
          })),
      };
    }),
    listening,
    async stop() {
      await listening.stop();
      await asterisk.stop();
    },
  };
}
