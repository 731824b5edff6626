import { describe, expect, test } from 'vitest';
import type { Calls } from '../../src/calls/calls.ts';
import { createInvariants } from '../../src/calls/invariants.ts';
import { replay } from '../../src/replay/replay.ts';
import { officeCalls } from './office.ts';
import { recordings } from './recordings.ts';
import { createTranscript } from './transcript.ts';

/** Who disagrees about whom they talk to. Whoever is on hold waits for somebody who may talk to another meanwhile. */
function disagreements(calls: Calls): string[] {
  return calls.channels().flatMap((view) => {
    if (view.state !== 'busy' || view.service !== '' || view.remoteHeld || view.refChannel === '') return [];
    const other = calls.channel(view.refChannel);
    if (other === undefined || other.refChannel === view.channel) return [];
    return [`${view.channel} talks to ${other.channel}, but that to ${other.refChannel}`];
  });
}

describe.each(recordings)('$name: $title', ({ name, bytes, sidecar, events }) => {
  const calls = officeCalls();
  const transcript = createTranscript();
  const invariants = createInvariants();
  const broken: string[] = [];
  const begun: string[] = [];
  const ended: string[] = [];
  replay(bytes, sidecar, calls, (_t, change) => {
    transcript.add(change);
    broken.push(...invariants.check(change));
    if (change.kind !== 'channel') return;
    const { channel } = change.view;
    if (!begun.includes(channel)) begun.push(channel);
    if (change.type === 'hangup') ended.push(channel);
  });

  test('every user hears what happened', async () => {
    await expect(transcript.text()).toMatchFileSnapshot(`./expected/${name}.txt`);
  });

  test('no invariant is broken, and nothing is left', () => {
    expect(broken).toEqual([]);
    expect(invariants.open()).toEqual([]);
    expect(calls.channels()).toEqual([]);
  });

  test('both parties of a call agree about each other whenever nothing moves', () => {
    const model = officeCalls();
    let last = 0;
    const wrong: string[] = [];
    for (const event of events()) {
      if (event.at - last > 100) wrong.push(...disagreements(model));
      last = event.at;
      model.apply(event);
    }
    expect(wrong).toEqual([]);
  });

  // One recording was made without looking at the telephones.
  if (sidecar.phones === undefined) return;
  const phones = sidecar.phones.filter(([t, text]) => t > 0 && /^3\d0 call /.test(text));

  test('the telephones saw the same calls begin and end', () => {
    // What a telephone did that is no call of its user's: an extension that does not exist makes no channel; a spy is told of to nobody.
    const untold = new Set(['04d_no_such_extension 340 call 999', '22_chanspy 320 call 555']);
    const wanted = phones.filter(([, text]) => !untold.has(`${name} ${text.split(' -> ')[0]}`));
    for (const user of ['340', '370', '320', '330', '310']) {
      const of = (pattern: RegExp) =>
        wanted.filter(([, text]) => text.startsWith(`${user} `) && pattern.test(text)).length;
      const count = (channels: readonly string[]) =>
        channels.filter((channel) => channel.startsWith(`PJSIP/${user}-`)).length;
      // Calls that were up before the recording began have no start in it.
      if (name !== '26_connect_mid_call')
        expect([user, count(begun)]).toEqual([user, of(/-> (calling|incoming)$/)]);
      expect([user, count(ended)]).toEqual([user, of(/-> ended$/)]);
    }
  });
});
