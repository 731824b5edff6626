/** Calls to what is no telephone: parking, conference, listening in, voicemail, announcements. */

import { expect } from 'vitest';
import { until } from '../../servers/index.ts';
import type { Stage, Story } from '../stage.ts';

/** The parking lot. */
export function parking(story: Story): void {
  story('parked by the called one, fetched by a third', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.transfer('700');
    await called.until('ended');
    const space = await parkedAt(stage);
    const taker = await stage.phone('320').dial(space);
    await taker.until('connected');
    await stage.told('340', 'rename -> 320');
    expect(caller.state).toBe('connected');
    await stage.over();
    expect(stage.lab.client('340').told).toEqual([
      'ringing -> 370',
      'busy -> 370',
      'transfer blind -> 370',
      'rename -> 320',
      'hangup normal -> 320',
    ]);
    expect(stage.lab.client('320').told.at(-1)).toBe('hangup normal -> 340');
  });

  story('parked, and nobody fetches it: it rings back', async (stage) => {
    const [, called] = await stage.talk('340', '370');
    await stage.lab.act('Park', {
      Channel: (await stage.lab.channels('340'))[0] ?? '',
      TimeoutChannel: (await stage.lab.channels('370'))[0] ?? '',
      Timeout: '1500',
    });
    await parkedAt(stage);
    await called.hangup();
    const back = await stage.phone('370').ringing();
    await stage.told('370', 'ringing <- 340');
    await back.answer();
    await stage.agree('370');
    await stage.agree('340');
    await stage.over();
    expect(stage.lab.client('370').told).toEqual([
      'ringing <- 340',
      'busy <- 340',
      'hangup normal <- 340',
      'ringing <- 340',
      'busy <- 340',
      'hangup normal <- 340',
    ]);
  });

  story('parked, and the caller gives up', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.transfer('700');
    await called.until('ended');
    await parkedAt(stage);
    await caller.hangup();
    await stage.over();
    expect(stage.lab.client('340').told.at(-1)).toMatch(/^hangup normal/);
  });
}

/** What answers by itself. */
export function services(story: Story): void {
  for (const [what, number, token] of [
    ['the echo', '600', 'echo'],
    ['music', '601', 'music'],
    ['one’s voicemail', '*100', 'mailbox'],
    ['the conference', '800', 'conference'],
  ] as const) {
    story(`a call to ${what}`, async (stage) => {
      const caller = await stage.phone('340').dial(number);
      await caller.until('connected');
      await stage.told('340', `busy ${token} -> ${number}`);
      await stage.agree('340');
      await stage.wasTold({ 340: [`busy ${token} -> ${number}`, `hangup normal -> ${number}`] });
    });
  }

  story('three in a conference: each is in a call with the room', async (stage) => {
    for (const extension of ['340', '370', '320']) {
      await (await stage.phone(extension).dial('800')).until('connected');
      await stage.told(extension, 'busy conference -> 800');
    }
    const first = stage.phone('340').calls.at(-1);
    await first?.hangup();
    await stage.wasTold({
      340: ['busy conference -> 800', 'hangup normal -> 800'],
      370: ['busy conference -> 800', 'hangup normal -> 800'],
      320: ['busy conference -> 800', 'hangup normal -> 800'],
    });
  });

  story('somebody listens in: nobody is told, and the call is the same', async (stage) => {
    await stage.talk('340', '370');
    const spy = await stage.phone('320').dial('555');
    await spy.until('connected');
    await until('it listens', async () => /ChanSpy/.test(await stage.lab.asterisk.cli('core show channels')));
    await stage.lab.caughtUp();
    await stage.agree('340', '370');
    await spy.hangup();
    await stage.wasTold({
      340: ['ringing -> 370', 'busy -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
    });
  });

  story('busy, congested', async (stage) => {
    for (const number of ['604', '605']) await (await stage.phone('340').dial(number)).until('ended');
    await stage.over();
    expect(stage.lab.client('340').told.filter((line) => line.startsWith('hangup'))).toEqual([
      'hangup busy -> 604',
      'hangup failed -> 605',
    ]);
  });

  story('nobody answers, and the voicemail does', async (stage) => {
    const caller = await stage.phone('340').dial('9370');
    await stage.phone('370').ringing();
    await caller.until('connected');
    await stage.told('340', 'busy mailbox -> 370');
    await stage.wasTold({
      340: ['ringing -> 370', 'busy mailbox -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 340', 'hangup noanswer <- 340'],
    });
  });
}

async function parkedAt(stage: Stage): Promise<string> {
  return until('a call is parked', async () => /\b(7[01]\d)\b/.exec(await parkedCalls(stage))?.[1]);
}

async function parkedCalls(stage: Stage): Promise<string> {
  const shown = await stage.lab.asterisk.cli('parking show default');
  return shown.slice(shown.indexOf('Parked Calls'));
}
