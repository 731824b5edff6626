import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type BridgeOptions, createBridge } from '../src/bridge.ts';
import { emptyDirectory } from '../src/directory.ts';
import type { PbxState } from '../src/pbx/pbx.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import { deflectionsOver, fixed, idleCalls, idlePbx, idlePresence, idleXmpp, placesOver } from './idle.ts';
import { journal, limits, phonebook, settings } from './settings.ts';

/** A bridge between ports that do nothing but note what is asked of them. */
function wired(store: Store = createMemoryStore()) {
  const asked: string[] = [];
  const note = (what: string) => async () => {
    asked.push(what);
  };
  const tellStates: ((state: PbxState) => void)[] = [];
  const act = async () => {};
  const pbx = idlePbx({
    state: { control: false, feed: false, reason: '' },
    start: note('pbx.start'),
    stop: note('pbx.stop'),
    onState(listener) {
      tellStates.push(listener);
      return () => {};
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
  };
  return {
    bridge: createBridge(options),
    asked,
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
