/** AMI message → {@link PbxEvent}. One reader per event; what has none is not wanted. */

import { Block } from './block.ts';
import { known, readBridge, readChannel, readPriority, whole, withoutEscapes } from './channel.ts';
import type { Bridge, Channel, PbxEvent } from './events.ts';
import type { AmiMessage } from './message.ts';
import type { DeviceName } from './pbx.ts';
import { readQueueMember } from './queue-lists.ts';

type Reader = (message: AmiMessage, at: number) => PbxEvent | undefined;

/** Wraps what reads a message about one channel; without the channel there is no event. */
function about(read: (channel: Channel, message: AmiMessage, at: number) => PbxEvent | undefined): Reader {
  return (message, at) => {
    const channel = readChannel(message);
    return channel === undefined ? undefined : read(channel, message, at);
  };
}

function inBridge(
  read: (channel: Channel, bridge: Bridge, message: AmiMessage, at: number) => PbxEvent,
): Reader {
  return (message, at) => {
    // In the order in which they are written: what is passed over need not be taken apart.
    const bridge = readBridge(message);
    const channel = readChannel(message);
    return bridge === undefined || channel === undefined ? undefined : read(channel, bridge, message, at);
  };
}

const update: Reader = about((channel, _message, at) => ({ type: 'channel-update', at, channel }));

function dial(
  read: (dest: Channel, caller: Channel | undefined, message: AmiMessage, at: number) => PbxEvent,
): Reader {
  return (message, at) => {
    // In the order in which they are written.
    const caller = readChannel(message);
    const dest = readChannel(message, 'Dest');
    return dest === undefined ? undefined : read(dest, caller, message, at);
  };
}

function locals(type: 'local-bridge' | 'local-optimized'): Reader {
  return (message, at) => {
    const one = readChannel(message, 'LocalOne');
    const two = readChannel(message, 'LocalTwo');
    return one === undefined || two === undefined ? undefined : { type, at, one, two };
  };
}

function parking(type: 'parked' | 'unparked' | 'park-timeout' | 'park-gave-up'): Reader {
  return (message, at) => {
    const parkee = readChannel(message, 'Parkee');
    // An item of the ParkedCalls list bears the name of a live event, and the action's id.
    if (parkee === undefined || message.has('ActionID')) return undefined;
    return {
      type,
      at,
      parkee,
      parker: message.get('ParkerDialString'),
      retriever: readChannel(message, 'Retriever'),
      lot: message.get('Parkinglot'),
      space: message.get('ParkingSpace'),
      timeout: whole(message.get('ParkingTimeout')) ?? 0,
    };
  };
}

function inConference(
  type: 'conference-join' | 'conference-leave' | 'conference-mute' | 'conference-unmute',
): Reader {
  return about((channel, message, at) => ({ type, at, channel, conference: message.get('Conference') }));
}

function queueCaller(type: 'queue-join' | 'queue-leave' | 'queue-abandon'): Reader {
  return about((channel, message, at) => ({
    type,
    at,
    channel,
    priority: readPriority(message),
    queue: message.get('Queue'),
    position: whole(message.get('Position')) ?? 0,
    count: whole(message.get('Count')) ?? 0,
  }));
}

function queueMember(type: 'queue-member-added' | 'queue-member-removed' | 'queue-member-changed'): Reader {
  return (message, at) => {
    const member = readQueueMember(message, 'MemberName', 'Interface');
    return member === undefined ? undefined : { type, at, member };
  };
}

function agent(type: 'agent-called' | 'agent-connect' | 'agent-complete' | 'agent-ring-no-answer'): Reader {
  return (message, at) => {
    const caller = readChannel(message);
    const dest = readChannel(message, 'Dest');
    if (caller === undefined || dest === undefined) return undefined;
    return {
      type,
      at,
      caller,
      dest,
      queue: message.get('Queue'),
      interface: message.get('Interface'),
    };
  };
}

function spying(type: 'spy-start' | 'spy-stop'): Reader {
  return (message, at) => {
    const spyer = readChannel(message, 'Spyer');
    return spyer === undefined ? undefined : { type, at, spyer, spyee: readChannel(message, 'Spyee') };
  };
}

