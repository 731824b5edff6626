/** Calls that are handed on: blind and after a talk, by the telephone, by digits, by the manager interface. */

import { expect } from 'vitest';
import { until } from '../../servers/index.ts';
import type { Stage, Story } from '../stage.ts';

const ended = ['ringing -> 370', 'busy -> 370'];

/** Blind transfers. */
export function blindTransfers(story: Story): void {
  story('blind by the called telephone (REFER)', async (stage) => {
    const [, called] = await stage.talk('340', '370');
    expect(await called.transfer('320')).toBe(202);
    const target = await stage.phone('320').ringing();
    await stage.told('320', 'ringing <- 340 from 370');
    await called.until('ended');
    await target.answer();
    await stage.agree();
    await stage.wasTold({
      340: [...ended, 'transfer blind -> 370', 'rename -> 320', 'hangup normal -> 320'],
      370: ['ringing <- 340', 'busy <- 340', 'transfer blind <- 340', 'hangup normal <- 340'],
      320: ['ringing <- 340 from 370', 'busy <- 340 from 370', 'hangup normal <- 340 from 370'],
    });
  });

  story('blind by the calling telephone (REFER)', async (stage) => {
    const [caller] = await stage.talk('340', '370');
    expect(await caller.transfer('320')).toBe(202);
    const target = await stage.phone('320').ringing();
    await stage.told('320', 'ringing <- 370 from 340');
    await target.answer();
    await stage.agree();
    await stage.wasTold({
      340: [...ended, 'transfer blind -> 370', 'hangup normal -> 370'],
      370: [
        'ringing <- 340',
        'busy <- 340',
        'transfer blind <- 340',
        'rename <- 320',
        'hangup normal <- 320',
      ],
      320: ['ringing <- 370 from 340', 'busy <- 370 from 340', 'hangup normal <- 370 from 340'],
    });
  });

  story('blind while on hold', async (stage) => {
    const [, called] = await stage.talk('340', '370');
    await called.hold();
    await stage.told('340', 'hold remote -> 370');
    await called.transfer('320');
    await (await stage.phone('320').ringing()).answer();
    await stage.agree();
    await stage.over();
    expect(stage.lab.client('340').told).toEqual([
      ...ended,
      'hold remote -> 370',
      'unhold remote -> 370',
      'transfer blind -> 370',
      'rename -> 320',
      'hangup normal -> 320',
    ]);
  });

  story('blind by the one who is on hold', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.hold();
    await stage.told('340', 'hold remote -> 370');
    await caller.transfer('320');
    await (await stage.phone('320').ringing()).answer();
    await caller.until('ended');
    await stage.agree('340', '320');
    await called.unhold();
    await stage.agree();
    await stage.over();
  });

  story('blind to a telephone that is engaged', async (stage) => {
    stage.phone('320').incoming = 'busy';
    const [caller, called] = await stage.talk('340', '370');
    await called.transfer('320');
    await caller.until('ended');
    await stage.wasTold({
      340: [...ended, 'transfer blind -> 370', 'rename -> 320', 'hangup busy -> 320'],
      370: ['ringing <- 340', 'busy <- 340', 'transfer blind <- 340', 'hangup normal <- 340'],
      320: ['ringing <- 340 from 370', 'hangup busy <- 340 from 370'],
    });
  });

  story('blind to nowhere: the call goes on', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.transfer('999');
    await stage.lab.caughtUp();
    await stage.agree();
    expect([caller.state, called.state]).toEqual(['connected', 'connected']);
    await stage.wasTold({
      340: [...ended, 'hangup normal -> 370'],
      370: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
    });
  });

  story('blind, and nobody answers', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.transfer('8320');
    await stage.phone('320').ringing();
    await caller.until('ended');
    await stage.wasTold({
      340: [...ended, 'transfer blind -> 370', 'rename -> 320', 'hangup noanswer -> 320'],
      370: ['ringing <- 340', 'busy <- 340', 'transfer blind <- 340', 'hangup normal <- 340'],
      320: ['ringing <- 340 from 370', 'hangup noanswer <- 340 from 370'],
    });
  });

  story('blind by digits (#1)', async (stage) => {
    const [, called] = await stage.talk('340', '370');
    await called.dtmf('#1');
    await stage.told('340', 'hold remote -> 370');
    await called.dtmf('320');
    const target = await stage.phone('320').ringing();
    await called.until('ended');
    await target.answer();
    await stage.agree('340', '320');
    await stage.wasTold({
      340: [
        ...ended,
        'hold remote -> 370',
        'unhold remote -> 370',
        'transfer blind -> 370',
        'rename -> 320',
        'hangup normal -> 320',
      ],
      370: [
        'ringing <- 340',
        'busy <- 340',
        'hold <- 340',
        'unhold <- 340',
        'transfer blind <- 340',
        'hangup normal <- 340',
      ],
      320: ['ringing <- 340 from 370', 'busy <- 340 from 370', 'hangup normal <- 340 from 370'],
    });
  });

  story('blind by the manager interface', async (stage) => {
    await stage.talk('340', '370');
    await stage.lab.act('BlindTransfer', {
      Channel: await only(stage, '370'),
      Context: 'internal',
      Exten: '320',
    });
    await (await stage.phone('320').ringing()).answer();
    await stage.agree();
    await stage.wasTold({
      340: [...ended, 'transfer blind -> 370', 'rename -> 320', 'hangup normal -> 320'],
      370: ['ringing <- 340', 'busy <- 340', 'transfer blind <- 340', 'hangup normal <- 340'],
      320: ['ringing <- 340 from 370', 'busy <- 340 from 370', 'hangup normal <- 340 from 370'],
    });
  });

  story('Redirect of one party', async (stage) => {
    await stage.talk('340', '370');
    await redirect(stage, '340', '320');
    await (await stage.phone('320').ringing()).answer();
    await stage.agree();
    await stage.wasTold({
      340: [...ended, 'rename -> 320', 'hangup normal -> 320'],
      370: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
      320: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
    });
  });

  story('Redirect of a caller who still rings', async (stage) => {
    await stage.phone('340').dial('370');
    const called = await stage.phone('370').ringing();
    await stage.told('340', 'ringing -> 370');
    await redirect(stage, '340', '320');
    await called.until('ended');
    await (await stage.phone('320').ringing()).answer();
    await stage.agree();
    await stage.wasTold({
      340: ['ringing -> 370', 'rename -> 320', 'busy -> 320', 'hangup normal -> 320'],
      370: ['ringing <- 340', 'redirect <- 340', 'hangup redirected <- 340'],
      320: ['ringing <- 340 from 370', 'busy <- 340 from 370', 'hangup normal <- 340 from 370'],
    });
  });

  story('Redirect of both into a conference', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await stage.lab.act('Redirect', {
      Channel: await only(stage, '340'),
      ExtraChannel: await only(stage, '370'),
      Context: 'internal',
      ExtraContext: 'internal',
      Exten: '800',
      ExtraExten: '800',
      Priority: '1',
      ExtraPriority: '1',
    });
    await stage.told('340', 'rename conference -> 800');
    await stage.told('370', 'rename conference <- 800');
    expect([caller.state, called.state]).toEqual(['connected', 'connected']);
    await stage.over();
  });
}

