/** Calls from and to the outside, forwarded calls, and calls that a computer begins. */

import { expect } from 'vitest';
import { until } from '../../servers/index.ts';
import type { Stage, Story } from '../stage.ts';

const stranger = { number: '+491701234567', name: 'Jörg Fremd' };

/** The telephone company. */
export function outside(story: Story): void {
  story('a call from outside', async (stage) => {
    const caller = await stage.phone('trunk').dial('4930123456340', stranger);
    const rung = await stage.phone('340').ringing();
    await stage.agree('340');
    await rung.answer();
    await stage.agree('340');
    await caller.hangup();
    await rung.until('ended');
    expect(stage.lab.client('340').events[0]).toMatchObject({
      internal: 'false',
      sourceName: stranger.name,
      sourceNumber: stranger.number,
      targetName: 'Anna Müller',
      targetNumber: '340',
    });
    await stage.wasTold({
      340: [
        `ringing <- ${stranger.number}`,
        `busy <- ${stranger.number}`,
        `hangup normal <- ${stranger.number}`,
      ],
    });
  });

  story('a call to the outside', async (stage) => {
    const caller = await stage.phone('340').dial('00301234');
    const far = await stage.phone('trunk').ringing();
    await stage.told('340', 'ringing -> 00301234');
    await far.answer();
    await caller.until('connected');
    await caller.hold();
    await caller.unhold();
    await stage.wasTold({
      340: [
        'ringing -> 00301234',
        'busy -> 00301234',
        'hold -> 00301234',
        'unhold -> 00301234',
        'hangup normal -> 00301234',
      ],
    });
    expect(stage.lab.client('340').events[1]).toMatchObject({ internal: 'false', targetName: '' });
  });

  story('from outside to outside: transferred, who transferred is out of it', async (stage) => {
    const caller = await stage.phone('trunk').dial('4930123456340', stranger);
    const rung = await stage.phone('340').ringing();
    await rung.answer();
    await caller.until('connected');
    await stage.told('340', `busy <- ${stranger.number}`);
    await rung.transfer('00301234');
    await (await stage.phone('trunk').ringing()).answer();
    await rung.until('ended');
    await stage.wasTold({
      340: [
        `ringing <- ${stranger.number}`,
        `busy <- ${stranger.number}`,
        `transfer blind <- ${stranger.number}`,
        `hangup normal <- ${stranger.number}`,
      ],
    });
  });

  story('the caller ID changes in mid-call', async (stage) => {
    await stage.phone('trunk').dial('4930123456340', stranger);
    const rung = await stage.phone('340').ringing();
    await rung.answer();
    await stage.told('340', `busy <- ${stranger.number}`);
    const [channel = ''] = await stage.lab.channels('340');
    await stage.lab.act('Setvar', {
      Channel: channel,
      Variable: 'CONNECTEDLINE(all)',
      Value: '"Julia Bekannt" <+4930555>',
    });
    await stage.told('340', 'rename <- +4930555');
    expect(stage.lab.client('340').events.at(-1)).toMatchObject({
      sourceName: 'Julia Bekannt',
      internal: 'false',
    });
    await stage.wasTold({
      340: [
        `ringing <- ${stranger.number}`,
        `busy <- ${stranger.number}`,
        'rename <- +4930555',
        'hangup normal <- +4930555',
      ],
    });
  });
}

/** Calls that reach somebody else than they were for. */
export function forwarding(story: Story): void {
  story('forwarded by the telephone (302)', async (stage) => {
    stage.phone('310').incoming = { forward: '370' };
    const caller = await stage.phone('340').dial('310');
    const rung = await stage.phone('370').ringing();
    await stage.told('370', 'ringing <- 340 from 310');
    await rung.answer();
    await caller.until('connected');
    await until('340 sees 370', () => caller.remote.number === '370');
    await stage.agree();
    await stage.wasTold({
      340: ['ringing -> 310', 'rename -> 370', 'busy -> 370', 'hangup normal -> 370'],
      310: ['ringing <- 340', 'redirect <- 340', 'hangup redirected <- 340'],
      370: ['ringing <- 340 from 310', 'busy <- 340 from 310', 'hangup normal <- 340 from 310'],
    });
  });

  story('forwarded by the dialplan', async (stage) => {
    await stage.lab.asterisk.cli('database put CF 310 370');
    try {
      const caller = await stage.phone('340').dial('310');
      const rung = await stage.phone('370').ringing();
      await stage.told('370', 'ringing <- 340 from 310');
      await rung.answer();
      await caller.until('connected');
      await until('340 sees 370', () => caller.remote.number === '370');
      await stage.agree();
      await stage.over();
      expect(stage.lab.client('310').told).toEqual([]);
      expect(stage.lab.client('340').told.at(-1)).toBe('hangup normal -> 370');
      expect(stage.lab.client('370').told).toEqual([
        'ringing <- 340 from 310',
        'busy <- 340 from 310',
        'hangup normal <- 340 from 310',
      ]);
    } finally {
      await stage.lab.asterisk.cli('database del CF 310');
    }
  });

  for (const [what, number] of [
    ['that is optimized away', '7370'],
    ['that stays', '6370'],
  ] as const) {
    story(`through a Local channel ${what}`, async (stage) => {
      const caller = await stage.phone('340').dial(number);
      const rung = await stage.phone('370').ringing();
      await stage.told('370', 'ringing <- 340');
      await rung.answer();
      await caller.until('connected');
      await until('340 sees 370', () => caller.remote.number === '370');
      await stage.agree();
      await rung.hold();
      await stage.told('340', 'hold remote -> 370');
      await rung.unhold();
      await stage.told('340', 'unhold remote -> 370');
      await stage.agree();
      await stage.over();
      const { told } = stage.lab.client('340');
      expect(told.filter((line) => line.startsWith('ringing'))).toHaveLength(1);
      expect(told.at(-1)).toBe('hangup normal -> 370');
      expect(stage.lab.client('370').told).toEqual([
        'ringing <- 340',
        'busy <- 340',
        'hold <- 340',
        'unhold <- 340',
        'hangup normal <- 340',
      ]);
    });
  }
}

