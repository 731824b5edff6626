/** A journal that is fed recorded calls, on any store. */

import { pino } from 'pino';
import { createDirectory } from '../../src/directory.ts';
import { createJournal } from '../../src/journal/journal.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { Store } from '../../src/store/store.ts';
import { officeCalls } from '../calls/office.ts';
import { recordings } from '../calls/recordings.ts';
import { device, user } from '../modules/harness.ts';
import { journal as settings } from '../settings.ts';

/** The five users of the recordings. */
export const directory = createDirectory(
  [
    ['340', 'Anna Müller'],
    ['370', 'Bernd Schmidt'],
    ['320', 'Carla Österreich'],
    ['330', 'Dora Forward'],
    ['310', 'Emil Extra'],
  ].map(([extension = '', name = '']) =>
    user(`user${extension}`, extension, name, {
      devices: [device(`Desk ${extension}`, `PJSIP/${extension}`)],
    }),
  ),
);

/** The user of that extension. */
export function jidOf(extension: string) {
  const jid = directory.byExtension(extension)?.jid;
  if (jid === undefined) throw new Error(`nobody has ${extension}`);
  return jid;
}

/** The events of a recording, as if they happened now. */
export function eventsOf(name: string): readonly PbxEvent[] {
  const recording = recordings.find((each) => each.name.startsWith(name));
  if (recording === undefined) throw new Error(`no recording ${name}`);
  const events = recording.events();
  const shift = Date.now() - (events.at(-1)?.at ?? 0);
  return events.map((event) => ({ ...event, at: event.at + shift }));
}

/** A journal, and the call model that feeds it: what a bridge is to it. */
export function journalOn(store: Store, count = settings.keep.count) {
  const journal = createJournal({
    store,
    directory: { current: directory },
    nameOf: () => undefined,
    recordOf: () => '',
    settings: { ...settings, keep: { ...settings.keep, count } },
    log: pino({ level: 'silent' }),
    now: Date.now,
  });
  const calls = officeCalls();
  return {
    journal,
    calls,
    /** Takes events in; returns how many entries that made. */
    take(events: readonly PbxEvent[]): number {
      let told = 0;
      for (const event of events) told += journal.apply(event, calls.apply(event)).length;
      return told;
    },
    /** What a user's journal says, newest first. */
    async of(extension: string): Promise<string[]> {
      const entries = await journal.find(jidOf(extension), { limit: 1000 });
      return entries.map(({ inbound, number, result }) => `${inbound ? '<-' : '->'} ${number} ${result}`);
    },
  };
}