/** Transfers after the target was asked. */
export function attendedTransfers(story: Story): void {
  story('attended by the called telephone (REFER with Replaces)', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.hold();
    const asking = await stage.phone('370').dial('320');
    const asked = await stage.phone('320').ringing();
    await asked.answer();
    await asking.until('connected');
    await stage.agree();
    expect(await called.transferTo(asking)).toBe(202);
    await asking.until('ended');
    await called.until('ended');
    await until('340 talks to 320', () => caller.remote.number === '320' && asked.remote.number === '340');
    await stage.agree();
    await stage.over();
    expect(stage.lab.client('340').told).toEqual([
      ...ended,
      'hold remote -> 370',
      ...either(stage, '340', ['unhold remote -> 370', 'rename -> 320', 'transfer attended -> 320'], 3),
      'hangup normal -> 320',
    ]);
    expect(stage.lab.client('320').told.filter((line) => /^(ringing|busy|rename|hangup)/.test(line))).toEqual(
      ['ringing <- 370', 'busy <- 370', 'rename <- 340', 'hangup normal <- 340'],
    );
    expect(stage.lab.client('370').told.filter((line) => line.startsWith('hangup'))).toHaveLength(2);
  });

  story('attended by the calling telephone (REFER with Replaces)', async (stage) => {
    const [calling, called] = await stage.talk('340', '370');
    await calling.hold();
    const asking = await stage.phone('340').dial('320');
    const asked = await stage.phone('320').ringing();
    await asked.answer();
    await asking.until('connected');
    await stage.agree();
    await calling.transferTo(asking);
    await asking.until('ended');
    await until('370 talks to 320', () => called.remote.number === '320' && asked.remote.number === '370');
    await stage.agree();
    await stage.over();
    expect(stage.lab.client('370').told.filter((line) => /^(ringing|busy|rename|hangup)/.test(line))).toEqual(
      ['ringing <- 340', 'busy <- 340', 'rename <- 320', 'hangup normal <- 320'],
    );
  });

  story('semi-attended: the target still rings (REFER with Replaces)', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.hold();
    const asking = await stage.phone('370').dial('320');
    const asked = await stage.phone('320').ringing();
    await stage.agree();
    await called.transferTo(asking);
    await called.until('ended');
    await asked.answer();
    await until('340 talks to 320', () => caller.remote.number === '320' && asked.remote.number === '340');
    await stage.agree();
    await stage.over();
    expect(stage.lab.client('320').told.at(-1)).toMatch(/^hangup normal <- 340/);
    expect(stage.lab.client('340').told.at(-1)).toBe('hangup normal -> 320');
  });

  story('asked, and thought better of it: back to the first', async (stage) => {
    const [caller, called] = await stage.talk('340', '370');
    await called.hold();
    await stage.told('340', 'hold remote -> 370');
    const asking = await stage.phone('370').dial('320');
    (await stage.phone('320').ringing()).decline();
    await asking.until('ended');
    await called.unhold();
    await stage.told('340', 'unhold remote -> 370');
    await stage.agree();
    expect(caller.state).toBe('connected');
    await stage.wasTold({
      340: [...ended, 'hold remote -> 370', 'unhold remote -> 370', 'hangup normal -> 370'],
      370: [
        'ringing <- 340',
        'busy <- 340',
        'hold <- 340',
        'ringing -> 320',
        'hangup rejected -> 320',
        'unhold <- 340',
        'hangup normal <- 340',
      ],
      320: ['ringing <- 370', 'hangup rejected <- 370'],
    });
  });

  for (const [how, begin] of [
    [
      'by digits (*2)',
      async (stage: Stage) => {
        const call = stage.phone('370').calls.findLast(({ state }) => state === 'connected');
        await call?.dtmf('*2');
        await stage.told('340', 'hold remote -> 370');
        await call?.dtmf('320');
      },
    ],
    ['by the manager interface (Atxfer)', ask],
  ] as const) {
    story(`attended ${how}`, async (stage) => {
      const [caller, called] = await stage.talk('340', '370');
      await begin(stage);
      const asked = await stage.phone('320').ringing();
      await asked.answer();
      await until('370 talks to 320', () => asked.remote.number === '370');
      await stage.told('320', 'busy <- 370');
      await stage.told('370', 'rename <- 320').catch(() => {});
      await called.hangup();
      await until('340 talks to 320', () => caller.remote.number === '320');
      await stage.agree('340', '320', '370');
      await stage.over();
      expect(stage.lab.client('340').told.at(-1)).toBe('hangup normal -> 320');
      expect(stage.lab.client('320').told.at(-1)).toBe('hangup normal <- 340');
    });

    story(`attended ${how}, and the target declines: back to the first`, async (stage) => {
      const [caller] = await stage.talk('340', '370');
      await begin(stage);
      (await stage.phone('320').ringing()).decline();
      await until('the first call is taken back', () =>
        stage.lab.client('340').told.includes('unhold remote -> 370'),
      );
      await stage.agree();
      expect(caller.state).toBe('connected');
      await stage.over();
      expect(stage.lab.client('340').told).toEqual([
        ...ended,
        'hold remote -> 370',
        'unhold remote -> 370',
        'hangup normal -> 370',
      ]);
    });

    story(`blonde ${how}: hung up while the target rings`, async (stage) => {
      const [caller, called] = await stage.talk('340', '370');
      await begin(stage);
      const asked = await stage.phone('320').ringing();
      await stage.told('320', 'ringing <- 370');
      await called.hangup();
      await asked.answer();
      await until('340 talks to 320', () => caller.remote.number === '320');
      await stage.agree('340', '320', '370');
      await stage.over();
      expect(stage.lab.client('340').told.at(-1)).toBe('hangup normal -> 320');
    });
  }

  story('attended by the manager interface, cancelled (CancelAtxfer)', async (stage) => {
    const [caller] = await stage.talk('340', '370');
    await ask(stage);
    await (await stage.phone('320').ringing()).answer();
    await stage.told('320', 'busy <- 370');
    await stage.lab.act('CancelAtxfer', { Channel: await only(stage, '370') });
    await stage.told('340', 'unhold remote -> 370');
    await stage.agree();
    expect(caller.state).toBe('connected');
    await stage.over();
    expect(stage.lab.client('320').told.at(-1)).toBe('hangup normal <- 370');
  });
}

