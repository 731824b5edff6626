/** The sections of recorded calls: begun, silenced and ended at the telephone system, each with whoever is heard in it. */

import { type Bounded, createBound } from '../bounds.ts';
import type { ChannelView } from '../calls/changes.ts';
import type { Directory, User } from '../directory.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ChannelId, Pbx, RecordingHandle } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { Participant } from './decide.ts';
import type { Current, Live, Lives } from './live.ts';
import type { Keeping } from './monitor.ts';
import type { News } from './news.ts';
import type { Notes } from './notes.ts';
import type { Parties } from './parties.ts';
import { MAX_HEARD, MAX_LEGS, type RecordedLeg, type Section, sectionFile } from './record.ts';
import type { Together } from './together.ts';

/** What can be done with them. */
export interface Sections extends Bounded {
  /** Begins a section on a channel. Rejects with `Failure`, leaving things as they were. */
  begin(live: Live, anchor: string, ruleId: string, identity: string, how: Beginning): Promise<void>;
  /** Ends the section that runs. Throws `Failure` `not-recording`. */
  finish(live: Live): Promise<void>;
  /** Writes silence from now on, or the voices again. Throws `Failure` `not-recording`. */
  pause(live: Live, paused: boolean): Promise<void>;
  /** The recorded channel is silent from here: by command, or because it ended. */
  close(live: Live): void;
  /** With whom the recorded channel is, as against the section that runs. */
  standing(live: Live): Standing;
  /** Ends the section that runs, and `live.waits`. Rejects with what the telephone system says, leaving things as they were. */
  suspend(live: Live): Promise<void>;
  /** Its files are gone, by somebody's hand: nothing is recorded, written or told of it any more. */
  forget(live: Live): void;
  /** The record that one of these channels is in, if it is one of the newest; empty where there is none. */
  recordOf(channels: readonly ChannelId[]): string;
}

/** With those who are heard in the section; with nobody; with others, or with somebody who must not be recorded. */
export type Standing = 'same' | 'alone' | 'others';

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

function jidsOf(company: readonly Participant[]): BareJid[] {
  return [...new Set(company.map(({ user }) => user.jid))].sort().slice(0, MAX_HEARD);
}

