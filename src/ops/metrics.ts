/** Numbers for Prometheus: what is counted while working, and what is read from the parts when somebody asks. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Bounded } from '../bounds.ts';
import type { Bridge, BridgeLimits } from '../bridge.ts';
import type { Dispatch } from '../dispatch.ts';
import type { Module } from '../modules/define.ts';
import type { Asterisk } from '../pbx/asterisk.ts';
import type { Presence } from '../presence/presence.ts';
import { elements } from '../protocol/xml.ts';
import type { Store } from '../store/store.ts';
import { maxTold } from '../told.ts';
import type { Component } from '../xmpp/component.ts';
import type { Limits } from '../xmpp/limits.ts';
import type { IqAnswer } from '../xmpp/xmpp.ts';

/** The running parts that are asked for their numbers. */
export interface Measured {
  readonly xmpp: Component;
  readonly pbx: Asterisk;
  readonly store: Store;
  readonly bridge: Bridge;
  readonly presence: Presence;
  readonly limits: BridgeLimits;
  readonly xmppLimits: Limits;
  /** Whoever else keeps something. */
  readonly others?: readonly Bounded[];
}

/** Takes in what happens, and says what has. */
export interface Metrics {
  readonly contentType: string;
  /** Everything in Prometheus' text format. */
  text(): Promise<string>;
  /** Begins to read the parts' own numbers. Once. */
  watch(parts: Measured): void;
  /** An AMI action was answered, refused or given up after `ms` milliseconds. */
  action(name: string, ms: number, ok: boolean): void;
  /** A write to the XMPP server held an event that was learned `ms` milliseconds before. */
  eventWritten(ms: number): void;
  /** The dispatcher, every command timed. */
  timed(dispatch: Dispatch): Dispatch;
}

