/** What every telephone system must do with recordings: a part of pbx.ts. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelId, RecordingHandle } from '../../src/pbx/pbx.ts';
import { until } from '../servers/until.ts';
import type { VerbHarness } from './verbs.ts';

const nowhere = 'PJSIP/340-ffffffff' as ChannelId;

/** Declares the cases. */
export function recordingContract({ connected, phone, talking }: VerbHarness): void {
  describe('recording', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'offhook-rec-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('writes a WAV file until it is stopped, and stops only the one it is told to', async () => {
      const on = await connected();
      const { a } = await talking(on, '340', '370');
      const [one, two] = [join(folder, 'one.wav'), join(folder, 'two.wav')];
      const first = await on.record(a.name, one);
      const second = await on.record(a.name, two);
      expect(first).not.toBe('');
      expect(second).not.toBe(first);
      await on.muteRecording(a.name, first, true);
      await on.muteRecording(a.name, first, false);
      await on.stopRecording(a.name, first);
      await expect(on.stopRecording(a.name, first)).rejects.toMatchObject({ code: 'rejected' });
      await on.stopRecording(a.name, second);
      for (const file of [one, two]) {
        await until('it is a file', async () => ((await stat(file).catch(() => undefined))?.size ?? 0) >= 44);
        const head = await readFile(file);
        expect(head.toString('latin1', 0, 4) + head.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
      }
    });

    it('ends with the channel', async () => {
      const on = await connected();
      const { a } = await talking(on, '340', '370');
      const handle = await on.record(a.name, join(folder, 'three.wav'));
      await phone('340').hangup();
      await until('the channel is gone', () =>
        on.stopRecording(a.name, handle).then(
          () => false,
          (error) => error.code === 'no-such-channel',
        ),
      );
    });

    it('refuses what is no channel and no file', async () => {
      const on = await connected();
      const gone = { code: 'no-such-channel' };
      const none = '' as RecordingHandle;
      await expect(on.record(nowhere, '/tmp/x.wav')).rejects.toMatchObject(gone);
      await expect(on.stopRecording(nowhere, none)).rejects.toMatchObject(gone);
      await expect(on.muteRecording(nowhere, none, true)).rejects.toMatchObject(gone);
      for (const bad of ['x.wav', '/a/../x.wav', '/tmp/x.wav,b,rm', '/tmp/x y.wav']) {
        await expect(on.record(nowhere, bad)).rejects.toMatchObject({ code: 'invalid-target' });
      }
      await expect(on.stopRecording(nowhere, 'a\r\nb' as RecordingHandle)).rejects.toMatchObject({
        code: 'invalid-target',
      });
    });
  });
}