/** Makes it, with nothing recorded. */
export function createSections(options: SectionsOptions): Sections {
  const { pbx, directory, keeping, context, together, parties, lives, notes, news, log, now } = options;
  /** The newest channels that were recorded, with their records: what the journal asks when they have ended. */
  const recorded = new Map<string, string>();
  const bound = createBound('recorded_channels', MAX_REMEMBERED, () => recorded.size);

  /** Everybody who is with the recorded channel is of this call, and where they are now is known. */
  function refresh(live: Live, anchor: string): void {
    for (const uniqueId of [anchor, ...together.with(anchor)])
      live.channels.set(uniqueId, together.placeOf(uniqueId));
    // The other end of a Local channel is in the call, but in another bridge.
    for (const { view } of parties.companyOf(anchor))
      live.channels.set(view.uniqueId, together.placeOf(view.uniqueId));
  }

  /** Takes into the section whoever is with the recorded channel as it begins. */
  function gather(live: Live, current: Current): Partial<Section> {
    const { anchor } = current.section;
    refresh(live, anchor);
    const legs: RecordedLeg[] = [...live.record.legs];
    const company = parties.companyOf(anchor);
    for (const { user, view } of company) {
      remember(view.channel, live.record.id);
      if (legs.length >= MAX_LEGS || legs.some((leg) => leg.channel === view.channel)) continue;
      legs.push(legOf(view, user, directory().byDevice(view.device)?.device.name ?? ''));
    }
    live.record = { ...live.record, legs };
    return { heard: jidsOf(company) };
  }

  function standing(live: Live): Standing {
    const { current } = live;
    // One that is being asked for is looked at when it runs.
    if (current?.handle === undefined || current.moving) return 'same';
    const { anchor, heard } = current.section;
    refresh(live, anchor);
    const company = parties.companyOf(anchor);
    if (parties.isDenied(company)) return 'others';
    // The last one goes on: what must be recorded is, for those who were there when it began.
    if (live.record.sections.length >= MAX_SECTIONS) return 'same';
    if (!parties.isTalking(anchor)) return 'alone';
    return jidsOf(company).join(' ') === heard.join(' ') ? 'same' : 'others';
  }

  function remember(channel: ChannelId, id: string): void {
    recorded.set(channel, id);
    if (recorded.size <= MAX_REMEMBERED) return;
    bound.exceed();
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

  function put(live: Live, current: Current, parts: Partial<Section>): void {
    current.section = { ...current.section, ...parts };
    const { section } = current;
    const sections = live.record.sections.map((each) => (each.file === section.file ? section : each));
    live.record = { ...live.record, sections };
  }

  /** Replaces parts of a section, here and in what is kept. */
  function change(live: Live, current: Current, parts: Partial<Section>): void {
    put(live, current, parts);
    void notes.note(live);
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

  /** Throws `Failure` `not-available` where the sidecar cannot be written: nobody could find the recording, nor its end. */
  async function noteBeginning(live: Live): Promise<void> {
    if ((await notes.note(live)) === 'kept') return;
    fail('not-available', 'Recordings cannot be kept at the moment: please tell your administrator.');
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
    const current: Current = {
      section: begun,
      handle: undefined,
      runs: false,
      alone: false,
      moving: false,
      stopped: false,
    };
    live.current = current;
    live.waits = undefined;
    const isOver = () => live.current !== current;
    try {
      await shelf.check();
      const exten = parties.policy()?.announce;
      const name = () => together.nameOf(anchor) ?? fail('no-such-channel', 'The call is over.');
      if (how.announce && exten !== undefined) await pbx.announce(name(), context, exten);
      if (isOver()) return;
      live.record = { ...live.record, sections: [...live.record.sections, current.section] };
      put(live, current, { from: now(), ...gather(live, current) });
      // Who is in it first, so that a file never stands there without.
      await noteBeginning(live);
      if (isOver()) return;
      const handle = await pbx.record(name(), `${pbxDir}/${file}`);
      current.handle = handle;
      // Whoever came meanwhile is heard from the beginning, too.
      change(live, current, { handle, ...(isOver() ? {} : gather(live, current)) });
      try {
        if (paused) await pbx.muteRecording(name(), handle, true);
        if (!(await shelf.appears(file, APPEAR_MS)) && !isOver())
          fail('not-available', 'The call cannot be recorded: please tell your administrator.');
      } catch (error) {
        // The telephone system records by now.
        await stop(current).catch(() => {});
        throw error;
      }
      if (isOver()) return;
      current.runs = true;
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
    if (sections.length > 0) {
      void notes.note(live);
      // Without a word of it nobody would find it: no retention, no erasure.
      void keeping?.shelf.drop(current.section.file).catch(() => {});
    } else notes.remove(live, failed);
    // Where its channel has left, the others may talk on.
    if (sections.length === 0 && live.waits === undefined) lives.remove(live);
    else news.tellAll(live);
  }

  /** Throws `Failure` `not-recording`, or what the telephone system says. */
  async function stop({ section, handle }: Current): Promise<void> {
    const name = together.nameOf(section.anchor);
    if (handle === undefined || name === undefined)
      return fail('not-recording', 'This call is not being recorded.');
    try {
      await pbx.stopRecording(name, handle);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof Failure && /^(rejected|no-such-channel)$/.test(error.code))) throw error;
    }
  }

  function recording({ current }: Live): { readonly current: Current; readonly handle: RecordingHandle } {
    return current?.handle === undefined
      ? fail('not-recording', 'This call is not being recorded.')
      : { current, handle: current.handle };
  }

  async function finish(live: Live): Promise<void> {
    const { current } = recording(live);
    current.stopped = true;
    try {
      await stop(current);
    } catch (error) {
      current.stopped = false;
      throw error;
    }
    if (live.current !== current) return;
    close(live);
    news.tellAll(live);
  }

  async function suspend(live: Live): Promise<void> {
    const { current } = recording(live);
    current.moving = true;
    put(live, current, { to: now() });
    try {
      await stop(current);
    } catch (error) {
      current.moving = false;
      put(live, current, { to: 0 });
      throw error;
    }
    if (live.current !== current) return;
    close(live);
    const { ruleId, identity, paused, anchor } = current.section;
    if (!current.stopped) live.waits = { ruleId, identity, paused, anchor };
  }

  async function pause(live: Live, paused: boolean): Promise<void> {
    const { current, handle } = recording(live);
    const name = together.nameOf(current.section.anchor);
    if (name === undefined) return fail('not-recording', 'This call is not being recorded.');
    await pbx.muteRecording(name, handle, paused);
    if (live.current !== current) return;
    change(live, current, { paused });
    news.tellAll(live);
  }

  function forget(live: Live): void {
    const { current } = live;
    live.current = undefined;
    live.waits = undefined;
    if (current?.handle !== undefined) void stop(current).catch(() => {});
    for (const [channel, id] of recorded) if (id === live.record.id) recorded.delete(channel);
    notes.remove(live, live.record);
    news.tellAll(live);
    lives.remove(live);
  }

  return {
    bounds: [bound],
    begin,
    finish,
    pause,
    close,
    standing,
    suspend,
    forget,
    recordOf: (channels) =>
      channels.map((each) => recorded.get(each)).find((each) => each !== undefined) ?? '',
  };
}
