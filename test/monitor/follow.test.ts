/** Recordings of a real Asterisk, played to the monitor: what it records of transfers, parking, queues and conferences. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectory, type Directory } from '../../src/directory.ts';
import type { RecordChange } from '../../src/monitor/monitor.ts';
import { createMonitor } from '../../src/monitor/recorder.ts';
import type { RecordingHandle } from '../../src/pbx/pbx.ts';
import { defaultPolicy, type RecordingRule } from '../../src/rules/policy.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { officeCalls } from '../calls/office.ts';
import { recordings } from '../calls/recordings.ts';
import { user } from '../modules/harness.ts';
import { until } from '../servers/until.ts';
import { type Folder, recording, recordingFolder, rule } from './recorder.ts';

let folder: Folder;
beforeEach(async () => {
  folder = await recordingFolder();
});
afterEach(() => folder.remove());

/** Plays a recording; `rules` say what is recorded. */
async function play(name: string, ...rules: RecordingRule[]) {
  const trace = recordings.find((each) => each.name === name);
  if (trace === undefined) throw new Error(`there is no recording ${name}`);
  const directory: Directory = createDirectory(
    ['310', '320', '330', '340', '370'].map((number) => user(`u${number}`, number, `User ${number}`)),
    new Map(),
    { ...defaultPolicy, recording: recording(...rules) },
  );
  const calls = officeCalls();
  const told: RecordChange[] = [];
  const recorded: string[] = [];
  let clock = 1_700_000_000_000;
  let begun = 0;
  let settled = 0;
  const { shelf } = folder.keeping;
  const monitor = createMonitor({
    pbx: {
      async record(channel, file) {
        recorded.push(channel.replace(/-[^-]*$/, ''));
        await folder.record(file);
        return `mix-${recorded.length}` as RecordingHandle;
      },
      stopRecording: async () => {},
      muteRecording: async () => {},
      announce: async () => {},
    },
    calls,
    directory: () => directory,
    book: createMemoryStore().ledger('records'),
    keeping: {
      ...folder.keeping,
      shelf: {
        ...shelf,
        async check() {
          begun += 1;
          await shelf.check();
        },
        async appears(file, ms) {
          const there = await shelf.appears(file, ms);
          settled += 1;
          return there;
        },
      },
    },
    onStoreBack: () => () => {},
    context: 'internal',
    log: pino({ level: 'silent' }),
    now: () => clock,
    random: () => (recorded.length + 1).toString(16).padStart(16, '0'),
  });
  monitor.onChange?.((changes) => {
    for (const change of changes) if (change.kind === 'record') told.push(change);
  });
  await monitor.start?.();
  for (const event of trace.events()) {
    clock = event.at;
    for (const change of monitor.apply(event, calls.apply(event))) {
      if (change.kind === 'record') told.push(change);
    }
    // It is quick in stopping as well.
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
    // The telephone system is quick: a recording runs before the next thing happens, unless its channel has ended.
    for (let turn = 0; turn < 500 && begun > settled; turn++) await setTimeout(1);
    settled = begun;
  }
  await until(`${name}: nothing runs any more`, () => monitor.running === 0);
  await monitor.stop?.();
  const records = [];
  for await (const record of folder.keeping.shelf.all()) records.push(record);
  return {
    recorded,
    records,
    /** `340 start held` */
    told: told.map(({ device, type, state }) => `${device.slice(6)} ${type} ${state}`.trim()),
  };
}

const auto = (...users: string[]) => rule({ name: 'auto', permission: 'auto', users: new Set(users) });

describe('a call', () => {
  it('is recorded from its answer to its end, once, and everybody is told', async () => {
    const { recorded, records, told } = await play('01_call_caller_hangs_up', auto());
    expect(recorded.length).toBe(1);
    expect(records).toHaveLength(1);
    expect(records[0]?.sections).toHaveLength(1);
    expect(records[0]?.sections[0]?.heard.slice().sort()).toEqual(['u340@example.org', 'u370@example.org']);
    expect(records[0]?.sections[0]?.to).toBeGreaterThan(0);
    for (const number of ['340', '370']) {
      expect(told.filter((each) => each.startsWith(number))).toEqual([
        `${number} stop`,
        `${number} start recording`,
        `${number} stop`,
      ]);
    }
  });

  it('that is held is told to be', async () => {
    const { told, recorded } = await play('06a_hold_unhold', auto());
    expect(recorded.length).toBe(1);
    expect(told.filter((each) => each.startsWith('340'))).toContain('340 start held');
    expect(told.filter((each) => each.startsWith('340')).at(-2)).toBe('340 start recording');
  });

  it('that nobody answers is not recorded, nor one that no rule is about', async () => {
    expect((await play('03_no_answer', auto())).recorded).toEqual([]);
    expect((await play('01_call_caller_hangs_up', rule())).recorded).toEqual([]);
    expect((await play('01_call_caller_hangs_up', auto('u320'))).recorded).toEqual([]);
  });

  it('with somebody who must not be recorded is not', async () => {
    const deny = rule({ name: 'council', permission: 'deny', users: new Set(['u370']) });
    const { recorded, told } = await play('01_call_caller_hangs_up', deny, auto());
    expect(recorded).toEqual([]);
    expect(told.sort()).toEqual(['340 stop', '370 stop']);
  });
});