/** Originate: the user's own telephone rings first. */
export function originated(story: Story): void {
  story('click to dial, as the bridge does it', async (stage) => {
    await clickToDial(stage, '340', '370');
    const own = await stage.phone('340').ringing();
    await stage.told('340', 'ringing -> 370');
    await own.answer();
    const rung = await stage.phone('370').ringing();
    await stage.told('370', 'ringing <- 340');
    await rung.answer();
    await stage.agree('370');
    await stage.wasTold({
      340: ['ringing -> 370', 'busy -> 370', 'hangup normal -> 370'],
      370: ['ringing <- 340', 'busy <- 340', 'hangup normal <- 340'],
    });
  });

  for (const [what, incoming, cause] of [
    ['is engaged', 'busy', 'busy'],
    ['declines', 'decline', 'rejected'],
  ] as const) {
    story(`click to dial, and the own telephone ${what}`, async (stage) => {
      stage.phone('340').incoming = incoming;
      await clickToDial(stage, '340', '370');
      await stage.told('340', `hangup ${cause} -> 370`);
      await stage.wasTold({ 340: ['ringing -> 370', `hangup ${cause} -> 370`] });
    });

    story(`click to dial, and the target ${what}`, async (stage) => {
      stage.phone('370').incoming = incoming;
      await clickToDial(stage, '340', '370');
      await (await stage.phone('340').ringing()).answer();
      await stage.told('340', `hangup ${cause} -> 370`);
      await stage.wasTold({
        340: ['ringing -> 370', `hangup ${cause} -> 370`],
        370: ['ringing <- 340', `hangup ${cause} <- 340`],
      });
    });
  }

  story('click to dial, and nobody takes the own telephone off', async (stage) => {
    await clickToDial(stage, '340', '370', 1000);
    const own = await stage.phone('340').ringing();
    await own.until('ended');
    await stage.told('340', 'hangup noanswer -> 370');
    await stage.wasTold({ 340: ['ringing -> 370', 'hangup noanswer -> 370'] });
  });

  story('click to dial with no telephone registered', async (stage) => {
    await stage.phone('340').unregister();
    await clickToDial(stage, '340', '370').catch(() => {});
    await stage.lab.caughtUp();
    await stage.phone('340').register();
    await stage.wasTold({});
  });

  story('click to dial the outside', async (stage) => {
    await clickToDial(stage, '340', '00301234');
    await (await stage.phone('340').ringing()).answer();
    const far = await stage.phone('trunk').ringing();
    await far.answer();
    await stage.told('340', 'busy -> 00301234');
    await stage.wasTold({ 340: ['ringing -> 00301234', 'busy -> 00301234', 'hangup normal -> 00301234'] });
  });

  story('Originate by somebody else, without a caller ID', async (stage) => {
    await stage.lab.act('Originate', {
      Channel: 'PJSIP/340',
      Context: 'internal',
      Exten: '370',
      Priority: '1',
      Async: 'true',
    });
    await (await stage.phone('340').ringing()).answer();
    await (await stage.phone('370').ringing()).answer();
    await stage.told('340', 'busy -> 370');
    await stage.told('370', 'busy <- 340');
    await stage.over();
    expect(stage.lab.client('340').told.at(-1)).toBe('hangup normal -> 370');
    expect(stage.lab.client('370').told.at(-1)).toBe('hangup normal <- 340');
  });

  story('Originate of an application', async (stage) => {
    await stage.lab.act('Originate', {
      Channel: 'PJSIP/340',
      Application: 'Echo',
      CallerID: '"Anna Müller" <340>',
      Async: 'true',
    });
    await (await stage.phone('340').ringing()).answer();
    await until('340 talks to the echo', () =>
      stage.lab.client('340').told.some((line) => line.startsWith('busy echo')),
    );
    await stage.over();
    expect(stage.lab.client('340').told).toHaveLength(3);
  });

  story('Originate of a Local channel', async (stage) => {
    await stage.lab.act('Originate', {
      Channel: 'Local/340@internal',
      Context: 'internal',
      Exten: '370',
      Priority: '1',
      CallerID: '"Anna Müller" <340>',
      Async: 'true',
    });
    await (await stage.phone('340').ringing()).answer();
    await (await stage.phone('370').ringing()).answer();
    await stage.told('370', 'busy <- 340');
    await stage.over();
    expect(stage.lab.client('340').told.at(-1)).toBe('hangup normal -> 370');
    expect(stage.lab.client('370').told.at(-1)).toBe('hangup normal <- 340');
  });

  story('ended by the manager interface while it rings', async (stage) => {
    const caller = await stage.phone('340').dial('370');
    const rung = await stage.phone('370').ringing();
    await stage.agree('340', '370');
    const [channel = ''] = await stage.lab.channels('370');
    await stage.lab.act('Hangup', { Channel: channel });
    await rung.until('ended');
    await caller.until('ended');
    await stage.over();
    expect(stage.lab.client('340').told).toHaveLength(2);
    expect(stage.lab.client('370').told).toHaveLength(2);
  });
}

async function clickToDial(stage: Stage, extension: string, exten: string, ringMs = 30_000): Promise<void> {
  const user = stage.lab.directory.byExtension(extension);
  await stage.lab.dial({ from: extension, name: user?.fullName ?? '', exten, ringMs });
}
