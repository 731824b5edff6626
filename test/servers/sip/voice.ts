/** The voice of a phone: a tone of its own in each of its calls (RTP, RFC 3550), by which a recording shows who is heard in it. */
import { createSocket } from 'node:dgram';
import type { Address } from './transport.ts';

/** Length of a packet in ms and in samples. */
const [packetMs, packetSamples] = [20, 160];

/** Speaks until {@link Voice.close}. */
export interface Voice {
  close(): Promise<void>;
}

/** Begins to send the tone of `hertz` from `local` to wherever `targets` says, fifty packets a second each. */
export function openVoice(local: Address, hertz: number, targets: () => readonly Address[]): Voice {
  const socket = createSocket('udp4').bind(local.port, local.host);
  // Whoever hung up meanwhile does not listen any more.
  socket.on('error', () => {});
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
  packet[1] = 8;
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
