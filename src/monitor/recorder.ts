/** Recording of calls as they go: begun by rule or by hand, followed to whoever talks on, taken over from an earlier process. */

import { createBound } from '../bounds.ts';
import type { Calls } from '../calls/calls.ts';
import type { CallChange, ChannelView } from '../calls/changes.ts';
import type { Directory } from '../directory.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PbxEvent } from '../pbx/events.ts';
import type { Pbx, RecordingHandle } from '../pbx/pbx.ts';
import type { Ledger } from '../store/store.ts';
import { type Current, createLives, type Live } from './live.ts';
import type { Keeping, Monitor, RecordChange } from './monitor.ts';
import { createNews } from './news.ts';
import { createNotes } from './notes.ts';
import { createParties, isConversation } from './parties.ts';
import { type CallRecord, recordId } from './record.ts';
import { startSweeping } from './retention.ts';
import { createSections } from './sections.ts';
import { createTogether } from './together.ts';

/** What {@link createMonitor} needs. */
export interface MonitorOptions {
  readonly pbx: Pick<Pbx, 'record' | 'stopRecording' | 'muteRecording' | 'announce'>;
  readonly calls: Pick<Calls, 'channel'>;
  readonly directory: () => Directory;
  /** Undefined: nothing can be recorded. */
  readonly keeping: Keeping | undefined;
  /** What each participant has been in, for lists; and what is known where the sidecars cannot be read. */
  readonly book: Ledger;
  /** Tells whenever the store can be used again, perhaps another one; returns what ends that. */
  readonly onStoreBack: (listener: () => void) => () => void;
  /** Dialplan context of the announcement. */
  readonly context: string;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** 16 hexadecimal digits that nobody can guess. */
  readonly random: () => string;
}

/** After so long alone a channel is parked, or left by the one who consults somebody, milliseconds. */
const ALONE_MS = 400;
/** Recordings at a time: each is a thread of Asterisk and an open file. */
const MAX_LIVE = 500;

const nothing: readonly RecordChange[] = Object.freeze([]);

