import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StanzaError } from '../src/errors.ts';
import { type FullJid, parseJid } from '../src/protocol/jid.ts';
import { textOf, type XmlElement, xml } from '../src/protocol/xml.ts';
import { createTransfer, type Outgoing, type TransferLimits } from '../src/transfer/transfer.ts';
import type { IqHandler } from '../src/xmpp/xmpp.ts';
import { idleXmpp } from './idle.ts';
import { until } from './servers/until.ts';

const anna = 'tweber@example.org/desk' as FullJid;
const features = ['http://jabber.org/protocol/si/profile/file-transfer', 'http://jabber.org/protocol/ibb'];
const sound = randomBytes(20_001);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offhook-transfer-'));
  await writeFile(join(folder, 'a.wav'), sound);
});
afterEach(() => rm(folder, { recursive: true }));

async function file(): Promise<Outgoing> {
  const handle = await open(join(folder, 'a.wav'));
  return { handle, size: sound.length, name: 'a.wav', type: 'audio/wav', description: '', date: 0 };
}

/** A client that is asked: `answers` say what it does with each kind of request, by the element's name. */
function client(
  answers: Partial<Record<string, (payload: XmlElement) => XmlElement | undefined | Promise<never>>> = {},
  options: {
    limits?: Partial<TransferLimits>;
    upload?: string;
    hasRoom?: () => boolean;
    isAway?: boolean;
  } = {},
) {
  const asked: string[] = [];
  const blocks: Buffer[] = [];
  const sent: string[] = [];
  const logged: string[] = [];
  let close: IqHandler | undefined;
  const usual: typeof answers = {
    query: () =>
      xml(
        'query',
        {},
        features.map((each) => xml('feature', { var: each })),
      ),
    si: () => acceptance({}),
    data(payload) {
      blocks.push(Buffer.from(textOf(payload), 'base64'));
      return undefined;
    },
  };
  const xmpp = idleXmpp({
    onIq: (_ns, handler) => {
      close = handler;
    },
    send: (stanza) => sent.push(String(stanza)) > 0 && options.isAway !== true,
    async request(to, _type, payload) {
      asked.push(`${payload.name} ${to}`);
      const answer = await (answers[payload.name] ?? usual[payload.name])?.(payload);
      return xml('iq', { type: 'result' }, answer === undefined ? [] : [answer]);
    },
  });
  Object.defineProperty(xmpp, 'hasRoom', { get: () => options.hasRoom?.() ?? true });
  const transfer = createTransfer({
    xmpp,
    uploadService: options.upload,
    log: pino({ level: 'info' }, { write: (line) => void logged.push(line) }),
    limits: { bytesPerSecond: 1e9, ...options.limits },
  });
  const over = () => until('it is over', () => transfer.running === 0);
  return { transfer, asked, blocks, sent, logged, over, close: () => close };
}

function acceptance(range: Record<string, string>): XmlElement {
  const field = xml('field', { var: 'stream-method' }, [xml('value', {}, [features[1] ?? ''])]);
  return xml('si', {}, [
    xml('file', {}, [xml('range', range)]),
    xml('feature', {}, [xml('x', { type: 'submit' }, [field])]),
  ]);
}
const names = (asked: readonly string[]) => asked.map((each) => each.split(' ')[0]);

