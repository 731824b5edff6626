/** Recording of calls (app_mixmonitor). */

import { fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { action, checkedChannel } from './action.ts';
import { text } from './control.ts';
import type { ChannelId, Pbx, RecordingHandle } from './pbx.ts';

// The application takes its arguments apart at commas (app_mixmonitor.c manager_mixmonitor); nobody needs more than this.
const filePath = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){1,12}$/;
const handleForm = /^[\w.:-]{1,80}$/;

/** The value if it is an absolute path of plain names. Throws `Failure` `invalid-target`. */
function checkedFile(path: string): string {
  if (filePath.test(path)) return path;
  return fail('invalid-target', 'A recording needs an absolute path of letters, digits and . _ - only.');
}

function named(handle: RecordingHandle): Readonly<Record<string, string>> {
  if (handle === '') return {};
  if (!handleForm.test(handle)) fail('invalid-target', 'That does not name a recording.');
  return { MixMonitorID: handle };
}

/**
 * `b`: nothing is written while the channel is in no bridge, such as between a transfer and the next answer. `i`: the answer then names the
 * recording, so that stopping it stops no other one of the dialplan.
 */
function startAction(channel: ChannelId, file: string) {
  return action('MixMonitor', {
    Channel: checkedChannel(channel),
    File: checkedFile(file),
    Options: 'bi(OFFHOOK_RECORDING)',
  });
}

/** The verbs of recording. */
export function recordingVerbs({
  run,
  ask,
}: Acting): Pick<Pbx, 'record' | 'stopRecording' | 'muteRecording'> {
  return {
    async record(channel, file) {
      const answer = await ask((control) => control.run(startAction(channel, file)));
      const handle = text(answer, 'mixmonitorid');
      return (handleForm.test(handle) ? handle : '') as RecordingHandle;
    },
    stopRecording: async (channel, handle) =>
      run(action('StopMixMonitor', { Channel: checkedChannel(channel), ...named(handle) })),
    muteRecording: async (channel, handle, muted) =>
      run(
        action('MixMonitorMute', {
          Channel: checkedChannel(channel),
          Direction: 'both',
          State: muted ? '1' : '0',
          // COMPAT: Asterisk before 18 does not know it, and silences every recording of the channel.
          ...named(handle),
        }),
      ),
  };
}
