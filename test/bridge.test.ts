import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type BridgeOptions, createBridge } from '../src/bridge.ts';
import { parseDirectory } from '../src/directory/parse.ts';
import { emptyDirectory } from '../src/directory.ts';
import { modules } from '../src/modules/index.ts';
import type { PbxEvent } from '../src/pbx/events.ts';
import type { PbxState } from '../src/pbx/pbx.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import { deflectionsOver, fixed, idleCalls, idlePbx, idlePresence, idleXmpp, placesOver } from './idle.ts';
import { joins } from './queues/script.ts';
import { until } from './servers/until.ts';
import { journal, limits, phonebook, settings } from './settings.ts';

/** A bridge between ports that do nothing but note what is asked of them. */
function wired(store: Store = createMemoryStore(), parts: Partial<BridgeOptions> = {}) {
  const asked: string[] = [];
  const note = (what: string) => async () => {
    asked.push(what);
  };
  const tellStates: ((state: PbxState) => void)[] = [];
  const answers: (() => void)[] = [];
  let happens: (event: PbxEvent) => void = () => {};
  const act = async () => {};
  const pbx = idlePbx({
    state: { control: false, feed: false, reason: '' },
    start: note('pbx.start'),
    stop: note('pbx.stop'),
    onState(listener) {
      tellStates.push(listener);
      return () => {};
    },
    onEvent(listener) {
      happens = listener;
    },
    async mailboxes() {
      asked.push('pbx.mailboxes');
      return new Map();
    },
  });
  const xmpp = idleXmpp({
    state: { status: 'offline', reason: '' },
    start: note('xmpp.start'),
    stop: note('xmpp.stop'),
    confirm() {
      asked.push('xmpp.confirm');
      return new Promise<void>((resolve) => answers.push(resolve));
    },
  });
  const options: BridgeOptions = {
    modules: [],
    xmpp,
    pbx,
    store,
    calls: idleCalls(),
    audit: () => {},
    webhook: act,
    presence: idlePresence(),
    deflections: deflectionsOver(pbx, () => emptyDirectory),
    places: placesOver(fixed(emptyDirectory), pbx),
    directory: { current: emptyDirectory, onChange: () => () => {}, start: act, stop: act },
    domains: ['example.org'],
    journal,
    phonebook,
    settings,
    askPresence: false,
    limits,
    log: pino({ level: 'silent' }),
    now: () => 0,
    monotonic: () => 0,
    ...parts,
  };
  return {
    bridge: createBridge(options),
    asked,
    /** What the server was asked, to be answered. */
    answers,
    happens: (event: PbxEvent) => happens(event),
    tellState: (state: PbxState) => {
      for (const tell of tellStates) tell(state);
    },
  };
}

describe('a bridge', () => {
  it('that is stopped while it starts connects to nobody any more', async () => {
    let release = () => {};
    const slow: Store = {
      ...createMemoryStore(),
      start: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    };
    const { bridge, asked } = wired(slow);
    const started = bridge.start();
    await bridge.stop();
    release();
    await started;
    expect(asked).not.toContain('pbx.start');
    expect(asked).not.toContain('xmpp.start');
  });

  it('asks what has arrived before it ends, also of what was told since it asked last', async () => {
    const parsed = parseDirectory(
      'users:\n  - { name: anna, extension: 340, devices: [{ name: Desk, device: PJSIP/340 }] }\n',
      ['example.org'],
    );
    if (!parsed.ok) throw new Error('the directory does not fit');
    const { bridge, asked, answers, happens } = wired(createMemoryStore(), {
      modules,
      directory: fixed(parsed.directory),
      limits: { ...limits, confirmEveryMs: 1, graceMs: 60_000 },
    });
    await bridge.start();
    const waits = (name: string): PbxEvent => joins(name, { count: 0 });
    happens(waits('a'));
    await until('it asks', () => answers.length === 1);
    happens(waits('b'));
    const ended = bridge.stop();
    answers[0]?.();
    await until('it asks once more', () => answers.length === 2);
    expect(asked).not.toContain('xmpp.stop');
    answers[1]?.();
    await ended;
    expect(asked.filter((what) => what !== 'xmpp.start' && what.startsWith('xmpp'))).toEqual([
      'xmpp.confirm',
      'xmpp.confirm',
      'xmpp.stop',
    ]);
  });

  it('counts voicemail once both connections to the telephone system are up, whichever was later', async () => {
    const { bridge, asked, tellState } = wired();
    await bridge.start();
    tellState({ control: false, feed: true, reason: 'control: refused' });
    expect(asked).not.toContain('pbx.mailboxes');
    tellState({ control: true, feed: true, reason: '' });
    expect(asked).toContain('pbx.mailboxes');
    await bridge.stop();
  });
});
