import type { Behaviour, Outside, Party, Phone, PhoneCall } from './api.ts';
import { peerOf } from './pbx/bridge.ts';
import { type Channel, newChannel, setVariable } from './pbx/channel.ts';
import { exists, run } from './pbx/dialplan.ts';
import { type Line, type Pbx, register } from './pbx/pbx.ts';
import { hangup, setHold } from './pbx/talk.ts';
import { blindTransfer } from './pbx/transfer.ts';

/** The telephone on a line. `changed` is called after everything it does. */
export function createPhone(pbx: Pbx, line: Line, changed: () => void): Phone {
  return {
    ...createControls(pbx, line, changed),
    number: line.endpoint.number,
    name: line.endpoint.callerId?.name ?? '',
    get registered() {
      return line.registered;
    },
    get behaviour() {
      return line.behaviour;
    },
    set behaviour(behaviour: Behaviour) {
      line.behaviour = behaviour;
    },
    register() {
      register(pbx, line, true);
      changed();
    },
    unregister() {
      register(pbx, line, false);
      changed();
    },
    call(number) {
      if (!line.registered)
        throw new Error(`telephone ${line.endpoint.number} is not registered: register() it first`);
      return place(pbx, line, number, undefined, changed);
    },
  };
}

/** The outside world on the trunk. */
export function createOutside(pbx: Pbx, line: Line, changed: () => void): Outside {
  return {
    ...createControls(pbx, line, changed),
    get behaviour() {
      return line.behaviour;
    },
    set behaviour(behaviour: Behaviour) {
      line.behaviour = behaviour;
    },
    call: (number, from) =>
      place(pbx, line, number, from ?? { number: '+4915112345678', name: 'Max Mustermann' }, changed),
  };
}

function place(
  pbx: Pbx,
  line: Line,
  number: string,
  from: Party | undefined,
  changed: () => void,
): string | undefined {
  const { context } = line.endpoint;
  if (!exists(pbx, context, number)) return undefined;
  const channel = newChannel(pbx, { line, state: 4, context, exten: number, dialed: number, callerId: from });
  setVariable(pbx, channel, 'SIPDOMAIN', '127.0.0.1');
  run(pbx, channel);
  pbx.settle();
  pbx.log(`${channel.name} calls ${number}`);
  changed();
  return channel.name;
}

type Controls = Pick<
  Phone,
  | 'endpoint'
  | 'answer'
  | 'decline'
  | 'busy'
  | 'timeout'
  | 'hangup'
  | 'hold'
  | 'unhold'
  | 'transfer'
  | 'state'
  | 'notified'
>;

function createControls(pbx: Pbx, line: Line, changed: () => void): Controls {
  const ringing = (channel: Channel) => channel.ringing !== undefined;
  const talking = (channel: Channel) => channel.state === 6;

  /** Does something with the one call that qualifies. */
  function act(
    what: string,
    name: string | undefined,
    fits: (channel: Channel) => boolean,
    work: (channel: Channel) => void,
  ) {
    const mine = callsOf(pbx, line);
    const found = mine.filter((channel) => fits(channel) && (name === undefined || channel.name === name));
    const [channel] = found;
    if (channel === undefined || found.length > 1) {
      const calls = mine.map((one) => `${one.name} (${stateOf(one)})`).join(', ') || 'no call';
      throw new Error(`PJSIP/${line.endpoint.number} cannot ${what} ${name ?? 'its call'}: it has ${calls}`);
    }
    work(channel);
    pbx.settle();
    pbx.log(`${channel.name}: ${what}`);
    changed();
  }

  return {
    endpoint: `PJSIP/${line.endpoint.number}`,
    answer: (name) => act('answer', name, ringing, (channel) => channel.ringing?.answered()),
    decline: (name) => act('decline', name, ringing, (channel) => channel.ringing?.refused(21, 603, true)),
    busy: (name) =>
      act('refuse as busy', name, ringing, (channel) => channel.ringing?.refused(17, 486, true)),
    timeout: (name) => act('time out', name, ringing, (channel) => channel.ringing?.timedOut()),
    hangup: (name) =>
      act(
        'hang up',
        name,
        () => true,
        (channel) => hangup(pbx, channel, 'phone'),
      ),
    hold: (name) => act('hold', name, talking, (channel) => setHold(pbx, channel, true)),
    unhold: (name) => act('unhold', name, talking, (channel) => setHold(pbx, channel, false)),
    transfer: (number, name) =>
      act(
        'transfer',
        name,
        (channel) => peerOf(channel) !== undefined,
        (channel) => {
          blindTransfer(pbx, channel, line.endpoint.context, number);
        },
      ),
    notified: line.notified,
    state: () => callsOf(pbx, line).map(callOf),
  };
}

function callsOf(pbx: Pbx, line: Line): readonly Channel[] {
  return [...pbx.channels.values()].filter((channel) => channel.line === line);
}

function stateOf(channel: Channel): PhoneCall['state'] {
  if (channel.ringing !== undefined || channel.state === 5 || channel.state === 0) return 'ringing';
  if (channel.state !== 6) return 'calling';
  return channel.holding ? 'held' : 'up';
}

function callOf(channel: Channel): PhoneCall {
  return {
    channel: channel.name,
    uniqueid: channel.uniqueid,
    state: stateOf(channel),
    // Until the PBX says who is there, a telephone shows what was dialled.
    number: channel.connected?.number || (channel.dialed ?? ''),
    name: channel.connected?.name ?? '',
  };
}