describe('a stream', () => {
  it('is offered, opened, sent block by block and closed', async () => {
    const { transfer, asked, blocks, over, logged } = client();
    await transfer.send(anna, await file());
    await over();
    expect(names(asked)).toEqual(['query', 'si', 'open', ...Array(5).fill('data'), 'close']);
    expect(Buffer.concat(blocks).equals(sound)).toBe(true);
    expect(Math.max(...blocks.map((each) => each.length))).toBe(4096);
    expect(logged.join()).toContain('a file was sent');
  });

  it('leaves no promise alone where the file cannot be closed', async () => {
    const { transfer, over, logged } = client();
    const sent = await file();
    const close = sent.handle.close.bind(sent.handle);
    sent.handle.close = async () => {
      await close();
      throw new Error('EIO');
    };
    await transfer.send(anna, sent);
    await over();
    await until('the operator is told', () => logged.join().includes('EIO'));
  });

  it('sends the part that the client wants', async () => {
    for (const [range, from, to] of [
      [{ offset: '20000' }, 20_000, 20_001],
      [{ offset: '5', length: '7' }, 5, 12],
      [{ length: '0' }, 0, 0],
    ] as const) {
      const { transfer, blocks, over } = client({ si: () => acceptance(range) });
      await transfer.send(anna, await file());
      await over();
      expect(Buffer.concat(blocks).equals(sound.subarray(from, to))).toBe(true);
    }
    for (const range of [
      { offset: '20002' },
      { offset: '1', length: '20001' },
      { offset: '-1' },
      { length: 'x' },
    ]) {
      const { transfer, asked, over, logged } = client({
        si: () => acceptance(range as Record<string, string>),
      });
      await transfer.send(anna, await file());
      await over();
      expect(names(asked)).not.toContain('open');
      expect(logged.join()).toContain('a file was not sent');
    }
  });

  it('takes smaller blocks where the client wants them', async () => {
    const { transfer, blocks, over } = client({
      open(payload) {
        if (Number(payload.attrs.get('block-size')) <= 1024) return undefined;
        throw new StanzaError('resource-constraint', 'smaller, please');
      },
    });
    await transfer.send(anna, await file());
    await over();
    expect(Math.max(...blocks.map((each) => each.length))).toBe(1024);
    expect(Buffer.concat(blocks).equals(sound)).toBe(true);
  });

  it('ends where the client declines, fails or closes it, and tells the client', async () => {
    const declined = client({ si: () => Promise.reject(new StanzaError('forbidden', 'Offer declined')) });
    await declined.transfer.send(anna, await file());
    await declined.over();
    expect(names(declined.asked)).toEqual(['query', 'si']);

    const failing = client({ data: () => Promise.reject(new StanzaError('unexpected-request', 'no')) });
    await failing.transfer.send(anna, await file());
    await failing.over();
    expect(names(failing.asked)).toEqual(['query', 'si', 'open', 'data', 'close']);

    let sid = '';
    const closing = client({
      open(payload) {
        sid = payload.attrs.get('sid') ?? '';
        return undefined;
      },
      data() {
        const [from, to] = [parseJid(anna), parseJid('pbx.example.org')];
        if (from === undefined || to === undefined) throw new Error('no JID');
        const request = { type: 'set', id: '1', from, to } as const;
        const payload = (id: string) => xml('close', { sid: id });
        expect(closing.close()?.({ ...request, payload: payload('another') })).toHaveProperty('error');
        expect(closing.close()?.({ ...request, payload: payload(sid) })).toEqual({ result: undefined });
        return undefined;
      },
    });
    await closing.transfer.send(anna, await file());
    await closing.over();
    expect(names(closing.asked)).toEqual(['query', 'si', 'open', 'data']);
  });

  it('waits while events have no room, and no longer than it must', async () => {
    let room = false;
    const waiting = client({}, { hasRoom: () => room });
    await waiting.transfer.send(anna, await file());
    await until('it is open', () => names(waiting.asked).includes('open'));
    expect(names(waiting.asked)).not.toContain('data');
    room = true;
    await waiting.over();
    expect(Buffer.concat(waiting.blocks).equals(sound)).toBe(true);

    const never = client({}, { hasRoom: () => false, limits: { patienceMs: 100 } });
    await never.transfer.send(anna, await file());
    await never.over();
    expect(never.blocks).toEqual([]);
    expect(never.logged.join()).toContain('does not keep up');
  });

  it('is limited in number, and ends with the bridge', async () => {
    const { transfer, over } = client(
      { data: () => new Promise<never>(() => {}) },
      { limits: { perUser: 2, bytesPerSecond: 1 } },
    );
    await transfer.send(anna, await file());
    await transfer.send(anna, await file());
    const third = await file();
    await expect(transfer.send(anna, third)).rejects.toMatchObject({ code: 'rejected' });
    await expect(third.handle.stat()).rejects.toThrow();
    expect(transfer.running).toBe(2);
    transfer.stop();
    await over();
  });
});

