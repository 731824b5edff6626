import { readdir } from 'node:fs/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { emptyDirectory } from '../../src/directory.ts';
import { createLives, type Live } from '../../src/monitor/live.ts';
import { createNotes } from '../../src/monitor/notes.ts';
import type { Parties } from '../../src/monitor/parties.ts';
import { recordId, sectionFile } from '../../src/monitor/record.ts';
import { createSections } from '../../src/monitor/sections.ts';
import type { Together } from '../../src/monitor/together.ts';
import type { ChannelId, RecordingHandle } from '../../src/pbx/pbx.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { until } from '../servers/until.ts';
import { type Folder, recordingFolder } from './recorder.ts';

let folder: Folder;
beforeEach(async () => {
  folder = await recordingFolder();
});
afterEach(() => folder.remove());

it('what cannot be silent from its beginning is stopped, and leaves no file beside the sections before it', async () => {
  const together: Together = {
    apply() {},
    nameOf: () => 'PJSIP/340-00000001' as ChannelId,
    placeOf: () => 'here',
    with: () => [],
  };
  const parties: Parties = {
    policy: () => undefined,
    viewOf: () => undefined,
    otherOf: () => undefined,
    participantsOf: () => [],
    companyOf: () => [],
    isTalking: () => true,
    isDenied: () => false,
    verdictOf: () => ({ permission: 'allow', ruleId: 'r' }),
    ruleForOthers: () => undefined,
  };
  const log = pino({ level: 'silent' });
  const now = () => 1_700_000_000_000;
  const notes = createNotes({
    shelf: folder.keeping.shelf,
    book: createMemoryStore().ledger('records'),
    log,
    now,
  });
  const stopped: string[] = [];
  const sections = createSections({
    pbx: {
      async record(_, path) {
        await folder.record(path);
        return 'mix-2' as RecordingHandle;
      },
      async stopRecording(_, handle) {
        stopped.push(handle);
      },
      muteRecording: () => Promise.reject(new Error('the telephone system does not answer')),
      announce: async () => {},
    },
    directory: () => emptyDirectory,
    keeping: folder.keeping,
    context: 'internal',
    together,
    parties,
    lives: createLives(parties, together),
    notes,
    news: { onChange() {}, of: () => [], tellAll() {}, keepOnly() {} },
    log,
    now,
  });
  const id = recordId(now(), 'a'.repeat(16));
  const before = {
    file: sectionFile(id, 1),
    ruleId: 'r',
    identity: 'tweber',
    anchor: '1.1',
    handle: 'mix-1',
    paused: true,
    from: now() - 2000,
    to: now() - 1000,
    heard: [],
  };
  await folder.record(before.file);
  const live: Live = {
    record: { id, at: before.from, legs: [], sections: [before] },
    current: undefined,
    waits: undefined,
    channels: new Map([['1.1', 'here']]),
    writing: Promise.resolve(),
    noted: false,
    erased: false,
  };
  await notes.note(live);
  const how = { announce: false, paused: true };
  await expect(sections.begin(live, '1.1', 'r', 'tweber', how)).rejects.toThrow('does not answer');
  expect(stopped).toEqual(['mix-2']);
  await until('nothing is left of it', async () => (await readdir(folder.dir)).length === 2);
  await notes.written();
  expect((await readdir(folder.dir)).sort()).toEqual([before.file, `${id}.json`]);
  expect((await folder.keeping.shelf.read(id))?.sections).toEqual([before]);
});
