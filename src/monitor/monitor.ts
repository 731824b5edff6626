/** Recording of calls: what the rules and people ask for, followed through transfer and parking, told to everybody who is recorded. */

import type { Calls } from '../calls/calls.ts';
import type { CallChange, ChannelView } from '../calls/changes.ts';
import type { Directory, User } from '../directory.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Model } from '../models.ts';
import type { PbxEvent } from '../pbx/events.ts';
import type { ChannelId, DeviceName, Pbx, RecordingHandle } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { RecordingPermission } from '../rules/policy.ts';
import type { Ledger } from '../store/store.ts';
import { type Participant, ruleForOthers, type Verdict, verdict } from './decide.ts';
import {
  type CallRecord,
  parseRecord,
  participants,
  type RecordedLeg,
  recordId,
  type Section,
  sectionFile,
} from './record.ts';
import { type Retention, sweep } from './retention.ts';
import type { Shelf } from './shelf.ts';
import { createTogether } from './together.ts';

/** What one of our own people should know about the recording of their call. */
export interface RecordChange {
  readonly kind: 'record';
  readonly type: 'start' | 'stop';
  readonly device: DeviceName;
  /** eventId of their channel. */
  readonly channel: ChannelId;
  readonly permission: RecordingPermission;
  /** The rule that says so; empty where none does. */
  readonly ruleId: string;
  /** Name of the user who started what runs; empty where nothing runs or the rule started it. */
  readonly identity: string;
  /** What runs, empty where nothing does. */
  readonly recordId: string;
  readonly file: string;
  readonly state: 'recording' | 'paused' | 'held' | '';
  /** The calling and the called channel. */
  readonly head: string;
  readonly tail: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A recording that runs. */
export interface Running {
  readonly recordId: string;
  readonly ruleId: string;
  /** Empty where the rule started it. */
  readonly identity: string;
  readonly paused: boolean;
  /** Whether the user who started it is still in the call. */
  readonly starterIsThere: boolean;
}

/** The recordings. */
export interface Monitor extends Model {
  /** Recordings that run now. */
  readonly running: number;
  /** The record that one of these channels is in, if it is one of the newest; empty where there is none. */
  recordOf(channels: readonly ChannelId[]): string;
  /** What holds for the user whose channel this is. */
  verdictOf(view: ChannelView): Verdict;
  /** The rule by which somebody may have a call of their group recorded; undefined where there is none. */
  ruleForOthers(asking: User, view: ChannelView): string | undefined;
  /** What runs on this call. */
  runningOn(view: ChannelView): Running | undefined;
  /** Begins a section. Throws `Failure`: `already-exists`, `not-available`, `no-active-call`, and what the telephone system says. */
  record(view: ChannelView, ruleId: string, identity: string): Promise<void>;
  /** Ends the section that runs. Throws `Failure` `not-recording`. */
  finish(view: ChannelView): Promise<void>;
  /** Writes silence from now on, or the voices again. Throws `Failure` `not-recording`. */
  pause(view: ChannelView, paused: boolean): Promise<void>;
  /** What is kept of a recording that somebody asks for; undefined where there is none. */
  find(recordId: string, asking: BareJid): Promise<CallRecord | undefined>;
  /** The newest recordings in which somebody is heard; `before`: those before the one of this id. */
  listOf(owner: BareJid, limit: number, before: string | undefined): Promise<readonly CallRecord[]>;
  /** Where the sound is; undefined where nothing is kept. */
  readonly shelf: Shelf | undefined;
}

/** How recordings are kept. */
export interface Keeping extends Retention {
  readonly shelf: Shelf;
  /** The same directory as the telephone system sees it. */
  readonly pbxDir: string;
}

/** What {@link createMonitor} needs. */
export interface MonitorOptions {
  readonly pbx: Pick<Pbx, 'record' | 'stopRecording' | 'muteRecording' | 'announce'>;
  readonly calls: Pick<Calls, 'channel'>;
  readonly directory: () => Directory;
  /** Undefined: nothing can be recorded. */
  readonly keeping: Keeping | undefined;
  /** What each participant has been in, for lists; and what is known where the sidecars cannot be read. */
  readonly book: Ledger;
  /** Dialplan context of the announcement. */
  readonly context: string;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** 16 hexadecimal digits that nobody can guess. */
  readonly random: () => string;
}

/** A section under way. */
interface Current {
  section: Section;
  /** Undefined while it begins. */
  handle: RecordingHandle | undefined;
}

/** A recorded call that is not over. */
interface Live {
  record: CallRecord;
  current: Current | undefined;
  /** What goes on when the recorded channel has left and the others talk on; undefined where nothing does. */
  follows: { readonly ruleId: string; readonly identity: string; readonly paused: boolean } | undefined;
  /** Channels of this call, each with the bridge in which it was with the recorded one. */
  readonly channels: Map<string, string | undefined>;
  /** The note of the record that is being written. */
  writing: Promise<void>;
}

/** Recordings at a time: each is a thread of Asterisk and an open file. */
const MAX_LIVE = 500;
const MAX_SECTIONS = 100;
/** Channels whose record is known after their end: the journal writes their entries at once. */
const MAX_REMEMBERED = 5000;
/** Sections of a call that its entry in the book holds: the last ones; the sidecar has all. */
const MAX_BOOKED = 10;
/** How long a file may take to appear in the mounted directory, milliseconds. */
const APPEAR_MS = 3000;
/** No call is longer: older records cannot be running. */
const LONGEST_CALL_MS = 2 * 24 * 3600_000;
const SWEEP_EVERY_MS = 3600_000;
const FIRST_SWEEP_MS = 60_000;

const nothing: readonly RecordChange[] = Object.freeze([]);
const none: readonly Live[] = Object.freeze([]);

/** Makes the model, with nothing recorded. */
export function createMonitor(options: MonitorOptions): Monitor {
  const { pbx, calls, directory, keeping, book, context, log, now, random } = options;
  const together = createTogether();
  const lives = new Set<Live>();
  /** What was told of each channel last. */
  const told = new Map<string, string>();
  /** Channels for which `auto` was tried: a refusal is not asked for again with every change. */
  const tried = new Set<string>();
  /** The newest channels that were recorded, with their records: what the journal asks when they have ended. */
  const recorded = new Map<string, string>();
  /** Records of an earlier process that may be running still, by the recorded channel. */
  const adopted = new Map<string, CallRecord>();
  let tell: (changes: readonly RecordChange[]) => void = () => {};
  const timers: NodeJS.Timeout[] = [];
  /** What is being written in the directory. */
  const writes = new Set<Promise<void>>();

  const policy = () => directory().policy.recording;

  /** The user's channel of this unique id, if it was in a bridge. */
  function viewOf(uniqueId: string): ChannelView | undefined {
    const name = together.nameOf(uniqueId);
    const view = name && calls.channel(name);
    return view?.uniqueId === uniqueId ? view : undefined;
  }

  const otherOf = (view: ChannelView | undefined) =>
    view === undefined || view.refChannel === '' ? undefined : calls.channel(view.refChannel);

  /** Our own people in the call of a channel. */
  function participantsOf(view: ChannelView): readonly Participant[] {
    const known = directory();
    const others = [otherOf(view), ...together.with(view.uniqueId).map(viewOf)];
    const views = new Map([view, ...others].flatMap((each) => (each ? [[each.uniqueId, each]] : [])));
    return [...views.values()].flatMap((each) => {
      const user = known.byDevice(each.device)?.user;
      return user === undefined ? [] : [{ user, view: each }];
    });
  }

  function verdictOf(view: ChannelView): Verdict {
    const rules = policy();
    const all = participantsOf(view);
    const own = all.find((each) => each.view.uniqueId === view.uniqueId);
    if (rules === undefined || own === undefined) return { permission: 'deny', ruleId: '' };
    return verdict(rules, own, all);
  }

  /** The recordings that a channel is or was part of: mostly none, two where calls were joined. */
  function livesOf(uniqueId: string): readonly Live[] {
    if (lives.size === 0) return none;
    return [...lives].filter((live) => live.channels.has(uniqueId));
  }

  /** The recording whose running section has this call in it. */
  function liveOn(view: ChannelView): Live | undefined {
    const other = otherOf(view);
    return [...livesOf(view.uniqueId), ...(other === undefined ? none : livesOf(other.uniqueId))].find(
      ({ current }) => current !== undefined && hears(current, view),
    );
  }

  function hears({ section: { anchor } }: Current, view: ChannelView): boolean {
    if (view.uniqueId === anchor || together.with(anchor).includes(view.uniqueId)) return true;
    return otherOf(view)?.uniqueId === anchor;
  }

  /** What is to be told of a channel, if that is something else than what was told before. */
  function news(view: ChannelView, ended = false): readonly RecordChange[] {
    const change = describe(view, ended);
    const { at: _at, ...said } = change;
    const text = JSON.stringify(said);
    const before = told.get(view.uniqueId);
    if (ended) told.delete(view.uniqueId);
    else told.set(view.uniqueId, text);
    // The end of a call that was not recorded is told by the call itself.
    if (ended ? before === undefined || !before.includes('"type":"start"') : before === text) return nothing;
    return [change];
  }

  function describe(view: ChannelView, ended: boolean): RecordChange {
    const live = ended ? undefined : liveOn(view);
    const current = live?.current?.handle === undefined ? undefined : live.current;
    const { permission, ruleId } = verdictOf(view);
    const [head, tail] = view.outbound ? [view.channel, view.refChannel] : [view.refChannel, view.channel];
    return {
      kind: 'record',
      type: current === undefined ? 'stop' : 'start',
      device: view.device,
      channel: view.channel,
      permission,
      ruleId: current?.section.ruleId ?? ruleId,
      identity: current?.section.identity ?? '',
      recordId: current === undefined ? '' : (live?.record.id ?? ''),
      file: current?.section.file ?? '',
      state: current === undefined ? '' : stateOf(current, view),
      head,
      tail,
      at: now(),
    };
  }

  /** Tells everybody in this recording what is new for them. */
  function tellAll(live: Live): void {
    const changes = [...live.channels.keys()].flatMap((uniqueId) => {
      const view = viewOf(uniqueId);
      return view?.state === 'busy' ? news(view) : [];
    });
    if (changes.length > 0) tell(changes);
  }

  /** Takes into the record whoever is with the recorded channel now. */
  function gather(live: Live): void {
    const { current } = live;
    if (current === undefined) return;
    const { anchor } = current.section;
    const place = together.placeOf(anchor);
    const peers = [anchor, ...together.with(anchor)];
    for (const uniqueId of peers) live.channels.set(uniqueId, place);
    const heard = new Set(current.section.heard);
    const legs: RecordedLeg[] = [...live.record.legs];
    for (const view of [otherOf(viewOf(anchor)), ...peers.map(viewOf)]) {
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
    note(live);
  }

  function note(live: Live): void {
    const { record } = live;
    enter(record);
    inOrder(live, async () => keeping?.shelf.note(record));
  }

  /** Into the book of everybody who is heard. */
  function enter(record: CallRecord): void {
    const text = JSON.stringify({ ...record, sections: record.sections.slice(-MAX_BOOKED) });
    for (const owner of participants(record)) {
      book.append(owner, { id: record.id, at: record.at, text });
      book.replace(owner, record.id, text);
    }
  }

  /** A store that has lost its books gets them back from what lies beside the recordings. */
  async function rebuild({ shelf }: Keeping): Promise<void> {
    if ((await book.owners()).length > 0) return;
    let rebuilt = 0;
    for await (const record of shelf.all()) {
      enter(record);
      rebuilt += 1;
    }
    if (rebuilt > 0) log.info({ rebuilt }, 'the list of recordings was made again from the files');
  }

  /** Changes in the directory about one call, one after the other. `work` does not reject. */
  function inOrder(live: Live, work: () => Promise<void>): void {
    const done = live.writing.then(work).finally(() => writes.delete(done));
    writes.add(done);
    live.writing = done;
  }

  /** The recorded channel is silent from here: by command, or because it ended. */
  function close(live: Live): void {
    const { current } = live;
    if (current === undefined) return;
    // One that has not begun is not in the record.
    if (live.record.sections.some(({ file }) => file === current.section.file)) {
      change(live, current, { to: now() });
    }
    live.current = undefined;
  }

  /** Begins a section on a channel. Rejects with `Failure`, leaving things as they were. */
  async function begin(
    live: Live,
    anchor: string,
    ruleId: string,
    identity: string,
    how: { readonly announce: boolean; readonly paused: boolean },
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
      const exten = policy()?.announce;
      const name = () => together.nameOf(anchor) ?? fail('no-such-channel', 'The call is over.');
      if (how.announce && exten !== undefined) await pbx.announce(name(), context, exten);
      if (isOver()) return;
      live.record = { ...live.record, sections: [...live.record.sections, current.section] };
      // Who is in it first, so that a file never stands there without.
      gather(live);
      note(live);
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
      tellAll(live);
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
    if (sections.length > 0) note(live);
    else inOrder(live, async () => keeping?.shelf.remove(failed).catch(() => {}));
    // Where its channel has left, the others may talk on.
    if (sections.length === 0 && live.follows === undefined) lives.delete(live);
  }

  /** The recording of this call, new or not yet over. Throws `Failure` `rejected`. */
  function liveFor(view: ChannelView): Live {
    const known = livesOf(view.uniqueId).find(({ current }) => current === undefined);
    if (known !== undefined) return known;
    if (lives.size >= MAX_LIVE) fail('rejected', 'Too many calls are being recorded: try again later.');
    const at = now();
    const live: Live = {
      record: { id: recordId(at, random()), at, legs: [], sections: [] },
      current: undefined,
      follows: undefined,
      channels: new Map([[view.uniqueId, undefined]]),
      writing: Promise.resolve(),
    };
    lives.add(live);
    return live;
  }

  async function record(view: ChannelView, ruleId: string, identity: string): Promise<void> {
    if (view.state !== 'busy' || !isConversation(view)) {
      fail('no-active-call', 'There is nobody to record in this call: wait for the answer.');
    }
    // What an earlier process left running is known before the telephone system has said that it runs still.
    const left = [view.uniqueId, otherOf(view)?.uniqueId ?? ''].some((each) => adopted.has(each));
    if (left || liveOn(view) !== undefined) fail('already-exists', 'This call is being recorded already.');
    if (keeping === undefined) fail('not-available', 'Calls cannot be recorded on this system.');
    const live = liveFor(view);
    live.follows = undefined;
    await begin(live, view.uniqueId, ruleId, identity, { announce: true, paused: false });
  }

  /** Records without being asked, where a rule says so. */
  function automatic(view: ChannelView): void {
    if (tried.has(view.uniqueId) || liveOn(view) !== undefined || !isConversation(view)) return;
    const { permission, ruleId } = verdictOf(view);
    if (permission !== 'auto') return;
    tried.add(view.uniqueId);
    void inBackground(record(view, ruleId, ''), view.uniqueId);
  }

  async function inBackground(work: Promise<void>, channel: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      const expected = error instanceof Failure && /^(no-such-channel|already-exists)$/.test(error.code);
      if (!expected) log.error({ channel, reason: String(error) }, 'a call that must be recorded is not');
    }
  }

  /** The others of a call talk on without the channel that was recorded: so does the recording. */
  function follow(live: Live, uniqueId: string): void {
    const { follows } = live;
    if (follows === undefined || live.current !== undefined || !live.channels.has(uniqueId)) return;
    // In the bridge where it was left: a conference that goes on is not a call that was handed on.
    if (together.with(uniqueId).length === 0) return;
    if (together.placeOf(uniqueId) === live.channels.get(uniqueId)) return;
    live.follows = undefined;
    const people = [uniqueId, ...together.with(uniqueId)].flatMap((each) => viewOf(each) ?? []);
    if (people.some((view) => liveOn(view) !== undefined)) return;
    const rules = policy();
    const isDenied = people.some(
      (view) => verdictOf(view).permission === 'deny' && verdictOf(view).ruleId !== '',
    );
    if (rules === undefined || isDenied) return;
    const how = { announce: false, paused: follows.paused };
    void inBackground(begin(live, uniqueId, follows.ruleId, follows.identity, how), uniqueId);
  }

  async function silence(live: Live, paused: boolean): Promise<void> {
    const { current } = live;
    const name = current && together.nameOf(current.section.anchor);
    if (current?.handle === undefined || name === undefined)
      return fail('not-recording', 'This call is not being recorded.');
    await pbx.muteRecording(name, current.handle, paused);
    if (live.current !== current) return;
    change(live, current, { paused });
    tellAll(live);
  }

  function ended(uniqueId: string): void {
    tried.delete(uniqueId);
    for (const live of livesOf(uniqueId)) leave(live, uniqueId);
  }

  function leave(live: Live, uniqueId: string): void {
    live.channels.delete(uniqueId);
    const { current } = live;
    if (current?.section.anchor === uniqueId) {
      const { ruleId, identity, paused } = current.section;
      live.follows = { ruleId, identity, paused };
      close(live);
      tellAll(live);
      for (const each of live.channels.keys()) follow(live, each);
    }
    if (live.channels.size === 0) lives.delete(live);
  }

  /** After a (re)connect: what was missed, and what an earlier process left running. */
  function resync(present: ReadonlyMap<string, string>): void {
    for (const live of [...lives]) {
      for (const uniqueId of live.channels.keys()) if (!present.has(uniqueId)) leave(live, uniqueId);
    }
    for (const uniqueId of tried) if (!present.has(uniqueId)) tried.delete(uniqueId);
    for (const uniqueId of told.keys()) if (!present.has(uniqueId)) told.delete(uniqueId);
    for (const [anchor, record] of adopted) adopt(anchor, record, present.has(anchor));
    adopted.clear();
  }

  function adopt(anchor: string, record: CallRecord, runs: boolean): void {
    const section = record.sections.find((each) => each.to === 0);
    if (section === undefined) return;
    const handle = section.handle as RecordingHandle;
    const live: Live = {
      record,
      current: { section, handle },
      follows: undefined,
      channels: new Map([[anchor, together.placeOf(anchor)]]),
      writing: Promise.resolve(),
    };
    lives.add(live);
    if (runs) {
      gather(live);
      tellAll(live);
    } else {
      close(live);
      lives.delete(live);
    }
  }

  function sweepSoon(kept: Keeping): void {
    const running = new Set([...lives].map(({ record }) => record.id));
    sweep(kept.shelf, kept, running, now()).then(
      (removed) => removed > 0 && log.info({ removed }, 'old recordings were removed'),
      (error) => log.error({ reason: String(error) }, 'old recordings cannot be removed'),
    );
  }

  function apply(event: PbxEvent, changes: readonly CallChange[]): readonly RecordChange[] {
    together.apply(event);
    if (event.type === 'bridge-enter') {
      const { uniqueId } = event.channel;
      for (const each of [uniqueId, ...together.with(uniqueId)]) {
        for (const live of livesOf(each)) {
          if (live.current !== undefined) gather(live);
          else follow(live, each);
        }
      }
    } else if (event.type === 'hangup') ended(event.channel.uniqueId);
    else if (event.type === 'snapshot')
      resync(new Map(event.snapshot.channels.map((each) => [each.uniqueId, each.name])));
    if (policy() === undefined) return nothing;
    const out: RecordChange[] = [];
    for (const change of changes) {
      if (change.kind !== 'channel') continue;
      const { view, type } = change;
      if (type === 'hangup') out.push(...news(view, true));
      else if (view.state === 'busy') {
        for (const live of livesOf(view.uniqueId)) gather(live);
        out.push(...news(view));
        automatic(view);
      }
    }
    return out;
  }

  return {
    apply,
    onChange(listener) {
      tell = listener;
    },
    async start() {
      if (keeping === undefined) return;
      try {
        for await (const record of keeping.shelf.all(now() - LONGEST_CALL_MS)) {
          const open = record.sections.find((section) => section.to === 0);
          if (open !== undefined) adopted.set(open.anchor, record);
        }
      } catch (error) {
        log.error({ reason: String(error) }, 'the directory of recordings cannot be read');
      }
      rebuild(keeping).catch((error) =>
        log.warn({ reason: String(error) }, 'the list of recordings cannot be checked yet'),
      );
      if (keeping.keepMs === undefined && keeping.keepBytes === undefined) return;
      timers.push(setTimeout(() => sweepSoon(keeping), FIRST_SWEEP_MS).unref());
      timers.push(setInterval(() => sweepSoon(keeping), SWEEP_EVERY_MS).unref());
    },
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(writes);
    },
    get running() {
      return [...lives].filter(({ current }) => current?.handle !== undefined).length;
    },
    shelf: keeping?.shelf,
    async find(recordId, asking) {
      const live = [...lives].find(({ record }) => record.id === recordId);
      if (live !== undefined) return live.record;
      const noted = await keeping?.shelf.read(recordId);
      if (noted !== undefined) return noted;
      const entry = await book.get(asking, recordId);
      return entry && parseRecord(entry.text);
    },
    async listOf(owner, limit, before) {
      const entries = await book.read(owner, { limit, before });
      return entries.flatMap(({ text }) => parseRecord(text) ?? []);
    },
    recordOf: (channels) =>
      channels.map((each) => recorded.get(each)).find((each) => each !== undefined) ?? '',
    verdictOf,
    ruleForOthers(asking, view) {
      const rules = policy();
      return rules && ruleForOthers(rules, asking, participantsOf(view))?.name;
    },
    runningOn(view) {
      const live = liveOn(view);
      if (live?.current?.handle === undefined) return undefined;
      const { ruleId, identity, paused } = live.current.section;
      const starterIsThere = participantsOf(view).some(({ user }) => user.name === identity);
      return { recordId: live.record.id, ruleId, identity, paused, starterIsThere };
    },
    record,
    async finish(view) {
      const live = liveOn(view);
      const current = live?.current;
      const name = current && together.nameOf(current.section.anchor);
      if (live === undefined || current?.handle === undefined || name === undefined)
        return fail('not-recording', 'This call is not being recorded.');
      try {
        await pbx.stopRecording(name, current.handle);
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof Failure && /^(rejected|no-such-channel)$/.test(error.code))) throw error;
      }
      if (live.current !== current) return;
      close(live);
      tellAll(live);
    },
    async pause(view, paused) {
      const live = liveOn(view);
      if (live === undefined) return fail('not-recording', 'This call is not being recorded.');
      await silence(live, paused);
    },
  };
}

/** Whether somebody is there to talk to: not a mailbox, not the music of a queue. */
function isConversation(view: ChannelView): boolean {
  return view.service === '' || view.service === 'conference';
}

function stateOf(current: Current, view: ChannelView): RecordChange['state'] {
  if (current.section.paused) return 'paused';
  return view.held || view.remoteHeld ? 'held' : 'recording';
}