/** Makes the model, with nothing recorded. */
export function createMonitor(options: MonitorOptions): Monitor {
  const { calls, directory, keeping, book, log, now, random } = options;
  const together = createTogether();
  const parties = createParties(calls, directory, together);
  const lives = createLives(parties, together);
  const news = createNews(parties, lives, now);
  const notes = createNotes({ shelf: keeping?.shelf, book, log, now });
  const sections = createSections({ ...options, together, parties, lives, notes, news });
  const bound = createBound('recorded_calls', MAX_LIVE, () => lives.all.size);
  /** Channels for which `auto` was tried: a refusal is not asked for again with every change. */
  const tried = new Set<string>();
  /** Records of an earlier process that may be running still, by the recorded channel. */
  const adopted = new Map<string, CallRecord>();
  let stopSweeping = () => {};
  let stopRetrying = () => {};
  let stopRebuilding = () => {};

  notes.onErased((live) => {
    log.warn({ record: live.record.id }, 'the files of a recording were removed while it ran: it has ended');
    sections.forget(live);
  });

  /** The recording of this call, new or not yet over. Throws `Failure` `rejected`. */
  function liveFor(view: ChannelView): Live {
    const known = lives.of(view.uniqueId).find(({ current }) => current === undefined);
    if (known !== undefined) return known;
    if (!bound.admits()) fail('rejected', 'Too many calls are being recorded: try again later.');
    const at = now();
    const live: Live = {
      record: { id: recordId(at, random()), at, legs: [], sections: [] },
      current: undefined,
      waits: undefined,
      channels: new Map([[view.uniqueId, undefined]]),
      writing: Promise.resolve(),
      noted: false,
      erased: false,
    };
    lives.add(live);
    return live;
  }

  async function record(view: ChannelView, ruleId: string, identity: string): Promise<void> {
    if (view.state !== 'busy' || !isConversation(view) || !parties.isTalking(view.uniqueId)) {
      fail('no-active-call', 'There is nobody to record in this call: wait for the answer.');
    }
    // What an earlier process left running is known before the telephone system has said that it runs still.
    const left = [view.uniqueId, parties.otherOf(view)?.uniqueId ?? ''].some((each) => adopted.has(each));
    if (left || lives.on(view) !== undefined) fail('already-exists', 'This call is being recorded already.');
    if (keeping === undefined) fail('not-available', 'Calls cannot be recorded on this system.');
    const live = liveFor(view);
    await sections.begin(live, view.uniqueId, ruleId, identity, { announce: true, paused: false });
    look(live, view.uniqueId);
  }

  /** Records without being asked, where a rule says so. */
  function automatic(view: ChannelView): void {
    if (tried.has(view.uniqueId) || lives.on(view) !== undefined || !isConversation(view)) return;
    if (!parties.isTalking(view.uniqueId) || lives.waitingFor(view) !== undefined) return;
    const { permission, ruleId } = parties.verdictOf(view);
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

  /**
   * Goes on with a recording that waits, where this channel of it talks to somebody: the recorded one, or after its end one that was
   * left. Returns whether it does.
   */
  function goOn(live: Live, uniqueId: string): boolean {
    const { waits, current, channels } = live;
    if (waits === undefined || current !== undefined || !channels.has(uniqueId)) return false;
    if (!parties.isTalking(uniqueId)) return false;
    if (channels.has(waits.anchor)) {
      if (uniqueId !== waits.anchor) return false;
    }
    // Elsewhere than where it was left: a conference that goes on is not a call that was handed on.
    else if (together.placeOf(uniqueId) === channels.get(uniqueId)) return false;
    const company = parties.companyOf(uniqueId);
    // Two outside lines that were put together: nobody could have it.
    if (company.length === 0) return false;
    if (company.some(({ view }) => lives.on(view) !== undefined)) return false;
    if (parties.policy() === undefined || parties.isDenied(company)) return false;
    // Local channels come and go.
    const anchor = parties.viewOf(uniqueId) === undefined ? company[0]?.view.uniqueId : uniqueId;
    const how = { announce: false, paused: waits.paused };
    const work = sections.begin(live, anchor ?? uniqueId, waits.ruleId, waits.identity, how);
    void inBackground(
      work.then(() => look(live, uniqueId)),
      uniqueId,
    );
    return true;
  }

  /** Who is in the call may be others than before. */
  function look(live: Live, uniqueId: string): void {
    const { current } = live;
    if (current === undefined) {
      goOn(live, uniqueId);
      return;
    }
    const standing = sections.standing(live);
    if (standing === 'others') void inBackground(move(live), uniqueId);
    else if (standing === 'alone' && !current.alone) lookAgain(live, current, uniqueId);
  }

  /** Channels are by themselves for a moment whenever they move from one bridge to another, and at the end of their calls. */
  function lookAgain(live: Live, current: Current, uniqueId: string): void {
    current.alone = true;
    setTimeout(() => {
      current.alone = false;
      if (live.current !== current || sections.standing(live) === 'same') return;
      void inBackground(move(live), uniqueId);
    }, ALONE_MS).unref();
  }

  /** Somebody has answered. */
  function lookAt(view: ChannelView): void {
    const other = parties.otherOf(view)?.uniqueId;
    for (const live of lives.of(view.uniqueId)) look(live, view.uniqueId);
    if (other !== undefined) for (const live of lives.of(other)) look(live, other);
  }

  /** Ends the section where they are, and begins another one where there is somebody to record. */
  async function move(live: Live): Promise<void> {
    await sections.suspend(live);
    const goesOn = [...live.channels.keys()].some((each) => goOn(live, each));
    // What goes on is told when it does.
    if (!goesOn) news.tellAll(live);
  }

  function ended(uniqueId: string): void {
    tried.delete(uniqueId);
    for (const live of lives.of(uniqueId)) leave(live, uniqueId);
  }

  function leave(live: Live, uniqueId: string): void {
    live.channels.delete(uniqueId);
    const { current } = live;
    if (current?.section.anchor === uniqueId) {
      const { ruleId, identity, paused, anchor } = current.section;
      sections.close(live);
      if (!current.stopped) live.waits = { ruleId, identity, paused, anchor };
      news.tellAll(live);
    }
    for (const each of live.channels.keys()) goOn(live, each);
    if (live.channels.size === 0) lives.remove(live);
  }

  /** After a (re)connect: what was missed, and what an earlier process left running. */
  function resync(present: ReadonlyMap<string, string>): void {
    for (const live of [...lives.all]) {
      for (const uniqueId of live.channels.keys()) if (!present.has(uniqueId)) leave(live, uniqueId);
    }
    for (const uniqueId of tried) if (!present.has(uniqueId)) tried.delete(uniqueId);
    news.keepOnly(present);
    for (const [anchor, record] of adopted) adopt(anchor, record, present.has(anchor));
    adopted.clear();
    for (const live of lives.all) for (const uniqueId of [...live.channels.keys()]) look(live, uniqueId);
  }

  function adopt(anchor: string, record: CallRecord, runs: boolean): void {
    const section = record.sections.find((each) => each.to === 0);
    if (section === undefined) return;
    const handle = section.handle as RecordingHandle;
    const live: Live = {
      record,
      current: { section, handle, runs: true, alone: false, moving: false, stopped: false },
      waits: undefined,
      channels: new Map([[anchor, together.placeOf(anchor)]]),
      writing: Promise.resolve(),
      noted: true,
      erased: false,
    };
    lives.add(live);
    if (runs) {
      news.tellAll(live);
      look(live, anchor);
    } else {
      sections.close(live);
      lives.remove(live);
    }
  }

  function apply(event: PbxEvent, changes: readonly CallChange[]): readonly RecordChange[] {
    together.apply(event);
    if (event.type === 'bridge-enter' || event.type === 'bridge-leave') {
      const { uniqueId } = event.channel;
      for (const each of [uniqueId, ...together.with(uniqueId)]) {
        for (const live of lives.of(each)) look(live, each);
      }
    } else if (event.type === 'hangup') ended(event.channel.uniqueId);
    else if (event.type === 'snapshot')
      resync(new Map(event.snapshot.channels.map((each) => [each.uniqueId, each.name])));
    if (parties.policy() === undefined) return nothing;
    const out: RecordChange[] = [];
    for (const change of changes) {
      if (change.kind !== 'channel') continue;
      const { view, type } = change;
      if (type === 'hangup') out.push(...news.of(view, true));
      else if (view.state === 'busy') {
        lookAt(view);
        out.push(...news.of(view));
        automatic(view);
      }
    }
    return out;
  }

  /** Throws `Failure` `not-recording`. */
  function recordingOn(view: ChannelView): Live {
    return (
      lives.on(view) ?? lives.waitingFor(view) ?? fail('not-recording', 'This call is not being recorded.')
    );
  }

  return {
    bounds: [bound, ...notes.bounds, ...sections.bounds],
    apply,
    onChange: news.onChange,
    async start() {
      if (keeping === undefined) return;
      await notes.leftRunning((anchor, record) => adopted.set(anchor, record));
      notes.rebuild();
      stopRebuilding = options.onStoreBack(notes.rebuild);
      stopRetrying = notes.retry();
      const running = () => new Set([...lives.all].map(({ record }) => record.id));
      stopSweeping = startSweeping(keeping.shelf, keeping, { running, log, now });
    },
    async stop() {
      stopSweeping();
      stopRetrying();
      stopRebuilding();
      await notes.written();
    },
    get running() {
      return [...lives.all].filter(({ current }) => current?.handle !== undefined).length;
    },
    shelf: keeping?.shelf,
    async find(recordId, asking) {
      const live = [...lives.all].find(({ record }) => record.id === recordId);
      return live === undefined ? notes.find(recordId, asking) : live.record;
    },
    listOf: notes.listOf,
    recordOf: sections.recordOf,
    verdictOf: parties.verdictOf,
    ruleForOthers: parties.ruleForOthers,
    runningOn(view) {
      const live = lives.on(view) ?? lives.waitingFor(view);
      const running = live?.current?.handle === undefined ? live?.waits : live.current.section;
      if (live === undefined || running === undefined) return undefined;
      const { ruleId, identity, paused } = running;
      const starterIsThere = parties.participantsOf(view).some(({ user }) => user.name === identity);
      return { recordId: live.record.id, ruleId, identity, paused, starterIsThere };
    },
    record,
    async finish(view) {
      const live = recordingOn(view);
      if (live.current !== undefined) await sections.finish(live);
      // What somebody else began with one of them before does not begin again either, unless a rule wants it.
      for (const each of lives.of(view.uniqueId)) if (each.waits?.identity !== '') each.waits = undefined;
    },
    async pause(view, paused) {
      const live = recordingOn(view);
      if (live.current !== undefined) await sections.pause(live, paused);
      else if (live.waits !== undefined) live.waits = { ...live.waits, paused };
    },
  };
}
