/** What a colleague should be told about a call, field by field. */

import { expect } from 'vitest';
import { type Colleague, deviceOf } from './people.ts';
import type { Party } from './telephones.ts';
import type { ChannelEvent } from './wire.ts';

/** Where an exact value cannot be known beforehand, something that recognizes it. */
type Expected = { readonly [Field in keyof ChannelEvent]: unknown };

/** Makes one expected event of the call: its type, its details, and what differs from the rule. */
export type Telling = (eventType: string, eventDetails?: string, more?: Partial<Expected>) => Expected;

/** A colleague as one side of a call. */
export const side = ({ fullName, extension }: Colleague): Party => ({ name: fullName, number: extension });

/** A call between two of ours, as the one who called is told. */
export const calling = (me: Colleague, other: Colleague): Telling =>
  telling(me, { source: side(me), target: side(other), outbound: true, internal: true });

/** A call between two of ours, as the one who was called is told. */
export const calledBy = (me: Colleague, other: Colleague): Telling =>
  telling(me, { source: side(other), target: side(me), outbound: false, internal: true });

/** A call to somebody or something that is no extension of ours. */
export const callingOut = (me: Colleague, target: Party): Telling =>
  telling(me, { source: side(me), target, outbound: true, internal: false });

/** A call from outside. */
export const calledFromOutside = (me: Colleague, source: Party): Telling =>
  telling(me, { source, target: side(me), outbound: false, internal: false });

function telling(
  me: Colleague,
  call: {
    readonly source: Party;
    readonly target: Party;
    readonly outbound: boolean;
    readonly internal: boolean;
  },
): Telling {
  let answered = false;
  return (eventType, eventDetails = '', more = {}) => {
    answered ||= eventType === 'busy';
    return {
      eventType,
      eventId: expect.stringMatching(new RegExp(`^PJSIP/${me.extension}-[0-9a-f]{8}$`)),
      eventDetails,
      outbound: String(call.outbound),
      internal: String(call.internal),
      sourceName: call.source.name,
      sourceNumber: call.source.number,
      sourceCallerIdName: '',
      targetName: call.target.name,
      targetCallerIdName: '',
      targetNumber: call.target.number,
      busySince: answered ? expect.stringMatching(/^\d{13}$/) : '0',
      // The other leg, once there is one.
      refChannel: expect.stringMatching(/^$|^(?:PJSIP|Local)\/\S+$/),
      device: deviceOf(me),
      fromName: '',
      fromNumber: '',
      ...more,
    };
  };
}

/** What holds for every channel (protocol, `ChannelEvent`): how a story begins, that it ends once, and that it is one story. */
export function expectWholeStories(events: readonly ChannelEvent[]): void {
  for (const id of new Set(events.map(({ eventId }) => eventId))) {
    const story = events.filter(({ eventId }) => eventId === id);
    const types = story.map(({ eventType }) => eventType);
    expect(['ringing', 'busy'], `beginning of ${types.join()}`).toContain(types[0]);
    expect(
      types.filter((type) => type === 'hangup'),
      `ends of ${types.join()}`,
    ).toHaveLength(1);
    expect(types.at(-1), `end of ${types.join()}`).toBe('hangup');
    const since = new Set(story.map(({ busySince }) => busySince).filter((time) => time !== '0'));
    expect(since.size, `answers in ${types.join()}`).toBeLessThanOrEqual(1);
    expect(new Set(story.map(({ device }) => device)).size).toBe(1);
  }
}