describe('a link', () => {
  /** An upload service on this machine; `status` is what it answers. */
  async function service(status = 201) {
    const got: { request: IncomingMessage; body: Buffer }[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      got.push({ request, body: Buffer.concat(chunks) });
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x/a.wav`;
    return { got, url, stop: () => server.close() };
  }
  const slot =
    (put: string, get = put) =>
    () =>
      xml('slot', {}, [
        xml('put', { url: put }, [
          xml('header', { name: 'Authorization' }, ['Bearer\r\n x']),
          xml('header', { name: 'Host' }, ['evil.example']),
        ]),
        xml('get', { url: get }),
      ]);
  const silent = { query: () => xml('query') };

  it('is sent when the file has been uploaded, to clients that take no streams', async () => {
    const { got, url, stop } = await service();
    const { transfer, asked, sent, over } = client(
      { ...silent, request: slot(url) },
      { upload: 'up.example.org' },
    );
    await transfer.send(anna, await file());
    await over();
    stop();
    expect(asked).toEqual([`query ${anna}`, 'request up.example.org']);
    expect(
      createHash('sha256')
        .update(got[0]?.body ?? '')
        .digest('hex'),
    ).toBe(createHash('sha256').update(sound).digest('hex'));
    const { headers, method } = got[0]?.request ?? {};
    expect([method, headers?.['content-length'], headers?.authorization]).toEqual([
      'PUT',
      '20001',
      'Bearer x',
    ]);
    expect(headers?.host).toMatch(/^127/);
    expect(sent[0]).toContain(`<body>${url}</body>`);
    expect(sent[0]).toContain(`to='${anna}'`);
    expect(sent[0]).toMatch(/<x xmlns='jabber:x:oob'><url>/);
  });

  it('is not sent where the upload fails, and the client that waits for it is told', async () => {
    const { url, stop } = await service(403);
    const { transfer, sent, over, logged } = client(
      { ...silent, request: slot(url) },
      { upload: 'up.example.org' },
    );
    await transfer.send(anna, await file());
    await over();
    stop();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatch(/^<message [^>]*to='tweber@example.org\/desk'.*<body>a\.wav could not be sent/);
    expect(sent[0]).not.toMatch(/jabber:x:oob|403|127\.0/);
    expect(logged.join()).toContain('403');
  });

  it('says why the upload failed, also where nobody can be told', async () => {
    const { url, stop } = await service(403);
    const { transfer, over, logged } = client(
      { ...silent, request: slot(url) },
      { upload: 'up.example.org', isAway: true },
    );
    await transfer.send(anna, await file());
    await over();
    stop();
    expect(logged.join()).toContain('403');
  });

  it('is refused with the service’s words, and where it would not be safe', async () => {
    const refused = client(
      { ...silent, request: () => Promise.reject(new StanzaError('not-acceptable', 'File too large')) },
      { upload: 'up.example.org' },
    );
    await expect(refused.transfer.send(anna, await file())).rejects.toMatchObject({
      code: 'not-available',
      message: expect.stringContaining('File too large'),
    });
    for (const address of ['http://example.org/x', 'ftp://127.0.0.1/x', 'nonsense']) {
      const { transfer } = client({ ...silent, request: slot(address) }, { upload: 'up.example.org' });
      await expect(transfer.send(anna, await file())).rejects.toMatchObject({ code: 'not-available' });
    }
    const none = client(silent);
    await expect(none.transfer.send(anna, await file(), 'link')).rejects.toMatchObject({
      code: 'not-supported',
    });
  });

  it('is not what clients get that take streams, nor those that say nothing where there is none', async () => {
    const { transfer, asked, over } = client({}, { upload: 'up.example.org' });
    await transfer.send(anna, await file());
    await over();
    expect(names(asked)).toContain('si');
    const mute = client({ query: () => Promise.reject(new StanzaError('service-unavailable', '')) });
    await mute.transfer.send(anna, await file());
    await mute.over();
    expect(names(mute.asked)).toContain('si');
  });
});
