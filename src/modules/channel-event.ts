/** `ChannelEvent`: a user's channel as clients see it, made from the call model's view and the directory's names. */

import type { About } from '../backlog.ts';
import type { ChannelChange, ChannelEventType, ChannelView, Party } from '../calls/changes.ts';
import type { User } from '../directory.ts';
import { otherUser, serviceName } from '../naming.ts';
import type { Person } from '../phonebook/phonebook.ts';
import { element, type Infer, maybe, textElement } from '../protocol/codec.ts';
import { flag, integer, oneOf, text } from '../protocol/value.ts';
import type { World } from './define.ts';
import { labelList, labelsOf } from './phonebook-entry.ts';

const eventTypes = ['ringing', 'busy', 'hold', 'unhold', 'transfer', 'rename', 'redirect', 'hangup'] as const;

/** The element on the wire, every child but the last one always present, in this order. */
export const channelEvent = element(
  'ChannelEvent',
  {
    eventType: textElement(oneOf(...eventTypes), 'ringing', 'what happened'),
    eventId: textElement(
      text('PJSIP/340-0000001c'),
      '',
      'the user’s channel: what `channel` attributes take',
    ),
    eventDetails: textElement(
      text(''),
      '',
      'cause of a hangup, name of a service, `remote` for the other side’s hold; with `unhold` why a consultation came to nothing',
    ),
    outbound: textElement(flag(true), false, 'the user called'),
    internal: textElement(flag(true), false, 'the other party is one of our extensions'),
    sourceName: textElement(text('Thomas Weber'), '', 'who calls'),
    sourceNumber: textElement(text('340'), ''),
    sourceCallerIdName: textElement(
      text(''),
      '',
      'as signaled, where it differs from the directory’s or the phonebook’s',
    ),
    targetName: textElement(text('Max Meyer'), '', 'who is called'),
    targetCallerIdName: textElement(
      text(''),
      '',
      'as signaled, where it differs from the directory’s or the phonebook’s',
    ),
    targetNumber: textElement(text('370'), ''),
    busySince: textElement(
      integer(0, Number.MAX_SAFE_INTEGER, 1385735733276),
      0,
      'epoch ms of the answer, else 0',
    ),
    refChannel: textElement(text('PJSIP/370-0000001d'), '', 'the other leg, where there is one'),
    device: textElement(text('Desk phone'), '', 'the device’s name in the directory'),
    fromName: textElement(text(''), '', 'who forwarded the call here'),
    fromNumber: textElement(text(''), ''),
    labels: maybe(labelList),
  },
  'One step in the life of a user’s channel.',
);

/** A `ChannelEvent` as a value. */
export type ChannelEvent = Infer<typeof channelEvent>;

interface Name {
  readonly name: string;
  readonly number: string;
  readonly callerIdName: string;
}

/** Builds the event of a channel. `type` and `details` as the change says; see {@link presentState} for a list. */
export function describeChannel(
  type: ChannelEventType,
  details: string,
  view: ChannelView,
  { directory, phonebook }: Pick<World, 'directory' | 'phonebook'>,
): ChannelEvent {
  const owner = directory.byDevice(view.device);
  const peer = otherUser(view, directory);
  const person =
    peer === undefined && view.service === '' ? phonebook.byNumber(view.other.number) : undefined;
  const own = named(owner?.user, view.own);
  const other =
    peer !== undefined ? named(peer, view.other) : person ? known(person, view.other) : signaled(view);
  const [source, target] = view.outbound ? [own, other] : [other, own];
  return {
    eventType: type,
    eventId: view.channel,
    eventDetails: details,
    outbound: view.outbound,
    internal: peer !== undefined,
    sourceName: source.name,
    sourceNumber: source.number,
    sourceCallerIdName: source.callerIdName,
    targetName: target.name,
    targetCallerIdName: target.callerIdName,
    targetNumber: target.number,
    busySince: view.busySince,
    refChannel: view.refChannel,
    device: owner?.device.name ?? view.device,
    fromName:
      directory.byExtension(view.from.number)?.fullName ??
      phonebook.byNumber(view.from.number)?.displayname ??
      view.from.name,
    fromNumber: view.from.number,
    labels: labelsOf(person),
  };
}

/** What a channel is known by among the things that are told of. */
export const channelKey = (view: ChannelView): string => view.channel;

/** Details of the `hangup` by which a call on a device that becomes another's ends for the one who had it. */
export const MOVED = 'moved';

/** Which side of the channel a change tells of: the others stay true. */
export function aboutChannel({ type, details, view }: ChannelChange): About | undefined {
  // For one of its users the call ends, for another it begins.
  if (details === MOVED) return undefined;
  const key = channelKey(view);
  switch (type) {
    case 'hold':
    case 'unhold': {
      const facet = details === 'remote' ? 'hold remote' : 'hold';
      return { key, facet, ...(type === 'unhold' && { undoes: true }), final: false };
    }
    case 'ringing':
    case 'busy':
      return { key, facet: 'state', final: false };
    default:
      return { key, facet: type, final: type === 'hangup' };
  }
}

/** What `eventType` and `eventDetails` a list gives a channel that is there; undefined where it is not a call yet, or no more. */
export function presentState(view: ChannelView): { type: ChannelEventType; details: string } | undefined {
  switch (view.state) {
    case 'ringing':
      return { type: 'ringing', details: '' };
    case 'busy':
      if (view.held) return { type: 'hold', details: '' };
      return view.remoteHeld ? { type: 'hold', details: 'remote' } : { type: 'busy', details: view.service };
    default:
      return undefined;
  }
}

function named(user: User | undefined, signaled: Party): Name {
  if (user === undefined) return { ...signaled, callerIdName: '' };
  return { ...known({ displayname: user.fullName }, signaled), number: user.extension };
}

/** The name that we know, and the signaled one where it is another. */
function known({ displayname }: Pick<Person, 'displayname'>, { number, name }: Party): Name {
  return { name: displayname, number, callerIdName: name === displayname ? '' : name };
}

function signaled(view: ChannelView): Name {
  return { name: serviceName(view), number: view.other.number, callerIdName: '' };
}
