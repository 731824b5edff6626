import { closeSync, openSync, writeSync } from 'node:fs';
import { type Channel, channelEvent } from '../pbx/channel.ts';
import type { Pbx } from '../pbx/pbx.ts';
import { channelNamed } from './calls.ts';
import type { Action } from './define.ts';

/** A file that is being written: sound comes as long as the recording runs. */
interface Recording {
  readonly channel: Channel;
  readonly id: string;
  readonly since: number;
  readonly file: number | undefined;
}

/** 8000 samples a second of two bytes, one track (format_wav.c). */
const bytesPerSecond = 16_000;

const running = new WeakMap<Pbx, Recording[]>();

/** Actions of app_mixmonitor. */
export const recordingActions: readonly Action[] = [
  {
    name: 'MixMonitor',
    synopsis: 'Record a call and mix the audio during the recording.',
    privilege: ['system'],
    run({ pbx, header, ok, error }) {
      const channel = channelNamed(pbx, header('Channel'))[0];
      if (header('Channel') === '') error('No channel specified');
      else if (channel === undefined) error('No such channel');
      else {
        const id = `0x${pbx.serial().toString(16)}`;
        const recording = { channel, id, since: Date.now(), file: create(pbx, header('File')) };
        running.set(pbx, [...recordingsOf(pbx), recording]);
        const before = channel.onGone;
        channel.onGone = () => {
          before?.();
          end(pbx, recording);
        };
        channelEvent(pbx, 'MixMonitorStart', channel);
        const variable = /i\((\w+)\)/.exec(header('Options'))?.[1];
        if (variable !== undefined) channel.variables.set(variable, id);
        ok(undefined, variable === undefined ? [] : [['MixMonitorID', id]]);
      }
    },
  },
  {
    name: 'StopMixMonitor',
    synopsis: 'Stop recording a call through MixMonitor, and free the recording’s file handle.',
    privilege: ['system', 'call'],
    run({ pbx, header, ok, error }) {
      const found = findRecording(pbx, header('Channel'), header('MixMonitorID'));
      if (channelNamed(pbx, header('Channel')).length === 0) error('No such channel');
      else if (found === undefined) error('Could not stop monitoring channel');
      else {
        end(pbx, found);
        channelEvent(pbx, 'MixMonitorStop', found.channel);
        ok(undefined);
      }
    },
  },
  {
    name: 'MixMonitorMute',
    synopsis: 'Mute / unMute a Mixmonitor recording.',
    privilege: ['system', 'call'],
    run({ pbx, header, ok, error }) {
      const channel = channelNamed(pbx, header('Channel'))[0];
      const state = header('State');
      if (channel === undefined) error('No such channel');
      else if (findRecording(pbx, channel.name, header('MixMonitorID')) === undefined)
        error('Cannot set mute flag');
      else {
        const direction = header('Direction');
        channelEvent(pbx, 'MixMonitorMute', channel, `Direction: ${direction}\r\nState: ${state}\r\n`);
        ok(undefined);
      }
    },
  },
];

function recordingsOf(pbx: Pbx): readonly Recording[] {
  return running.get(pbx) ?? [];
}

function findRecording(pbx: Pbx, channel: string, id: string): Recording | undefined {
  return recordingsOf(pbx).find((each) => each.channel.name === channel && (id === '' || each.id === id));
}

/** Opens the file; where that fails, the log alone says so, as Asterisk has it. */
function create(pbx: Pbx, path: string): number | undefined {
  try {
    const file = openSync(path, 'w');
    writeSync(file, header(0));
    return file;
  } catch (error) {
    pbx.log(`Cannot open ${path}: ${String(error)}`);
    return undefined;
  }
}

function end(pbx: Pbx, recording: Recording): void {
  if (!recordingsOf(pbx).includes(recording)) return;
  running.set(
    pbx,
    recordingsOf(pbx).filter((each) => each !== recording),
  );
  const { file } = recording;
  if (file === undefined) return;
  const samples = Math.ceil(((Date.now() - recording.since) / 1000) * (bytesPerSecond / 2));
  writeSync(file, Buffer.alloc(samples * 2));
  writeSync(file, header(samples * 2), 0, 44, 0);
  closeSync(file);
}

/** The head of a WAV file with so many bytes of sound. */
function header(bytes: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(bytesPerSecond, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  return head;
}
