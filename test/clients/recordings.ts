/** A standard client fetches a recording: the sound arrives as it lies in the file. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOffice, people, serverOptions } from '../legacy/office.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { slixmpp } from './slixmpp.ts';

const id = '20261126T101500-00112233445566ff';
const file = `${id}-1.wav`;
const at = Date.parse('2026-11-26T10:15:00Z');

/** Tells the stories. `upload`: the JID of the server's upload service, where it has one. */
export function recordingStories(
  name: string,
  start: (options: XmppOptions) => Promise<{ readonly server: XmppServer; readonly upload?: string }>,
): void {
  describe(`a recording on ${name}`, () => {
    let server: XmppServer;
    let upload: string | undefined;
    let dir: string;
    // Some 40 blocks, the last one short.
    const sound = randomBytes(160_001);
    beforeAll(async () => {
      ({ server, upload } = await start(serverOptions));
      dir = await mkdtemp(join(tmpdir(), 'offhook-sent-'));
      const section = {
        file,
        ruleId: 'own',
        identity: 'tweber',
        anchor: '1',
        handle: '',
        paused: false,
        from: at,
        to: at + 1,
      };
      const record = { id, at, legs: [], sections: [{ ...section, heard: [`tweber@${server.domain}`] }] };
      await writeFile(join(dir, `${id}.json`), JSON.stringify(record));
      await writeFile(join(dir, file), sound);
    });
    afterAll(async () => {
      await server?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    const init = (more = '') =>
      `<cmd xmlns='http://www.pascom.net/mobydick' module='monitor'><InitTransfer recordId='${id}' ruleId='own' file='${file}' format='wav' description='With Max' ${more}/></cmd>`;
    const open = () =>
      openOffice(
        server,
        { RECORDINGS_DIR: dir, RECORDINGS_UPLOAD: upload ?? '', RECORDINGS_KEEP_DAYS: '0' },
        'rules: { recording: { rules: [{ name: own, permission: allow }] } }\n',
      );

    test('arrives in a stream, whole or from where it broke off', async () => {
      await open();
      const anna = await slixmpp(server, people.tweber);
      await anna.takeFiles();
      expect(await anna.set(server.component.jid, init())).toContain('Success');
      const [whole] = await until('the file is there', () => anna.files.length === 1 && anna.files);
      expect(whole).toMatchObject({ name: file, size: sound.length, desc: 'With Max' });
      expect(whole?.data.equals(sound)).toBe(true);
      await anna.takeFiles(100_000);
      expect(await anna.set(server.component.jid, init("method='stream'"))).toContain('Success');
      await until('the rest is there', () => anna.files.length === 2);
      expect(anna.files[1]?.data.equals(sound.subarray(100_000))).toBe(true);
    });

    test('is nobody else’s', async () => {
      await open();
      const max = await slixmpp(server, people.mmeyer);
      expect(await max.set(server.component.jid, init())).toContain('no-such-record');
    });

    test('arrives as a link where a client takes no streams, or there is none', async () => {
      await open();
      const anna = await slixmpp(server, people.tweber);
      if (upload === undefined) {
        expect(await anna.set(server.component.jid, init("method='link'"))).toContain('not-supported');
        return;
      }
      expect(await anna.set(server.component.jid, init())).toContain('Success');
      const [link] = await until('the link is there', () => anna.links.length === 1 && anna.links);
      const answer = await fetch(String(link));
      expect(answer.headers.get('content-type')).toContain('audio/wav');
      expect(Buffer.from(await answer.arrayBuffer()).equals(sound)).toBe(true);
    });
  });
}
