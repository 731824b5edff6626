import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type BridgeOptions, createBridge } from '../src/bridge.ts';
import { createDirectory, emptyDirectory } from '../src/directory.ts';
import { modules } from '../src/modules/index.ts';
import type { PbxEvent } from '../src/pbx/events.ts';
import type { DeviceName, PbxState } from '../src/pbx/pbx.ts';
import type { FullJid } from '../src/protocol/jid.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import type { Xmpp } from '../src/xmpp/xmpp.ts';
import { deflectionsOver, fixed, idleCalls, idlePbx, idlePresence, idleXmpp, placesOver } from './idle.ts';
import { user, view } from './modules/harness.ts';
import { until } from './servers/until.ts';
import { journal, limits, phonebook, settings } from './settings.ts';

/** A bridge between ports that do nothing but note what is asked of them. */
function wired(
  store: Store = createMemoryStore(),
  {
    xmpp: xmppParts,
    ...parts
  }: Partial<Omit<BridgeOptions, 'xmpp'>> & { readonly xmpp?: Partial<Xmpp> } = {},
) {
  const asked: string[] = [];
  const note = (what: string) => async () => {
    asked.push(what);
  };
  const tellStates: ((state: PbxState) => void)[] = [];
  const tellEvents: ((event: PbxEvent) => void)[] = [];
  const act = async () => {};
  const pbx = idlePbx({
    state: { control: false, feed: false, reason: '' },
    start: note('pbx.start'),
    stop: note('pbx.stop'),
    onState(listener) {
      tellStates.push(listener);
      return () => {};
    },
    onEvent: (listener) => void tellEvents.push(listener),
    async mailboxes() {
      asked.push('pbx.mailboxes');
      return new Map();
    },
  });
  const xmpp = idleXmpp({
    state: { status: 'offline', reason: '' },
    start: note('xmpp.start'),
    stop: note('xmpp.stop'),
    ...xmppParts,
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
    directory: fixed(emptyDirectory),
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
    tellState: (state: PbxState) => {
      for (const tell of tellStates) tell(state);
    },
    tellEvent: (event: PbxEvent) => {
      for (const tell of tellEvents) tell(event);
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

  it('asks before it ends for everything that was told, also where a question about less is under way', async () => {
    const questions: (() => void)[] = [];
    const { bridge, asked, tellEvent } = wired(createMemoryStore(), {
      modules,
      directory: fixed(createDirectory([user('anna', '340', 'Anna')])),
      xmpp: { confirm: () => new Promise<void>((resolve) => void questions.push(resolve)) },
      calls: idleCalls({
        apply: ({ at }) => [
          { kind: 'channel', type: at === 0 ? 'busy' : 'hangup', details: '', view: view(), at },
        ],
      }),
      limits: { ...limits, confirmEveryMs: 5 },
    });
    await bridge.start();
    const everything = { module: 'base', type: '*', scope: 'user', filters: [] } as const;
    bridge.sessions.open('anna@example.org/desk' as FullJid, {}, [everything]);
    const happens = (at: number) =>
      tellEvent({ type: 'device-state', device: 'PJSIP/340' as DeviceName, state: 'INUSE', at });
    happens(0);
    await until('it is asked whether that has arrived', () => questions.length === 1);
    happens(1);
    const stopped = bridge.stop();
    questions[0]?.();
    await until('it is asked whether all has arrived', () => questions.length === 2);
    expect(asked).not.toContain('xmpp.stop');
    questions[1]?.();
    await stopped;
    expect(asked).toContain('xmpp.stop');
    expect(bridge.publish.backlog.unconfirmed).toBe(0);
  });
});
