/** The sections of recorded calls: begun, silenced and ended at the telephone system, each with whoever is heard in it. */

import type { ChannelView } from '../calls/changes.ts';
import type { Directory, User } from '../directory.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ChannelId, Pbx } from '../pbx/pbx.ts';
import type { Current, Live, Lives } from './live.ts';
import type { Keeping } from './monitor.ts';
import type { News } from './news.ts';
import type { Notes } from './notes.ts';
import type { Parties } from './parties.ts';
import { type RecordedLeg, type Section, sectionFile } from './record.ts';
import type { Together } from './together.ts';

/** What can be done with them. */
export interface Sections {
  /** Begins a section on a channel. Rejects with `Failure`, leaving things as they were. */
  begin(live: Live, anchor: string, ruleId: string, identity: string, how: Beginning): Promise<void>;
  /** Ends the section that runs. Throws `Failure` `not-recording`. */
  finish(live: Live): Promise<void>;
  /** Writes silence from now on, or the voices again. Throws `Failure` `not-recording`. */
  pause(live: Live, paused: boolean): Promise<void>;
  /** The recorded channel is silent from here: by command, or because it ended. */
  close(live: Live): void;
  /** Takes into the record whoever is with the recorded channel now. */
  gather(live: Live): void;
  /** The record that one of these channels is in, if it is one of the newest; empty where there is none. */
  recordOf(channels: readonly ChannelId[]): string;
}

/** How a section begins. */
export interface Beginning {
  /** The parties are told, where an announcement is configured. */
  readonly announce: boolean;
  readonly paused: boolean;
}

