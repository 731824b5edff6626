import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { recordCommand } from '../../src/cli/record.ts';
import { replayCommand } from '../../src/cli/replay.ts';
import { startAsterisk } from '../asterisk/asterisk.ts';

const folder = mkdtempSync(join(tmpdir(), 'offhook-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

function replay(...args: string[]) {
  const events: { t: number; to: string; module: string; event: string; fields: Record<string, string> }[] =
    [];
  const report: string[] = [];
  const exitCode = replayCommand(
    args,
    (line) => events.push(JSON.parse(line)),
    (line) => report.push(line),
  );
  return { events, report, exitCode };
}

/** A recording of one call between two telephones of the simulated Asterisk. */
async function recordCall(name: string, ...options: string[]): Promise<string> {
  const asterisk = await startAsterisk();
  const [account] = asterisk.users;
  const env = {
    XMPP_COMPONENT: 'pbx.example.org',
    XMPP_SECRET: 'unused',
    AMI_PORT: String(asterisk.port),
    AMI_USERNAME: account?.username,
    AMI_SECRET: account?.secret,
  };
  const path = join(folder, name);
  const recorder = await recordCommand([...options, path], env, () => {});
  asterisk.phone('340').call('370');
  await asterisk.until(() => asterisk.phone('370').state().length === 1);
  asterisk.phone('370').answer();
  await asterisk.until(() => asterisk.phone('340').state()[0]?.state === 'up');
  asterisk.phone('340').hangup();
  await asterisk.until(() => asterisk.channels().length === 0);
  // What is on the wire has to arrive before the connection is cut.
  await expect.poll(() => asterisk.sessions.length).toBeGreaterThan(0);
  await asterisk.stop();
  await recorder.ended;
  return `${path}.ami`;
}

describe('a flight recording', () => {
  it('tells again what happened, to everybody it concerned', async () => {
    const { events, report, exitCode } = replay(await recordCall('call'));
    const told = (to: string) =>
      events
        .filter((each) => each.to === to && each.event === 'ChannelEvent')
        .map(({ fields }) => fields.eventType);
    expect(told('340@localhost')).toEqual(['ringing', 'busy', 'hangup']);
    expect(told('370@localhost')).toEqual(['ringing', 'busy', 'hangup']);
    expect(events.find((each) => each.module === 'base')).toMatchObject({
      fields: { sourceName: 'Anna Müller', sourceNumber: '340' },
    });
    expect(report.at(-1)).toMatch(/^1 recording, \d+ events, 0 violated invariants$/);
    expect(exitCode).toBe(0);
    expect(
      events
        .filter((each) => each.event === 'JournalEntry')
        .map(({ to, fields }) => [to, fields.inbound, fields.number, fields.result]),
    ).toEqual([
      ['340@localhost', 'false', '370', 'hangup'],
      ['370@localhost', 'true', '340', 'hangup'],
    ]);
    // Anna is a member of the queue Support.
    expect(
      events.find((each) => each.event === 'QueueMemberState' && each.to === '340@localhost'),
    ).toMatchObject({
      fields: { agent: '340', queue: 'Support', loggedin: 'true' },
    });
  });

  it('shows one person only, in the words of a directory', async () => {
    const directory = join(folder, 'users.yaml');
    const users = ['340', '370'].map((extension) =>
      [
        `  - name: u${extension}`,
        `    fullName: User ${extension}`,
        `    extension: ${extension}`,
        `    devices: [{ name: Desk, device: PJSIP/${extension} }]`.replace('Desk', `Desk ${extension}`),
        `    jid: u${extension}@example.org`,
      ].join('\n'),
    );
    writeFileSync(directory, `users:\n${users.join('\n')}\n`);
    const { events } = replay(
      '--directory',
      directory,
      '--as',
      'u370@example.org',
      await recordCall('directory'),
    );
    expect(new Set(events.map((each) => each.to))).toEqual(new Set(['u370@example.org']));
    expect(events.find((each) => each.module === 'base')?.fields).toMatchObject({
      sourceName: 'User 340',
      device: 'Desk 370',
    });
  });

  it('is masked where that is asked for, and still the same call', async () => {
    const { events, exitCode } = replay(await recordCall('masked', '--mask'));
    expect(JSON.stringify(events)).not.toContain('Anna');
    expect(events.filter((each) => each.event === 'ChannelEvent')).toHaveLength(6);
    expect(exitCode).toBe(0);
  });

  it('says what is wrong with the command line and with files', async () => {
    expect(() => replay()).toThrow('name at least one recording');
    expect(() => replay(join(folder, 'nothing.ami'))).toThrow('nothing.ami cannot be read');
    expect(() => replay('--nonsense')).toThrow();
    const file = await recordCall('whom');
    expect(() => replay('--as', '999', file)).toThrow('nobody is called 999');
  });
});