/** 370 asks 320 by the manager interface. */
async function ask(stage: Stage): Promise<void> {
  await stage.lab.act('Atxfer', { Channel: await only(stage, '370'), Context: 'internal', Exten: '320' });
  // COMPAT: Asterisk 16 presses the digits before it listens to them, now and then; then somebody has to.
  await stage
    .phone('320')
    .ringing(1.5)
    .catch(() =>
      stage
        .phone('370')
        .calls.findLast(({ state }) => state === 'connected')
        ?.dtmf('320'),
    );
}

async function only(stage: Stage, extension: string): Promise<string> {
  const [channel, ...more] = await stage.lab.channels(extension);
  if (channel === undefined || more.length > 0) throw new Error(`${extension} has ${more.length} more calls`);
  return channel;
}

async function redirect(stage: Stage, extension: string, to: string): Promise<void> {
  const channel = await only(stage, extension);
  await stage.lab.act('Redirect', { Channel: channel, Context: 'internal', Exten: to, Priority: '1' });
}

/** The lines from `at` on as they were told, where they are these in whatever order. */
function either(stage: Stage, extension: string, lines: readonly string[], at: number): readonly string[] {
  const told = stage.lab.client(extension).told.slice(at, at + lines.length);
  return JSON.stringify([...told].sort()) === JSON.stringify([...lines].sort()) ? told : lines;
}
