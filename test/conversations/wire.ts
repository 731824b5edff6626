/** Reads what the bridge sends. Independent of the bridge's own codecs. */

import type { Element } from '@xmpp/client';

/** A `ChannelEvent` as text, field by field, the way a client finds it. */
export interface ChannelEvent {
  readonly eventType: string;
  readonly eventId: string;
  readonly eventDetails: string;
  readonly outbound: string;
  readonly internal: string;
  readonly sourceName: string;
  readonly sourceNumber: string;
  readonly sourceCallerIdName: string;
  readonly targetName: string;
  readonly targetCallerIdName: string;
  readonly targetNumber: string;
  readonly busySince: string;
  readonly refChannel: string;
  readonly device: string;
  readonly fromName: string;
  readonly fromNumber: string;
}

const fields: readonly (keyof ChannelEvent)[] = [
  ...(['eventType', 'eventId', 'eventDetails', 'outbound', 'internal'] as const),
  ...(['sourceName', 'sourceNumber', 'sourceCallerIdName'] as const),
  ...(['targetName', 'targetCallerIdName', 'targetNumber'] as const),
  ...(['busySince', 'refChannel', 'device', 'fromName', 'fromNumber'] as const),
];

/** The one element in a stanza's `cmd`. */
export function payloadOf(stanza: Element): Element | undefined {
  return stanza.getChild('cmd', 'http://www.pascom.net/mobydick')?.getChildElements()[0];
}

/** @throws Error where a field is missing, doubled, or not in its place: legacy clients read them without looking. */
export function readChannelEvent(payload: Element): ChannelEvent {
  const names = payload.getChildElements().map(({ name }) => name);
  if (names.filter((name) => name !== 'LabelList').join() !== fields.join()) {
    throw new Error(`a ChannelEvent has the children ${names.join()}`);
  }
  const text = (name: keyof ChannelEvent) => payload.getChildText(name) ?? '';
  const entries = fields.map((name): [keyof ChannelEvent, string] => [name, text(name)]);
  return Object.fromEntries(entries) as Record<keyof ChannelEvent, string>;
}
