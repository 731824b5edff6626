/** What users would have been told of a recorded call, event by event, in the words of the modules. */

import type { Calls } from '../calls/calls.ts';
import { createInvariants } from '../calls/invariants.ts';
import type { Change } from '../changes.ts';
import type { Directory } from '../directory.ts';
import { emptyQueueing, type Module } from '../modules/define.ts';
import { emptyPhonebook } from '../phonebook/model.ts';
import { elements, textOf, type XmlElement } from '../protocol/xml.ts';
import { type Replayed, replay, type Sidecar } from './replay.ts';

/** One event to one user. */
export interface Told {
  /** Seconds since the recording began. */
  readonly t: number;
  /** Bare JID. */
  readonly to: string;
  readonly module: string;
  readonly event: string;
  /** The payload's attributes and child elements by name; text, or the same again for what holds elements. */
  readonly fields: Fields;
}

/** An element as JSON. Names that come more than once hold a list. */
export interface Fields {
  readonly [name: string]: string | Fields | readonly (string | Fields)[];
}

/** Plays one recording. Calls back for each event to each user; returns the sentences of what must not be. */
export function tell(
  recording: { readonly bytes: Buffer; readonly sidecar: Sidecar | undefined },
  world: {
    readonly modules: readonly Module[];
    readonly directory: Directory;
    readonly calls: Calls;
    /** What follows the telephone world beside the calls, as far as it needs nothing but events. */
    readonly following: readonly Replayed<Change>[];
  },
  onTold: (told: Told) => void,
): readonly string[] {
  const { modules, directory, calls, following } = world;
  const invariants = createInvariants();
  const violations: string[] = [];
  const around = { directory, calls, phonebook: emptyPhonebook, queueing: emptyQueueing };
  const onChange = (t: number, change: Change) => {
    if (change.kind === 'channel' || change.kind === 'pickup')
      violations.push(...invariants.check(change).map((text) => `${t.toFixed(3)} s: ${text}`));
    for (const module of modules) {
      for (const event of module.events.values()) {
        for (const { concerns, value } of event.from(change, around)) {
          const fields = fieldsOf(event.payload.write(value));
          for (const { jid } of concerns) {
            const { name } = event;
            onTold({ t: Number(t.toFixed(6)), to: jid, module: module.name, event: name, fields });
          }
        }
      }
    }
  };
  replay<Change>(recording.bytes, recording.sidecar, calls, onChange, following);
  return violations;
}

function fieldsOf(element: XmlElement): Fields {
  const fields = new Map<string, string | Fields | (string | Fields)[]>(element.attrs);
  for (const child of elements(element)) {
    const value = child.attrs.size === 0 && elements(child).length === 0 ? textOf(child) : fieldsOf(child);
    const before = fields.get(child.name);
    if (before === undefined) fields.set(child.name, value);
    else fields.set(child.name, Array.isArray(before) ? [...before, value] : [before, value]);
  }
  return Object.fromEntries(fields);
}
