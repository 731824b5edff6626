/** Call changes in, messages out: what happened, in whose words, to whom. The only sender of events. */

import type { CallChange } from './calls/changes.ts';
import type { Directory } from './directory.ts';
import type { Event, Module, Occurrence, World } from './modules/define.ts';
import { eventBody, eventMessage } from './protocol/envelope.ts';
import type { BareJid } from './protocol/jid.ts';
import { elements, textOf, type XmlElement } from './protocol/xml.ts';
import type { SubscriptionIndex } from './subscriptions/index.ts';

/** What publishing needs. */
export interface PublishOptions {
  readonly modules: readonly Module[];
  readonly index: SubscriptionIndex;
  /** The component's JID: the sender of every event. */
  readonly from: string;
  /** Hands a serialized stanza to the server; false where it was refused. */
  readonly send: (stanza: string) => boolean;
}

/** Counters since the start. */
export interface PublishCounters {
  /** Messages handed over. */
  sent: number;
  /** Messages that the XMPP side refused. */
  refused: number;
}

/** Tells the sessions that want to know. */
export interface Publish {
  (changes: readonly CallChange[], world: World): void;
  readonly counters: Readonly<PublishCounters>;
}

/** Makes the publisher. */
export function createPublish({ modules, index, from, send }: PublishOptions): Publish {
  const sources = modules.flatMap((module) =>
    [...module.events.values()].map((event) => ({ module: module.name, event })),
  );
  const counters: PublishCounters = { sent: 0, refused: 0 };

  function tell(module: string, event: Event, occurrence: Occurrence, directory: Directory): void {
    const supervises = (user: BareJid) => directory.byJid(user)?.roles.has('xmpp.supervisor') ?? false;
    let payload: XmlElement | undefined;
    const built = () => {
      payload ??= occurrence.payload();
      return payload;
    };
    let body: string | undefined;
    index.forEach(
      {
        module,
        type: occurrence.type,
        concerns: occurrence.concerns.map((user) => user.jid),
        values: (filter) => valuesOf(built(), event.filterAliases.get(filter), filter),
      },
      supervises,
      (session) => {
        body ??= eventBody(from, module, built());
        if (send(eventMessage(session, body))) counters.sent += 1;
        else counters.refused += 1;
      },
    );
  }

  const publish = (changes: readonly CallChange[], world: World) => {
    for (const change of changes) {
      for (const { module, event } of sources) {
        for (const occurrence of event.from(change, world)) tell(module, event, occurrence, world.directory);
      }
    }
  };
  return Object.assign(publish, { counters });
}

/** What a filter of that name is compared with: the payload's attribute and child elements so named, and the alias's. */
function valuesOf(payload: XmlElement, ...names: (string | undefined)[]): string[] {
  const values: string[] = [];
  for (const name of names) {
    if (name === undefined) continue;
    const attribute = payload.attrs.get(name);
    if (attribute !== undefined) values.push(attribute);
    for (const child of elements(payload)) if (child.name === name) values.push(textOf(child));
  }
  return values;
}
