/** How much sound is in a WAV file (RIFF), read from its head. */

/** What the head says. */
export interface Sound {
  /** Bytes of one second. */
  readonly byteRate: number;
  /** Where the sound begins. */
  readonly offset: number;
  /** Bytes of sound, as the head has it; 0 where it is not finished. */
  readonly bytes: number;
}

/** So many bytes of a file are enough to find the chunks of a WAV file that Asterisk has written. */
export const headBytes = 4096;

/** Reads the head; undefined where the bytes are not those of a WAV file. */
export function readWav(head: Buffer): Sound | undefined {
  if (head.length < 12 || tag(head, 0) !== 'RIFF' || tag(head, 8) !== 'WAVE') return undefined;
  let byteRate = 0;
  for (let at = 12; at + 8 <= head.length; ) {
    const size = head.readUInt32LE(at + 4);
    const body = at + 8;
    if (tag(head, at) === 'data') return byteRate > 0 ? { byteRate, offset: body, bytes: size } : undefined;
    if (tag(head, at) === 'fmt ' && body + 12 <= head.length) byteRate = head.readUInt32LE(body + 8);
    // Chunks begin at even places.
    at = body + size + (size % 2);
  }
  return undefined;
}

/** Seconds of sound in a file of `size` bytes. While it is being written, the head says less than there is. */
export function secondsOf(sound: Sound, size: number): number {
  const present = Math.max(0, size - sound.offset);
  const bytes = sound.bytes > 0 && sound.bytes <= present ? sound.bytes : present;
  return bytes / sound.byteRate;
}

function tag(head: Buffer, at: number): string {
  return head.toString('latin1', at, at + 4);
}
