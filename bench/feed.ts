/**
 * The feed reader against asterisk-manager and against a reader that only counts bytes: CPU time for a recorded load
 * (600 calls through Local channels, every event class) over a socket, medians of alternating rounds.
 */
import { once } from 'node:events';
import createManager from 'asterisk-manager';
import { createFramer } from '../src/pbx/framing.ts';
import { openSocket } from '../src/pbx/socket.ts';
import { createTranslate, translatedEvents } from '../src/pbx/translate.ts';
import { wantedEvents } from '../src/pbx/wanted.ts';
import { median, neighbor } from './measure.ts';
import { report, row } from './report.ts';

const load = 'test/pbx/recorded/load.ami.gz';
const eventsPerLoad = 48_003;
const times = 2;
const rounds = 5;

/** Reads until the end; resolves with the events it would act on. */
type Reader = (port: number) => Promise<number>;

const read = async (port: number, onBytes: (bytes: Buffer) => void) => {
  const socket = await openSocket({ host: '127.0.0.1', port, connectTimeoutMs: 5000 }, onBytes);
  await once(socket, 'close');
};

const readers: Record<string, Reader> = {
  'asterisk-manager': async (port) => {
    const wanted = new Set(translatedEvents);
    let seen = 0;
    const manager = createManager(null, '', '', '', false);
    manager.on('managerevent', ({ event }) => {
      if (typeof event === 'string' && wanted.has(event)) seen++;
    });
    manager.connect(port, '127.0.0.1');
    await new Promise<void>((resolve) => manager.on('close', resolve));
    // It hands its events on a tick later.
    await new Promise((resolve) => setImmediate(resolve));
    return seen;
  },
  'feed reader': async (port) => {
    let seen = 0;
    const framer = createFramer({
      wanted: wantedEvents(translatedEvents),
      onMessage: ({ event }) => event !== '' && seen++,
    });
    await read(port, framer.push);
    return seen;
  },
  'feed reader, translated': async (port) => {
    const translate = createTranslate({ now: () => 0 });
    let seen = 0;
    const framer = createFramer({
      wanted: wantedEvents(translatedEvents),
      onMessage: (message) => {
        if (message.event !== '' && (translate(message) ?? message) !== undefined) seen++;
      },
    });
    await read(port, framer.push);
    return seen;
  },
  'counting bytes': async (port) => {
    let bytes = 0;
    await read(port, (piece) => {
      bytes += piece.length;
    });
    return bytes;
  },
};

const { port, stop } = await neighbor('./source.js', [`${times}`, load]);
const seconds = new Map(Object.keys(readers).map((name) => [name, [] as number[]]));
const seen = new Map<string, number>();
for (let round = -1; round < rounds; round++) {
  for (const [name, reader] of Object.entries(readers)) {
    const before = process.cpuUsage();
    seen.set(name, await reader(port));
    const { user, system } = process.cpuUsage(before);
    // The first round warms up.
    if (round >= 0) seconds.get(name)?.push((user + system) / 1e6);
  }
}
stop();

const counts = new Set(
  ['asterisk-manager', 'feed reader', 'feed reader, translated'].map((name) => seen.get(name)),
);
if (counts.size !== 1) throw new Error(`the readers disagree about the events: ${[...counts].join(', ')}`);
const peer = median(seconds.get('asterisk-manager') ?? []);
for (const [name, values] of seconds) {
  const each = median(values);
  const rate = Math.round((times * eventsPerLoad) / each / 1000);
  report(
    row(`recorded load: ${name}`, `${rate}k events/CPU s`, `${(peer / each).toFixed(1)} × asterisk-manager`),
  );
}
const ratio = peer / median(seconds.get('feed reader') ?? []);
report(row('feed reader to asterisk-manager, as many events', ratio.toFixed(1), '≥ 12'));
