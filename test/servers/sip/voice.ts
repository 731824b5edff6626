/** The voice of a phone: a tone of its own in each of its calls (RTP, RFC 3550), by which a recording shows who is heard in it. */
import { createSocket } from 'node:dgram';
import type { Address } from './transport.ts';

/** Length of a packet in ms and in samples. */
const [packetMs, packetSamples] = [20, 160];
/** A tone is heard from so much of 32,767 on. */
const loudEnough = 1500;
/** A-law (RFC 3551 §6). */
const payloadType = 8;

/** Speaks and listens until {@link Voice.close}. */
export interface Voice {
  /** For how long the phone heard a tone, seconds, of what it heard last. */
  heard(hertz: number): number;
  close(): Promise<void>;
}

/** What is remembered of what was heard: half a minute. */
const rememberedPackets = 1500;

/** Begins to send the tone of `hertz` from `local` to wherever `targets` says, fifty packets a second each. */
export function openVoice(local: Address, hertz: number, targets: () => readonly Address[]): Voice {
  const socket = createSocket('udp4').bind(local.port, local.host);
  // Whoever hung up meanwhile does not listen any more.
  socket.on('error', () => {});
  const heard: Int16Array[] = [];
  socket.on('message', (packet) => {
    if ((packet[1] ?? 0) % 128 !== payloadType) return;
    heard.push(Int16Array.from(packet.subarray(12), linear));
    if (heard.length > rememberedPackets) heard.shift();
  });
  const begun = performance.now();
  let packets = 0;
  const timer = setInterval(() => {
    // On a busy machine the timer is late: what is due is sent.
    for (; packets * packetMs <= performance.now() - begun; packets += 1) {
      const packet = packetOf(packets, hertz);
      for (const { host, port } of targets()) socket.send(packet, port, host);
    }
  }, packetMs);
  return {
    heard: (hertz) => heardFor(Int16Array.from(heard.flatMap((each) => [...each])), 8000, hertz),
    async close() {
      clearInterval(timer);
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/** RFC 3550 §5.1: version 2, payload type 8 (A-law); one source for all calls, since each has a port of its own at the other side. */
function packetOf(number: number, hertz: number): Buffer {
  const packet = Buffer.alloc(12 + packetSamples);
  packet[0] = 0x80;
  packet[1] = payloadType;
  packet.writeUInt16BE(number % 0x1_0000, 2);
  packet.writeUInt32BE((number * packetSamples) % 0x1_0000_0000, 4);
  packet.writeUInt32BE(hertz, 8);
  for (let each = 0; each < packetSamples; each += 1) {
    const at = (number * packetSamples + each) / 8000;
    packet[12 + each] = alaw(Math.round(8000 * Math.sin(2 * Math.PI * hertz * at)));
  }
  return packet;
}

/** A sample of 16 bits in A-law (G.711): sign, three bits of the segment, four of the place in it; every other bit inverted. */
function alaw(sample: number): number {
  const size = Math.min(Math.abs(sample), 32_635) >> 4;
  const segment = size < 32 ? 0 : 27 - Math.clz32(size);
  const place = (size >> Math.max(segment, 1)) & 0x0f;
  return (((sample >= 0 ? 0x80 : 0) | (segment << 4) | place) ^ 0x55) & 0xff;
}

/** And back, in the middle of its step. */
function linear(code: number): number {
  const bits = code ^ 0x55;
  const [segment, place] = [(bits >> 4) & 0x07, bits & 0x0f];
  const size = segment === 0 ? (place << 4) + 8 : ((place << 4) + 0x108) << (segment - 1);
  return bits & 0x80 ? size : -size;
}

/** For how long a tone is in the sound, seconds: looked for in pieces of 50 ms. */
export function heardFor(samples: Int16Array, rate: number, hertz: number): number {
  const size = rate / 20;
  let heard = 0;
  for (let at = 0; at + size <= samples.length; at += size) {
    let [re, im] = [0, 0];
    for (let each = 0; each < size; each += 1) {
      const turn = (2 * Math.PI * hertz * each) / rate;
      const sample = samples[at + each] ?? 0;
      re += sample * Math.cos(turn);
      im += sample * Math.sin(turn);
    }
    if ((2 * Math.hypot(re, im)) / size > loudEnough) heard += 1 / 20;
  }
  return heard;
}
