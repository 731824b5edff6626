/** Calls that several may take: pickup and queues. */

import { expect } from 'vitest';
import { until } from '../../servers/index.ts';
import type { Story } from '../stage.ts';

const stranger = { number: '+491701234567', name: 'Jörg Fremd' };

/** Who takes the call that rings at somebody else. */
export function pickups(story: Story): void {
  for (const [how, number] of [
    ['of the group', '*8'],
    ['of an extension', '*8370'],
    ['of a device', '*7370'],
  ] as const) {
    story(`pickup ${how}`, async (stage) => {
      const caller = await stage.phone('340').dial('370');
      const rung = await stage.phone('370').ringing();
      await stage.agree('340', '370');
      const taker = await stage.phone('320').dial(number);
      await taker.until('connected');
      await rung.until('ended');
      await until('340 talks to 320', () => caller.remote.number === '320' && taker.remote.number === '340');
      await stage.agree();
      expect(stage.lab.client('320').pickups).toEqual(['ringing 370 <- 340', 'gone 370 <- 340']);
      await stage.wasTold({
        340: ['ringing -> 370', 'rename -> 320', 'busy -> 320', 'hangup normal -> 320'],
        370: ['ringing <- 340', 'hangup answered-elsewhere <- 340'],
        320: ['busy <- 340', 'hangup normal <- 340'],
      });
    });
  }

  story('nothing to pick up', async (stage) => {
    await (await stage.phone('320').dial('*8')).until('ended');
    await stage.over();
    expect(stage.lab.client('340').told).toEqual([]);
    const { told } = stage.lab.client('320');
    expect(told.filter((line) => !line.startsWith('hangup') && !line.startsWith('ringing'))).toEqual([]);
  });
}

/** Queues: Support rings 340, Sales rings 370 through a Local channel. */
export function queues(story: Story): void {
  story('a queue call from outside; the member hangs up', async (stage) => {
    const caller = await stage.phone('trunk').dial('4930123455', stranger);
    const rung = await stage.phone('340').ringing();
    await stage.told('340', `ringing Support <- ${stranger.number}`);
    await rung.answer();
    await stage.told('340', `busy Support <- ${stranger.number}`);
    await rung.hangup();
    await caller.until('ended');
    await stage.wasTold({
      340: [
        `ringing Support <- ${stranger.number}`,
        `busy Support <- ${stranger.number}`,
        `hangup normal <- ${stranger.number}`,
      ],
    });
  });

  story('a queue call from inside', async (stage) => {
    const caller = await stage.phone('370').dial('500');
    const rung = await stage.phone('340').ringing();
    await stage.told('370', 'busy queue -> 500');
    await rung.answer();
    await stage.told('370', 'rename -> 340');
    await stage.agree('340');
    await caller.hangup();
    await stage.wasTold({
      340: ['ringing Support <- 370', 'busy Support <- 370', 'hangup normal <- 370'],
      370: ['busy queue -> 500', 'rename -> 340', 'hangup normal -> 340'],
    });
  });

  story('a queue whose member is a Local channel', async (stage) => {
    const caller = await stage.phone('340').dial('501');
    const rung = await stage.phone('370').ringing();
    await stage.told('340', 'busy queue -> 501');
    await rung.answer();
    await stage.told('340', 'rename -> 370');
    await stage.agree('370');
    await caller.hangup();
    await stage.wasTold({
      340: ['busy queue -> 501', 'rename -> 370', 'hangup normal -> 370'],
      370: ['ringing Sales <- 340', 'busy Sales <- 340', 'hangup normal <- 340'],
    });
  });

  story('the member declines; the queue rings again', async (stage) => {
    const caller = await stage.phone('trunk').dial('4930123455', stranger);
    (await stage.phone('340').ringing()).decline();
    const again = await stage.phone('340').ringing();
    await again.answer();
    await stage.told('340', `busy Support <- ${stranger.number}`);
    await caller.hangup();
    await stage.wasTold({
      340: [
        `ringing Support <- ${stranger.number}`,
        `hangup rejected <- ${stranger.number}`,
        `ringing Support <- ${stranger.number}`,
        `busy Support <- ${stranger.number}`,
        `hangup normal <- ${stranger.number}`,
      ],
    });
  });

  story('the caller leaves the queue', async (stage) => {
    const caller = await stage.phone('370').dial('500');
    const rung = await stage.phone('340').ringing();
    await stage.told('340', 'ringing Support <- 370');
    await caller.hangup();
    await rung.until('ended');
    await stage.wasTold({
      340: ['ringing Support <- 370', 'hangup cancelled <- 370'],
      370: ['busy queue -> 500', 'hangup normal -> 500'],
    });
  });

  story('the member sends a queue call on', async (stage) => {
    await stage.phone('trunk').dial('4930123455', stranger);
    const rung = await stage.phone('340').ringing();
    await rung.answer();
    await stage.told('340', `busy Support <- ${stranger.number}`);
    await rung.transfer('320');
    await (await stage.phone('320').ringing()).answer();
    await rung.until('ended');
    await stage.agree('320');
    await stage.wasTold({
      340: [
        `ringing Support <- ${stranger.number}`,
        `busy Support <- ${stranger.number}`,
        `transfer blind <- ${stranger.number}`,
        `hangup normal <- ${stranger.number}`,
      ],
      320: [
        `ringing Support <- ${stranger.number} from 340`,
        `busy Support <- ${stranger.number} from 340`,
        `hangup normal <- ${stranger.number} from 340`,
      ],
    });
  });
}
