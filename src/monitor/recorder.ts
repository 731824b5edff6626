/** Recording of calls as they go: begun by rule or by hand, followed to whoever talks on, taken over from an earlier process. */

import type { Calls } from '../calls/calls.ts';
import type { CallChange, ChannelView } from '../calls/changes.ts';
import type { Directory } from '../directory.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { PbxEvent } from '../pbx/events.ts';
import type { Pbx, RecordingHandle } from '../pbx/pbx.ts';
import type { Ledger } from '../store/store.ts';
import { createLives, type Live } from './live.ts';
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
  /** Dialplan context of the announcement. */
  readonly context: string;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** 16 hexadecimal digits that nobody can guess. */
  readonly random: () => string;
}

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
  /** Channels for which `auto` was tried: a refusal is not asked for again with every change. */
  const tried = new Set<string>();
  /** Records of an earlier process that may be running still, by the recorded channel. */
  const adopted = new Map<string, CallRecord>();
  let stopSweeping = () => {};

  /** The recording of this call, new or not yet over. Throws `Failure` `rejected`. */
  function liveFor(view: ChannelView): Live {
    const known = lives.of(view.uniqueId).find(({ current }) => current === undefined);
    if (known !== undefined) return known;
    if (lives.all.size >= MAX_LIVE) fail('rejected', 'Too many calls are being recorded: try again later.');
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
    const left = [view.uniqueId, parties.otherOf(view)?.uniqueId ?? ''].some((each) => adopted.has(each));
    if (left || lives.on(view) !== undefined) fail('already-exists', 'This call is being recorded already.');
    if (keeping === undefined) fail('not-available', 'Calls cannot be recorded on this system.');
    const live = liveFor(view);
    live.follows = undefined;
    await sections.begin(live, view.uniqueId, ruleId, identity, { announce: true, paused: false });
  }

  /** Records without being asked, where a rule says so. */
  function automatic(view: ChannelView): void {
    if (tried.has(view.uniqueId) || lives.on(view) !== undefined || !isConversation(view)) return;
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

  /** The others of a call talk on without the channel that was recorded: so does the recording. */
  function follow(live: Live, uniqueId: string): void {
    const { follows } = live;
    if (follows === undefined || live.current !== undefined || !live.channels.has(uniqueId)) return;
    // In the bridge where it was left: a conference that goes on is not a call that was handed on.
    if (together.with(uniqueId).length === 0) return;
    if (together.placeOf(uniqueId) === live.channels.get(uniqueId)) return;
    live.follows = undefined;
    const people = [uniqueId, ...together.with(uniqueId)].flatMap((each) => parties.viewOf(each) ?? []);
    if (people.some((view) => lives.on(view) !== undefined)) return;
    const rules = parties.policy();
    const isDenied = people.some(
      (view) => parties.verdictOf(view).permission === 'deny' && parties.verdictOf(view).ruleId !== '',
    );
    if (rules === undefined || isDenied) return;
    const how = { announce: false, paused: follows.paused };
    void inBackground(sections.begin(live, uniqueId, follows.ruleId, follows.identity, how), uniqueId);
  }

  function ended(uniqueId: string): void {
    tried.delete(uniqueId);
    for (const live of lives.of(uniqueId)) leave(live, uniqueId);
  }

  function leave(live: Live, uniqueId: string): void {
    live.channels.delete(uniqueId);
    const { current } = live;
    if (current?.section.anchor === uniqueId) {
      const { ruleId, identity, paused } = current.section;
      live.follows = { ruleId, identity, paused };
      sections.close(live);
      news.tellAll(live);
      for (const each of live.channels.keys()) follow(live, each);
    }
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
      sections.gather(live);
      news.tellAll(live);
    } else {
      sections.close(live);
      lives.remove(live);
    }
  }

  function apply(event: PbxEvent, changes: readonly CallChange[]): readonly RecordChange[] {
    together.apply(event);
    if (event.type === 'bridge-enter') {
      const { uniqueId } = event.channel;
      for (const each of [uniqueId, ...together.with(uniqueId)]) {
        for (const live of lives.of(each)) {
          if (live.current !== undefined) sections.gather(live);
          else follow(live, each);
        }
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
        for (const live of lives.of(view.uniqueId)) sections.gather(live);
        out.push(...news.of(view));
        automatic(view);
      }
    }
    return out;
  }

  /** Throws `Failure` `not-recording`. */
  function recordingOn(view: ChannelView): Live {
    return lives.on(view) ?? fail('not-recording', 'This call is not being recorded.');
  }

  return {
    apply,
    onChange: news.onChange,
    async start() {
      if (keeping === undefined) return;
      await notes.leftRunning((anchor, record) => adopted.set(anchor, record));
      notes.rebuild();
      const running = () => new Set([...lives.all].map(({ record }) => record.id));
      stopSweeping = startSweeping(keeping.shelf, keeping, { running, log, now });
    },
    async stop() {
      stopSweeping();
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
      const live = lives.on(view);
      if (live?.current?.handle === undefined) return undefined;
      const { ruleId, identity, paused } = live.current.section;
      const starterIsThere = parties.participantsOf(view).some(({ user }) => user.name === identity);
      return { recordId: live.record.id, ruleId, identity, paused, starterIsThere };
    },
    record,
    finish: async (view) => sections.finish(recordingOn(view)),
    pause: async (view, paused) => sections.pause(recordingOn(view), paused),
  };
}