/** One line of a family: its labels and its present value. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

const seconds = (ms: number) => ms / 1000;
const quick = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const slow = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

let ofProcess: Registry | undefined;
/** Memory, CPU, event loop. One for all: the library goes on observing for as long as the process lives. */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Makes it. `modules`: only their commands become labels, since clients choose what they ask for. */
export function createMetrics(modules: readonly Module[]): Metrics {
  const ofNode = processMetrics();
  const register = new Registry();
  const registers = [register];
  const known = new Map(modules.map((module) => [module.name, module.commands]));

  const commands = new Histogram({
    name: 'offhook_command_seconds',
    help: 'From a command to its answer. outcome: ok, the Failure code, or the stanza error condition',
    labelNames: ['module', 'command', 'outcome'],
    buckets: slow,
    registers,
  });
  const actions = new Histogram({
    name: 'offhook_action_seconds',
    help: 'From an AMI action to its answer. outcome: ok, failed',
    labelNames: ['action', 'outcome'],
    buckets: slow,
    registers,
  });
  const latency = new Histogram({
    name: 'offhook_event_seconds',
    help: 'From the AMI read to the write on the XMPP socket, of the oldest event of each write',
    buckets: quick,
    registers,
  });

  /** A family whose values somebody else counts. */
  function read(
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    samples: () => Iterable<Sample>,
  ): void {
    const [first] = samples();
    const labelNames = Object.keys(first?.[0] ?? {});
    const options = { name, help, labelNames, registers };
    if (kind === 'gauge') {
      const collect = function (this: Gauge) {
        for (const [labels, value] of samples()) this.set(labels, value);
      };
      return void new Gauge({ ...options, collect });
    }
    const collect = function (this: Counter) {
      this.reset();
      for (const [labels, value] of samples()) this.inc(labels, value);
    };
    return void new Counter({ ...options, collect });
  }

  const one = (value: () => number) => (): Sample[] => [[{}, value()]];

  function watch({ xmpp, pbx, store, bridge, presence, limits, xmppLimits, others = [] }: Measured): void {
    const { publish, sessions } = bridge;
    const ami = pbx.counters;
    const stream = xmpp.counters;

    read(
      'gauge',
      'offhook_up',
      'Whether a neighbor is connected and usable. neighbor: xmpp, ami_control, ami_feed, store',
      () => [
        [{ neighbor: 'xmpp' }, Number(xmpp.state.status === 'online')],
        [{ neighbor: 'ami_control' }, Number(pbx.state.control)],
        [{ neighbor: 'ami_feed' }, Number(pbx.state.feed)],
        [{ neighbor: 'store' }, Number(store.state.usable)],
      ],
    );
    read('counter', 'offhook_connects_total', 'Connections that came up', () => [
      [{ neighbor: 'xmpp' }, stream.connects],
      [{ neighbor: 'ami_control' }, ami.connects.control],
      [{ neighbor: 'ami_feed' }, ami.connects.feed],
      [{ neighbor: 'store' }, store.connects ?? 0],
    ]);

    read(
      'counter',
      'offhook_ami_bytes_total',
      'Bytes that the event connection brought',
      one(() => ami.feed.bytes),
    );
    read(
      'counter',
      'offhook_ami_messages_total',
      'AMI messages. kind: read, skipped (unwanted, not parsed), garbage, oversized',
      () => [
        [{ kind: 'read' }, ami.feed.messages - ami.feed.skipped],
        [{ kind: 'skipped' }, ami.feed.skipped],
        [{ kind: 'garbage' }, ami.feed.garbage],
        [{ kind: 'oversized' }, ami.feed.oversized],
      ],
    );
    read(
      'counter',
      'offhook_pbx_events_total',
      'Events of the telephone system that were worked on',
      one(() => ami.events),
    );
    read(
      'gauge',
      'offhook_actions_waiting',
      'AMI actions without an answer so far',
      one(() => ami.pending),
    );

    const perEvent = (value: (counters: (typeof publish.counters)[number]) => number) => () =>
      publish.counters.map((each): Sample => [{ module: each.module, event: each.event }, value(each)]);
    read(
      'counter',
      'offhook_events_total',
      'Things that happened, wanted or not',
      perEvent((each) => each.occurred),
    );
    read(
      'counter',
      'offhook_event_messages_total',
      'Event messages handed to the XMPP side',
      perEvent((each) => each.sent),
    );
    read(
      'counter',
      'offhook_event_messages_refused_total',
      'Event messages that there was no room for; they are sent again as things are by then',
      perEvent((each) => each.refused),
    );
    read(
      'gauge',
      'offhook_backlog',
      'state: waiting (things to be told when there is room), unconfirmed (events that the server has not confirmed)',
      () => [
        [{ state: 'waiting' }, publish.backlog.waiting],
        [{ state: 'unconfirmed' }, publish.backlog.unconfirmed],
      ],
    );
    read(
      'counter',
      'offhook_backlog_events_total',
      'Events never sent. fate: replaced by later ones, dropped at the bound',
      () => [
        [{ fate: 'replaced' }, publish.backlog.replaced],
        [{ fate: 'dropped' }, publish.backlog.dropped],
      ],
    );

    read(
      'counter',
      'offhook_xmpp_stanzas_total',
      'Stanzas. fate: sent, received, refused (no room, or away), dropped (waiting when the stream ended)',
      () => [
        [{ fate: 'sent' }, stream.sent],
        [{ fate: 'received' }, stream.received],
        [{ fate: 'refused' }, stream.refused],
        [{ fate: 'dropped' }, stream.dropped],
      ],
    );
    read(
      'gauge',
      'offhook_xmpp_buffered_bytes',
      'Bytes that wait for the XMPP server to take them',
      one(() => stream.buffered),
    );
    read('gauge', 'offhook_iqs_open', 'IQs under way. side: theirs (to be answered by us), ours', () => [
      [{ side: 'theirs' }, stream.openIqs],
      [{ side: 'ours' }, stream.openRequests],
    ]);

    read(
      'gauge',
      'offhook_sessions',
      'Open sessions',
      one(() => sessions.size),
    );
    read(
      'gauge',
      'offhook_subscriptions',
      'Subscriptions of all sessions',
      one(() => bridge.subscriptions),
    );
    read(
      'gauge',
      'offhook_snapshot_events_waiting',
      'Events that wait until a snapshot of the telephone system is taken in',
      one(() => bridge.waiting),
    );
    read(
      'gauge',
      'offhook_calls',
      'Channels of users',
      one(() => bridge.calls),
    );
    read(
      'gauge',
      'offhook_phonebook_entries',
      'Entries of the phonebook, of all sources together',
      one(() => bridge.persons),
    );
    read(
      'gauge',
      'offhook_recordings',
      'Recordings that run',
      one(() => bridge.recordings),
    );
    read(
      'gauge',
      'offhook_told_calls',
      'Channels of users that the next bridge will know; without a journal only those that somebody was told of. state: open, waiting (with news that the store was not handed yet)',
      () => [
        [{ state: 'open' }, bridge.told.size],
        [{ state: 'waiting' }, bridge.told.waiting],
      ],
    );
    read(
      'gauge',
      'offhook_transfers',
      'Files on their way to clients',
      one(() => bridge.transfers),
    );
    read(
      'gauge',
      'offhook_store_pending',
      'Sessions, entries of journals and the like that the store does not have durably yet',
      one(() => store.state.pending),
    );

    read(
      'counter',
      'offhook_presence_stanzas_total',
      'Presence stanzas sent',
      one(() => presence.counters.sent),
    );
    read(
      'gauge',
      'offhook_presence',
      'waiting: telephones whose presence is to be told; watches: granted subscriptions',
      () => [
        [{ what: 'waiting' }, presence.counters.waiting],
        [{ what: 'watches' }, presence.counters.watches],
      ],
    );

    const bounds = [
      ...xmpp.bounds,
      ...pbx.bounds,
      ...bridge.bounds,
      ...others.flatMap((each) => each.bounds),
    ];
    read(
      'gauge',
      'offhook_held',
      'How many there are of what is bounded; docs/limits.md says what each is',
      () => bounds.map(({ of, held }): Sample => [{ of }, held]),
    );
    read(
      'counter',
      'offhook_exceeded_total',
      'How often there was one too many; docs/limits.md says what happens then',
      () => bounds.map(({ of, exceeded }): Sample => [{ of }, exceeded]),
    );
    read('gauge', 'offhook_limit', 'The bounds; docs/limits.md says what happens at each', () => [
      ...bounds.map(({ of, most }): Sample => [{ of }, most]),
      [{ of: 'sessions' }, limits.sessions],
      [{ of: 'sessions_per_user' }, limits.perUser],
      [{ of: 'subscriptions_per_session' }, limits.subscriptions],
      [{ of: 'told_calls' }, maxTold],
      [{ of: 'iqs_open' }, xmppLimits.maxOpenIqs],
      [{ of: 'requests_open' }, xmppLimits.maxRequests],
      [{ of: 'xmpp_event_bytes' }, xmppLimits.eventBytes],
      [{ of: 'xmpp_event_mark_bytes' }, xmppLimits.eventMarkBytes],
      [{ of: 'xmpp_answer_bytes' }, xmppLimits.answerBytes],
    ]);
  }

  return {
    contentType: register.contentType,
    text: async () => `${await ofNode.metrics()}\n${await register.metrics()}`,
    watch,
    action: (action, ms, ok) => actions.observe({ action, outcome: ok ? 'ok' : 'failed' }, seconds(ms)),
    eventWritten: (ms) => latency.observe(seconds(ms)),
    timed: (dispatch) => async (from, cmd) => {
      const began = performance.now();
      const answer = await dispatch(from, cmd);
      const module = cmd.attrs.get('module') ?? '';
      const name = elements(cmd)[0]?.name ?? '';
      const labels = known.get(module)?.has(name) ? { module, command: name } : { module: '', command: '' };
      commands.observe({ ...labels, outcome: outcomeOf(answer) }, seconds(performance.now() - began));
      return answer;
    },
  };
}

/** `ok`, the code of a `base.Failure`, or the condition of a stanza error. */
function outcomeOf(answer: IqAnswer): string {
  if ('error' in answer) return answer.error.condition;
  const [payload] = answer.result === undefined ? [] : elements(answer.result);
  return payload?.name === 'Failure' ? (payload.attrs.get('code') ?? '') : 'ok';
}