const readers = new Map<string, Reader>([
  ['Newchannel', about((channel, _message, at) => ({ type: 'channel-new', at, channel }))],
  ['Newstate', update],
  ['NewCallerid', update],
  ['NewConnectedLine', update],
  [
    'Newexten',
    about((channel, message, at) => ({
      type: 'application',
      at,
      channel,
      application: message.get('Application'),
      data: message.get('AppData'),
    })),
  ],
  [
    'DialBegin',
    dial((dest, caller, message, at) => ({
      type: 'dial-begin',
      at,
      caller,
      dest,
      dialString: message.get('DialString'),
    })),
  ],
  [
    'DialState',
    dial((dest, caller, message, at) => ({
      type: 'dial-state',
      at,
      caller,
      dest,
      status: message.get('DialStatus'),
    })),
  ],
  [
    'DialEnd',
    dial((dest, caller, message, at) => ({
      type: 'dial-end',
      at,
      caller,
      dest,
      status: message.get('DialStatus'),
      forward: message.get('Forward'),
    })),
  ],
  [
    'BridgeEnter',
    inBridge((channel, bridge, message, at) => ({
      type: 'bridge-enter',
      at,
      channel,
      bridge,
      swaps: message.get('SwapUniqueid'),
    })),
  ],
  [
    'BridgeLeave',
    inBridge((channel, bridge, _message, at) => ({ type: 'bridge-leave', at, channel, bridge })),
  ],
  [
    'BridgeMerge',
    (message, at) => {
      const to = readBridge(message, 'To');
      const from = readBridge(message, 'From');
      return to === undefined || from === undefined ? undefined : { type: 'bridge-merge', at, to, from };
    },
  ],
  [
    'BridgeDestroy',
    (message, at) => {
      const bridge = readBridge(message);
      return bridge === undefined ? undefined : { type: 'bridge-destroy', at, bridge };
    },
  ],
  ['Hold', about((channel, _message, at) => ({ type: 'hold', at, channel }))],
  ['Unhold', about((channel, _message, at) => ({ type: 'unhold', at, channel }))],
  [
    'HangupRequest',
    about((channel, message, at) => ({
      type: 'hangup-request',
      at,
      channel,
      cause: whole(message.get('Cause')),
    })),
  ],
  [
    'Hangup',
    about((channel, message, at) => ({
      type: 'hangup',
      at,
      channel,
      priority: readPriority(message),
      cause: whole(message.get('Cause')) ?? 0,
    })),
  ],
  [
    'BlindTransfer',
    (message, at) => {
      const transferer = readChannel(message, 'Transferer');
      if (transferer === undefined) return undefined;
      return {
        type: 'blind-transfer',
        at,
        transferer,
        transferee: readChannel(message, 'Transferee'),
        exten: message.get('Extension'),
        success: message.get('Result') === 'Success',
      };
    },
  ],
  [
    'AttendedTransfer',
    (message, at) => {
      const first = readChannel(message, 'OrigTransferer');
      if (first === undefined) return undefined;
      return {
        type: 'attended-transfer',
        at,
        first,
        second: readChannel(message, 'SecondTransferer') ?? first,
        transferee: readChannel(message, 'Transferee'),
        target: readChannel(message, 'TransferTarget'),
        success: message.get('Result') === 'Success',
      };
    },
  ],
  [
    'Pickup',
    about((channel, message, at) => {
      const target = readChannel(message, 'Target');
      return target === undefined ? undefined : { type: 'pickup', at, channel, target };
    }),
  ],
  ['LocalBridge', locals('local-bridge')],
  ['LocalOptimizationEnd', locals('local-optimized')],
  ['ParkedCall', parking('parked')],
  ['UnParkedCall', parking('unparked')],
  ['ParkedCallTimeOut', parking('park-timeout')],
  ['ParkedCallGiveUp', parking('park-gave-up')],
  ['QueueCallerJoin', queueCaller('queue-join')],
  ['QueueCallerLeave', queueCaller('queue-leave')],
  ['QueueCallerAbandon', queueCaller('queue-abandon')],
  ['QueueMemberAdded', queueMember('queue-member-added')],
  ['QueueMemberRemoved', queueMember('queue-member-removed')],
  ['QueueMemberPause', queueMember('queue-member-changed')],
  ['QueueMemberPenalty', queueMember('queue-member-changed')],
  ['Reload', (message, at) => ({ type: 'reload', at, module: message.get('Module') })],
  ['AgentCalled', agent('agent-called')],
  ['AgentConnect', agent('agent-connect')],
  ['AgentComplete', agent('agent-complete')],
  ['AgentRingNoAnswer', agent('agent-ring-no-answer')],
  ['ConfbridgeJoin', inConference('conference-join')],
  ['ConfbridgeLeave', inConference('conference-leave')],
  ['ConfbridgeMute', inConference('conference-mute')],
  ['ConfbridgeUnmute', inConference('conference-unmute')],
  ['ChanSpyStart', spying('spy-start')],
  ['ChanSpyStop', spying('spy-stop')],
  [
    'OriginateResponse',
    (message, at) => ({
      type: 'originate-response',
      at,
      success: message.get('Response') === 'Success',
      uniqueId: known(message.get('Uniqueid')),
      channel: message.get('Channel'),
      application: message.get('Application'),
      reason: whole(message.get('Reason')) ?? 0,
    }),
  ],
  [
    'DeviceStateChange',
    (message, at) => {
      const state = readDeviceState(message);
      return state === undefined
        ? undefined
        : { type: 'device-state', at, device: state.device, state: state.state };
    },
  ],
  [
    'MessageWaiting',
    (message, at) => ({
      type: 'message-waiting',
      at,
      mailbox: withoutEscapes(message.get('Mailbox')),
      newMessages: whole(message.get('New')) ?? 0,
      oldMessages: whole(message.get('Old')) ?? 0,
    }),
  ],
  [
    'UserEvent',
    (message, at) => {
      // Anything that can make UserEvents could send this one: all that it can bring about is that the AstDB is read.
      const extension = message.get('Extension');
      if (message.get('UserEvent') !== 'OffhookDeflection' || !/^[0-9*#]{1,20}$/.test(extension))
        return undefined;
      return { type: 'deflection', at, extension };
    },
  ],
  [
    'Shutdown',
    (message, at) => ({ type: 'shutdown', at, restarts: /^(true|yes|1)$/i.test(message.get('Restart')) }),
  ],
]);

/** The AMI events that are translated: what the feed lets through, and asks Asterisk to send (manager.conf `eventfilter`). */
export const translatedEvents: readonly string[] = [...readers.keys()];

/** Reads a DeviceStateChange, live or of a DeviceStateList; undefined for one without a device. */
export function readDeviceState(message: AmiMessage): { device: DeviceName; state: string } | undefined {
  const device = message.get('Device');
  return device === '' ? undefined : { device: device as DeviceName, state: message.get('State') };
}

/** How every event begins (manager.c, append_event and its callers; there is more where Asterisk is debugged): most of it is the same each time. */
const head = new Block({
  names: ['Event', 'Privilege', 'Timestamp', 'SystemName'],
  asked: new Set(['Timestamp']),
  whole: false,
  make: ([, , timestamp = '']) => ({ at: stamp(timestamp) }),
  remembered: 256,
});

/** Epoch milliseconds in an event's `Timestamp` header (manager.conf `timestampevents`), or undefined. */
function stamped(message: AmiMessage): number | undefined {
  const begins = message.block?.(head);
  return begins === undefined ? stamp(message.get('Timestamp')) : begins.at;
}

function stamp(text: string): number | undefined {
  const seconds = text === '' ? Number.NaN : Number(text);
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1000) : undefined;
}

/** Turns a message into what it means, or undefined where it means nothing here: unknown events, responses, headers missing. */
export type Translate = (message: AmiMessage) => PbxEvent | undefined;

/**
 * Makes a translator.
 * @param now epoch milliseconds of reception, asked only for events that Asterisk has not stamped
 */
export function createTranslate({ now }: { readonly now: () => number }): Translate {
  return (message) => readers.get(message.event)?.(message, stamped(message) ?? now());
}