describe('the recording follows', () => {
  it('a blind transfer: the one who transferred is gone, the others are recorded on', async () => {
    const { recorded, records } = await play('07a_refer_by_callee', auto('u370'));
    expect(recorded).toEqual(['PJSIP/370', 'PJSIP/340']);
    const [record] = records;
    expect(records).toHaveLength(1);
    expect(record?.sections.map(({ heard }) => [...heard].sort())).toEqual([
      ['u340@example.org', 'u370@example.org'],
      ['u320@example.org', 'u340@example.org'],
    ]);
  });

  it('an attended transfer, once though both calls were recorded', async () => {
    const { records } = await play('09a_refer_replaces', auto('u370'));
    const together = records.flatMap(({ sections }) =>
      sections.filter(
        ({ heard }) =>
          heard.includes('u340@example.org' as never) && heard.includes('u320@example.org' as never),
      ),
    );
    expect(together).toHaveLength(1);
  });

  it('a transfer by keys', async () => {
    const { records } = await play('09h_dtmf_atxfer', auto('u370'));
    const heard = records.flatMap(({ sections }) => sections.map((each) => [...each.heard].sort().join(' ')));
    expect(heard).toContain('u320@example.org u340@example.org');
  });

  it('a call that is parked and fetched, without the music between', async () => {
    const { records, recorded } = await play('17a_park_refer', auto('u370'));
    expect(recorded).toEqual(['PJSIP/370', 'PJSIP/340']);
    expect(records).toHaveLength(1);
    expect(records[0]?.sections.at(-1)?.heard).toContain('u320@example.org');
  });

  it('not to somebody who must not be recorded', async () => {
    const deny = rule({ name: 'council', permission: 'deny', users: new Set(['u320']) });
    expect((await play('07a_refer_by_callee', deny, auto('u370'))).recorded).toEqual(['PJSIP/370']);
  });

  it.each(['u340', 'u370'])(
    'of %s not into a consultation with somebody who must not be recorded',
    async (whose) => {
      const deny = rule({ name: 'council', permission: 'deny', users: new Set(['u320']) });
      const { records } = await play('09h_dtmf_atxfer', deny, auto(whose));
      const heard = records.flatMap(({ sections }) => sections.map((each) => each.heard.join(' ')));
      expect(heard).toEqual(['u340@example.org u370@example.org']);
    },
  );

  it('with a section for each company, so that nobody hears what was said behind their back', async () => {
    const { records } = await play('09h_dtmf_atxfer', auto('u370'));
    const heard = records.flatMap(({ sections }) => sections.map((each) => each.heard.join(' ')));
    expect(heard).toEqual([
      'u340@example.org u370@example.org',
      'u320@example.org u370@example.org',
      'u320@example.org u340@example.org',
    ]);
  });
});

describe('queues and services', () => {
  it('records the talk with the agent, not the wait', async () => {
    const queue = rule({ name: 'support', permission: 'auto', queues: new Set(['Support']) });
    const { recorded, records } = await play('13a_queue_agent_hangs_up', queue);
    expect(recorded).toEqual(['PJSIP/340']);
    expect(records[0]?.sections).toHaveLength(1);
    expect((await play('14_queue_abandon', auto())).recorded).toEqual([]);
    expect((await play('19_voicemail', auto('u370', 'u320', 'u340'))).recorded).toEqual([]);
  });
});

it('leaves nothing behind, whatever happens', async () => {
  for (const { name } of recordings.filter(({ bytes }) => bytes.length < 3_000_000)) {
    const { records } = await play(name, auto());
    for (const { sections } of records) {
      for (const { to } of sections) expect([name, to > 0]).toEqual([name, true]);
    }
    await folder.remove();
    folder = await recordingFolder();
  }
});
