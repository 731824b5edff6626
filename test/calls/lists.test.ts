import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { replay } from '../../src/replay/replay.ts';
import { officeCalls } from './office.ts';
import { createTranscript } from './transcript.ts';

function read(file: string): Buffer {
  return readFileSync(new URL(`./traces/lists/${file}`, import.meta.url));
}

test('a feed with the right to call events alone tells a call as whole as any', () => {
  const transcript = createTranscript();
  replay(read('call_events_mask_call.ami'), undefined, officeCalls(), (_t, change) => transcript.add(change));
  const whole = createTranscript();
  const events = readFileSync(new URL('./traces/01_call_caller_hangs_up.ami', import.meta.url));
  replay(events, undefined, officeCalls(), (_t, change) => whole.add(change));
  expect(transcript.text()).toBe(whole.text());
});

test.each(['CoreShowChannels.ami', 'Status.ami'])(
  'a recording that begins with %s begins with those calls',
  (file) => {
    const calls = officeCalls();
    replay(Buffer.concat([read(file), read('BridgeList.ami')]), undefined, calls, () => undefined);
    expect(
      calls.channels().map(({ device, state, service, other }) => [device, state, service, other.number]),
    ).toEqual([
      ['PJSIP/370', 'busy', '', '340'],
      ['PJSIP/320', 'busy', 'conference', '800'],
      ['PJSIP/340', 'busy', '', '370'],
    ]);
  },
);

test('without the list of bridges a conference is known by its application', () => {
  const calls = officeCalls();
  replay(read('CoreShowChannels.ami'), undefined, calls, () => undefined);
  expect(calls.channels().map(({ state, service }) => `${state} ${service}`)).toContain('busy conference');
});