/** What {@link createSections} needs. */
export interface SectionsOptions {
  readonly pbx: Pick<Pbx, 'record' | 'stopRecording' | 'muteRecording' | 'announce'>;
  readonly directory: () => Directory;
  /** Undefined: nothing can be recorded. */
  readonly keeping: Keeping | undefined;
  /** Dialplan context of the announcement. */
  readonly context: string;
  readonly together: Together;
  readonly parties: Parties;
  readonly lives: Lives;
  readonly notes: Notes;
  readonly news: News;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const MAX_SECTIONS = 100;
/** Channels whose record is known after their end: the journal writes their entries at once. */
const MAX_REMEMBERED = 5000;
/** How long a file may take to appear in the mounted directory, milliseconds. */
const APPEAR_MS = 3000;

/** Makes it, with nothing recorded. */
export function createSections(options: SectionsOptions): Sections {
  const { pbx, directory, keeping, context, together, parties, lives, notes, news, log, now } = options;
  /** The newest channels that were recorded, with their records: what the journal asks when they have ended. */
  const recorded = new Map<string, string>();

  function gather(live: Live): void {
    const { current } = live;
    if (current === undefined) return;
    const { anchor } = current.section;
    const place = together.placeOf(anchor);
    const peers = [anchor, ...together.with(anchor)];
    for (const uniqueId of peers) live.channels.set(uniqueId, place);
    const heard = new Set(current.section.heard);
    const legs: RecordedLeg[] = [...live.record.legs];
    for (const view of [parties.otherOf(parties.viewOf(anchor)), ...peers.map(parties.viewOf)]) {
      const owner = view && directory().byDevice(view.device);
      if (view === undefined || owner === undefined) continue;
      // The other end of a Local channel: in the call, but in another bridge.
      if (!live.channels.has(view.uniqueId))
        live.channels.set(view.uniqueId, together.placeOf(view.uniqueId));
      heard.add(owner.user.jid);
      remember(view.channel, live.record.id);
      if (legs.every((leg) => leg.channel !== view.channel))
        legs.push(legOf(view, owner.user, owner.device.name));
    }
    if (heard.size === current.section.heard.length) return;
    change(live, current, { heard: [...heard] }, legs);
  }

  function remember(channel: ChannelId, id: string): void {
    recorded.set(channel, id);
    if (recorded.size <= MAX_REMEMBERED) return;
    for (const oldest of recorded.keys()) {
      recorded.delete(oldest);
      break;
    }
  }

  function legOf(view: ChannelView, user: User, device: string): RecordedLeg {
    const other = view.otherDevice === '' ? undefined : directory().byDevice(view.otherDevice)?.user;
    return {
      jid: user.jid,
      call: view.uniqueId,
      channel: view.channel,
      inbound: !view.outbound,
      internal: other !== undefined,
      name: other?.fullName ?? view.other.name,
      number: other?.extension ?? view.other.number,
      device,
      since: view.since,
    };
  }

  /** Replaces parts of a section, here and in what is kept. */
  function change(live: Live, current: Current, parts: Partial<Section>, legs = live.record.legs): void {
    current.section = { ...current.section, ...parts };
    const { section } = current;
    const sections = live.record.sections.map((each) => (each.file === section.file ? section : each));
    live.record = { ...live.record, sections, legs };
    notes.note(live);
  }

  function close(live: Live): void {
    const { current } = live;
    if (current === undefined) return;
    // One that has not begun is not in the record.
    if (live.record.sections.some(({ file }) => file === current.section.file)) {
      change(live, current, { to: now() });
    }
    live.current = undefined;
  }

  async function begin(
    live: Live,
    anchor: string,
    ruleId: string,
    identity: string,
    how: Beginning,
  ): Promise<void> {
    if (keeping === undefined) return fail('not-available', 'Calls cannot be recorded on this system.');
    if (live.record.sections.length >= MAX_SECTIONS) {
      return fail('rejected', `A call is recorded in ${MAX_SECTIONS} parts at the most.`);
    }
    const { shelf, pbxDir } = keeping;
    const file = sectionFile(live.record.id, live.record.sections.length + 1);
    const { paused } = how;
    const begun = { file, ruleId, identity, anchor, handle: '', paused, from: now(), to: 0, heard: [] };
    const current: Current = { section: begun, handle: undefined };
    live.current = current;
    const isOver = () => live.current !== current;
    try {
      await shelf.check();
      const exten = parties.policy()?.announce;
      const name = () => together.nameOf(anchor) ?? fail('no-such-channel', 'The call is over.');
      if (how.announce && exten !== undefined) await pbx.announce(name(), context, exten);
      if (isOver()) return;
      live.record = { ...live.record, sections: [...live.record.sections, current.section] };
      // Who is in it first, so that a file never stands there without.
      gather(live);
      notes.note(live);
      await live.writing;
      const handle = await pbx.record(name(), `${pbxDir}/${file}`);
      change(live, current, { handle });
      if (paused) await pbx.muteRecording(name(), handle, true);
      if (!(await shelf.appears(file, APPEAR_MS)) && !isOver()) {
        await pbx.stopRecording(name(), handle).catch(() => {});
        fail('not-available', 'The call cannot be recorded: please tell your administrator.');
      }
      if (isOver()) return;
      current.handle = handle;
      log.info({ record: live.record.id, file, ruleId, by: identity || 'rule' }, 'a call is being recorded');
      news.tellAll(live);
    } catch (error) {
      abandon(live, current);
      throw error;
    }
  }

  /** A section that never began. */
  function abandon(live: Live, current: Current): void {
    if (live.current === current) live.current = undefined;
    const sections = live.record.sections.filter(({ file }) => file !== current.section.file);
    const failed = live.record;
    live.record = { ...live.record, sections };
    if (sections.length > 0) notes.note(live);
    else notes.remove(live, failed);
    // Where its channel has left, the others may talk on.
    if (sections.length === 0 && live.follows === undefined) lives.remove(live);
  }

  async function finish(live: Live): Promise<void> {
    const { current } = live;
    const name = current && together.nameOf(current.section.anchor);
    if (current?.handle === undefined || name === undefined)
      return fail('not-recording', 'This call is not being recorded.');
    try {
      await pbx.stopRecording(name, current.handle);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof Failure && /^(rejected|no-such-channel)$/.test(error.code))) throw error;
    }
    if (live.current !== current) return;
    close(live);
    news.tellAll(live);
  }

  async function pause(live: Live, paused: boolean): Promise<void> {
    const { current } = live;
    const name = current && together.nameOf(current.section.anchor);
    if (current?.handle === undefined || name === undefined)
      return fail('not-recording', 'This call is not being recorded.');
    await pbx.muteRecording(name, current.handle, paused);
    if (live.current !== current) return;
    change(live, current, { paused });
    news.tellAll(live);
  }

  return {
    begin,
    finish,
    pause,
    close,
    gather,
    recordOf: (channels) =>
      channels.map((each) => recorded.get(each)).find((each) => each !== undefined) ?? '',
  };
}
