/** Two telephones, one call. */

import { expect } from 'vitest';
import type { Story } from '../stage.ts';

/** Calls that are answered, refused, given up; hold. */
export function calls(story: Story): void {
  story('a call; the caller hangs up', async (stage) => {
    const [caller] = await stage.talk('340', '370');
    await caller.hangup();
    await stage.wasTold({
      340: ['ringing -> 370', 'busy -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
    });
    const { pickups } = stage.lab.client('320');
    expect(pickups).toEqual(['ringing 370 <- 340', 'gone 370 <- 340']);
    expect(stage.lab.client('370').pickups).toEqual([]);
  });

  story('a call; the called one hangs up', async (stage) => {
    const [, called] = await stage.talk('340', '370');
    await called.hangup();
    await stage.wasTold({
      340: ['ringing -> 370', 'busy -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
    });
  });

  story('nobody answers', async (stage) => {
    const caller = await stage.phone('340').dial('8370');
    await stage.phone('370').ringing();
    await caller.until('ended');
    await stage.wasTold({
      340: ['ringing -> 370', 'hangup noanswer -> 370'],
      370: ['ringing <- 340', 'hangup noanswer <- 340'],
    });
  });

  story('the called telephone is engaged', async (stage) => {
    stage.phone('370').incoming = 'busy';
    await (await stage.phone('340').dial('370')).until('ended');
    await stage.wasTold({
      340: ['ringing -> 370', 'hangup busy -> 370'],
      370: ['ringing <- 340', 'hangup busy <- 340'],
    });
  });

  story('the called one declines', async (stage) => {
    const caller = await stage.phone('340').dial('370');
    (await stage.phone('370').ringing()).decline(603);
    await caller.until('ended');
    await stage.wasTold({
      340: ['ringing -> 370', 'hangup rejected -> 370'],
      370: ['ringing <- 340', 'hangup rejected <- 340'],
    });
  });

  story('the called telephone is not registered', async (stage) => {
    await stage.phone('370').unregister();
    await (await stage.phone('340').dial('370')).until('ended');
    await stage.phone('370').register();
    await stage.over();
    expect(stage.lab.client('370').told).toEqual([]);
    expect(stage.lab.client('340').told.at(-1)).toBe('hangup unreachable -> 370');
  });

  story('no such extension: the telephone hears 404, there never was a channel', async (stage) => {
    const caller = await stage.phone('340').dial('999');
    await caller.until('ended');
    expect(caller.end).toBe(404);
    await stage.wasTold({});
  });

  story('the caller gives up', async (stage) => {
    const caller = await stage.phone('340').dial('370');
    const called = await stage.phone('370').ringing();
    await stage.agree('340', '370');
    await caller.hangup();
    await called.until('ended');
    await stage.wasTold({
      340: ['ringing -> 370', 'hangup cancelled -> 370'],
      370: ['ringing <- 340', 'hangup cancelled <- 340'],
    });
  });

  story('the caller holds', async (stage) => {
    const [caller] = await stage.talk('340', '370');
    await caller.hold();
    await stage.told('370', 'hold remote <- 340');
    await stage.agree('340', '370');
    await caller.unhold();
    await stage.told('370', 'unhold remote <- 340');
    await stage.agree('340', '370');
    await stage.wasTold({
      340: ['ringing -> 370', 'busy -> 370', 'hold -> 370', 'unhold -> 370', 'hangup normal -> 370'],
      370: [
        'ringing <- 340',
        'busy <- 340',
        'hold remote <- 340',
        'unhold remote <- 340',
        'hangup normal <- 340',
      ],
    });
  });

  story('the called one holds, and hangs up on hold', async (stage) => {
    const [, called] = await stage.talk('340', '370');
    await called.hold();
    await stage.told('340', 'hold remote -> 370');
    await stage.agree('340', '370');
    await called.hangup();
    await stage.wasTold({
      340: ['ringing -> 370', 'busy -> 370', 'hold remote -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 340', 'busy <- 340', 'hold <- 340', 'hangup normal <- 340'],
    });
  });

  story('both hold', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await caller.hold();
    await stage.told('340', 'hold -> 370');
    await called.hold();
    await stage.told('340', 'hold remote -> 370');
    await stage.agree('340', '370');
    await caller.unhold();
    await stage.told('370', 'unhold remote <- 340');
    await called.unhold();
    await stage.told('340', 'unhold remote -> 370');
    await stage.agree('340', '370');
    await stage.wasTold({
      340: [
        'ringing -> 370',
        'busy -> 370',
        'hold -> 370',
        'hold remote -> 370',
        'unhold -> 370',
        'unhold remote -> 370',
        'hangup normal -> 370',
      ],
      370: [
        'ringing <- 340',
        'busy <- 340',
        'hold remote <- 340',
        'hold <- 340',
        'unhold remote <- 340',
        'unhold <- 340',
        'hangup normal <- 340',
      ],
    });
  });

  story('call waiting: a second call, and back to the first', async (stage) => {
    const [first] = await stage.talk('370', '340');
    const second = await stage.phone('320').dial('340');
    const waiting = await stage.phone('340').ringing();
    await stage.agree();
    const atAnna = stage
      .phone('340')
      .calls.find((call) => call.remote.number === '370' && call.state === 'connected');
    await atAnna?.hold();
    await stage.told('370', 'hold remote -> 340');
    await waiting.answer();
    await second.until('connected');
    await stage.agree();
    await waiting.hangup();
    await second.until('ended');
    await atAnna?.unhold();
    await stage.told('370', 'unhold remote -> 340');
    await stage.agree();
    await first.hangup();
    await stage.over();
    expect(stage.lab.client('340').told).toEqual([
      'ringing <- 370',
      'busy <- 370',
      'ringing <- 320',
      'hold <- 370',
      'busy <- 320',
      'hangup normal <- 320',
      'unhold <- 370',
      'hangup normal <- 370',
    ]);
  });

  story('two devices of one user', async (stage) => {
    const soft = await stage.second('340');
    const caller = await stage.phone('370').dial('2340');
    const [desk, other] = [await stage.phone('340').ringing(), await soft.ringing()];
    await stage.agree('340');
    await other.answer();
    await caller.until('connected');
    await desk.until('ended');
    await stage.agree('340', '370');
    await stage.over();
    const hangups = stage.lab.client('340').told.filter((line) => line.startsWith('hangup'));
    expect(hangups).toEqual(['hangup answered-elsewhere <- 370', 'hangup normal <- 370']);
    expect(stage.lab.client('320').pickups).toEqual(['ringing 340 <- 370', 'gone 340 <- 370']);
  });

  story('a group call: who answers has it', async (stage) => {
    const caller = await stage.phone('310').dial('390');
    const called = await stage.phone('370').ringing();
    await stage.phone('340').ringing();
    await stage.phone('320').ringing();
    await stage.told('340', 'ringing <- 310');
    await stage.told('320', 'ringing <- 310');
    await called.answer();
    await caller.until('connected');
    await stage.agree('340', '370', '320');
    await stage.wasTold({
      310: ['ringing -> 390', 'rename -> 370', 'busy -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 310', 'busy <- 310', 'hangup normal <- 310'],
      340: ['ringing <- 310', 'hangup answered-elsewhere <- 310'],
      320: ['ringing <- 310', 'hangup answered-elsewhere <- 310'],
    });
  });
}
