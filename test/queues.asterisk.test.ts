/** A call centre on a real Asterisk with real telephones: what its agents' clients are told is what the telephones do. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AsteriskServer, type Phone, startAsterisk, startPhone, until } from './servers/index.ts';
import { type Name, type Office, openOffice } from './stories/office.ts';

const agents = ['PJSIP/320,0,Carla', 'PJSIP/340,0,Anna', 'PJSIP/370,0,Bernd'];

/** `All` rings everybody, `Round` one after the other, nobody is in `Extra`. */
function queuesConf(all: readonly string[]): string {
  const members = all.map((member) => `member => ${member}`).join('\n');
  const common = 'retry = 1\nwrapuptime = 0\nringinuse = no\njoinempty = yes\nautopause = no\n';
  return `[general]
persistentmembers = no
autofill = yes
[All]
strategy = ringall
timeout = 15
${common}${members}
[Round]
strategy = rrmemory
timeout = 2
${common}${agents.map((member) => `member => ${member}`).join('\n')}
[Extra]
strategy = ringall
timeout = 15
${common}`;
}

const users = `
users:
  - { name: anna, extension: 340, fullName: Anna, devices: [{ name: Anna, device: PJSIP/340 }] }
  - { name: bernd, extension: 370, fullName: Bernd, devices: [{ name: Bernd, device: PJSIP/370 }], queues: [{ name: Extra, dynamic: true, penalty: 2 }] }
  - { name: carla, extension: 320, fullName: Carla, devices: [{ name: Carla, device: PJSIP/320 }], roles: [xmpp.supervisor] }
rules:
  pauseReasons: { lunch: Lunch break }
`;

let pbx: AsteriskServer;
let conf: string;
let office: Office;
const phones = new Map<string, Phone>();

beforeAll(async () => {
  pbx = await startAsterisk({ extraFiles: { 'queues.conf': queuesConf(agents) } });
  const etc = /Configuration directory:\s*(\S+)/.exec(await pbx.cli('core show settings'))?.[1] ?? '';
  conf = join(etc, 'queues.conf');
  await dialplan();
  for (const number of ['310', '320', '330', '340', '370']) phones.set(number, await startPhone(pbx, number));
});
afterAll(async () => {
  for (const each of phones.values()) await each.stop();
  await pbx?.stop();
});
beforeEach(async () => {
  for (const each of phones.values()) each.incoming = 'ring';
  office = await openOffice(pbx.amiPort, pbx.managers, { users });
});
afterEach(async () => {
  for (const { calls } of phones.values()) await Promise.all(calls.map((call) => call.hangup()));
  await until('every call is over', async () =>
    /^0 active channels/m.test(await pbx.cli('core show channels count')),
  );
  await office.stop();
});

/** 510: All. 511: Round. 512: All, for two seconds, then something else. 513: Extra. */
async function dialplan(): Promise<void> {
  const lines = {
    '510': ['Answer()', 'Queue(All,tT)'],
    '511': ['Answer()', 'Queue(Round,tT)'],
    '512': ['Answer()', 'Queue(All,tT,,,2)', 'Wait(60)'],
    '513': ['Answer()', 'Queue(Extra,tT)'],
  };
  for (const [exten, steps] of Object.entries(lines))
    for (const [index, step] of steps.entries())
      await pbx.cli(`dialplan add extension ${exten},${index + 1},${step} into internal`);
}

function phone(number: string): Phone {
  const found = phones.get(number);
  if (found === undefined) throw new Error(`no telephone ${number}`);
  return found;
}

const attribute = (stanza: string, name: string) => new RegExp(` ${name}='([^']*)'`).exec(stanza)?.[1] ?? '';
const content = (stanza: string, name: string) => new RegExp(`<${name}>([^<]*)<`).exec(stanza)?.[1] ?? '';

/** What somebody's client was told of queues, after the first state. */
function told(who: Name): string[] {
  return office.stanzas(who).flatMap((stanza) => {
    const event = /<(Queue\w+)/.exec(stanza)?.[1];
    const number = content(stanza, 'phone');
    const body = stanza.slice(stanza.indexOf('<Queue'));
    if (event === 'QueueJoinEvent')
      return [`join ${attribute(body, 'name')} ${number} at ${content(stanza, 'position')}`];
    if (event === 'QueueLeaveEvent')
      return [
        `leave ${attribute(body, 'name')} ${number} ${attribute(body, 'eventDetails')} ${attribute(body, 'agent')}`.trim(),
      ];
    if (event === 'QueueMemberState')
      return [`${attribute(body, 'eventType')} ${attribute(body, 'queue')} ${attribute(body, 'agent')}`];
    return [];
  });
}

async function hears(line: string, who: Name = 'anna'): Promise<void> {
  await until(`${who} hears ${line}`, () => told(who).includes(line)).catch((error: unknown) => {
    throw new Error(`${who} heard: ${told(who).join('; ')}`, { cause: error });
  });
}

const ok = expect.stringContaining('<Success><message>Ok</message>');
const ask = (who: Name, command: string, attributes: Record<string, string> = {}) =>
  office.ask(who, 'queue', command, attributes);
/** Numbers that wait, in order. */
async function waiting(name = 'All', who: Name = 'anna'): Promise<string[]> {
  const state = await ask(who, 'FindQueueState', { name });
  const list = state.slice(state.indexOf('<QueueCallEntryList>'), state.indexOf('</QueueCallEntryList>'));
  return [...list.matchAll(/<phone>([^<]*)</g)].map(([, number = '']) => number);
}
async function channelOf(number: string): Promise<string> {
  const lines = (await pbx.cli('core show channels concise')).split('\n');
  const found = lines
    .map((each) => each.split('!')[0] ?? '')
    .filter((name) => name.startsWith(`PJSIP/${number}-`));
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${number} has ${found.length} channels`);
  return found[0];
}

describe('three agents', () => {
  it('ring together: one declines, one does not answer, one takes the call', async () => {
    phone('320').incoming = 'decline';
    const call = await phone('310').dial('510');
    await hears('join All 310 at 1');
    await phone('370').ringing();
    await (await phone('340').ringing()).answer();
    await hears('leave All 310 connected anna');
    for (const who of ['bernd', 'carla'] as const) await hears('leave All 310 connected anna', who);
    await until('Bernd’s telephone is silent', () => phone('370').calls.at(-1)?.state === 'ended');
    expect(call.state).toBe('connected');
    expect(await waiting()).toEqual([]);
    expect(told('anna').filter((line) => /^(join|leave)/.test(line))).toEqual([
      'join All 310 at 1',
      'leave All 310 connected anna',
    ]);
  });

  it('ring in turn: one declines, one does not answer, one takes the call', async () => {
    phone('320').incoming = 'decline';
    phone('370').incoming = 'answer';
    const call = await phone('310').dial('511');
    await hears('join Round 310 at 1');
    const unanswered = await phone('340').ringing();
    await hears('leave Round 310 connected bernd');
    expect(unanswered.state).toBe('ended');
    expect(phone('320').calls.at(-1)?.end).toBe(603);
    expect(call.state).toBe('connected');
    expect(told('anna').filter((line) => /^(join|leave)/.test(line))).toEqual([
      'join Round 310 at 1',
      'leave Round 310 connected bernd',
    ]);
  });
});

describe('callers', () => {
  it('move up when others give up, and are called back', async () => {
    const first = await phone('310').dial('510');
    await hears('join All 310 at 1');
    await phone('330').dial('510');
    await hears('join All 330 at 2');
    expect(await waiting()).toEqual(['310', '330']);
    await first.hangup();
    await hears('leave All 310 abandoned');
    expect(await waiting()).toEqual(['330']);
    expect(await ask('anna', 'FindMissed', { name: 'All' })).toMatch(
      / number='310' reason='abandoned' calledBack='false'/,
    );
    phone('310').incoming = 'answer';
    await phone('330').calls.at(-1)?.hangup();
    await hears('leave All 330 abandoned');
    await until('Anna’s telephone is silent', () => phone('340').calls.at(-1)?.state === 'ended');
    await phone('340').dial('310');
    await office.hears('anna', /^busy 340>310/);
    expect(await ask('anna', 'FindMissed', { name: 'All' })).toMatch(
      / number='310' reason='abandoned' calledBack='true' settled='callback'.*settledBy='anna'/,
    );
    expect(await ask('anna', 'FindMissed', { name: 'All', open: 'true' })).not.toContain("number='310'");
  });

  it('go on when their time is over, and are sent elsewhere', async () => {
    await phone('310').dial('512');
    await hears('join All 310 at 1');
    await hears('leave All 310 timeout');
    await phone('330').dial('510');
    await hears('join All 330 at 1');
    await pbx.cli(`channel redirect ${await channelOf('330')} internal,601,1`);
    await hears('leave All 330 transferred');
    expect(await ask('anna', 'FindStats', { name: 'All' })).toMatch(/abandoned='[1-9]\d*'.* since='\d{13}'/);
  });

  it('stand where a priority puts them, of which Asterisk tells nothing', async () => {
    await phone('310').dial('510');
    await hears('join All 310 at 1');
    await phone('330').dial('510');
    await hears('join All 330 at 2');
    await pbx.cli(`queue priority caller ${await channelOf('330')} on All to 10 immediate`);
    await until('the order is right', async () => (await waiting()).join() === '330,310');
    await hears('leave All 330 moved');
    expect(told('anna').at(-1)).toBe('join All 330 at 1');
  });

  it('take the place of who transfers them into the queue', async () => {
    phone('330').incoming = 'answer';
    await phone('310').dial('330');
    await until('they talk', () => phone('330').calls.at(-1)?.state === 'connected');
    const first = phone('330').calls.at(-1);
    await first?.hold();
    const second = await phone('330').dial('510');
    await hears('join All 330 at 1');
    await first?.transferTo(second);
    await hears('join All 310 at 1');
    expect(await waiting()).toEqual(['310']);
    await phone('310').calls.at(-1)?.hangup();
    await hears('leave All 310 abandoned');
  });
});

describe('agents', () => {
  it('take a break in mid-ring, and the call that rings all the same', async () => {
    await phone('310').dial('510');
    const ringing = await phone('340').ringing();
    expect(await ask('anna', 'AgentPause', { queue: 'All', reason: 'lunch' })).toEqual(ok);
    await hears('pause All anna', 'bernd');
    expect(await ask('anna', 'AgentPause', { queue: 'All', reason: 'lunch' })).toContain(
      "code='already-paused'",
    );
    expect(await ask('anna', 'FindOwnState')).toMatch(
      /queue='All'[^>]* paused='true'[^>]* pauseReason='Lunch break'/,
    );
    await ringing.answer();
    await hears('leave All 310 connected anna', 'bernd');
    expect(await ask('carla', 'AgentUnpause', { queue: '*', agent: 'anna' })).toEqual(ok);
    await hears('unpause All anna', 'bernd');
    expect(await ask('anna', 'AgentLogout', { queue: 'All' })).toContain("code='static-member'");
  });

  it('log in, get calls, and log out', async () => {
    expect(await ask('anna', 'AgentLogin', { queue: 'Extra' })).toContain("code='not-permitted'");
    expect(await ask('bernd', 'AgentLogin', { queue: 'extra' })).toEqual(ok);
    await hears('login Extra bernd', 'bernd');
    expect(await ask('bernd', 'AgentLogin', { queue: 'Extra' })).toContain("code='already-logged-in'");
    expect(await pbx.cli('queue show Extra')).toMatch(
      /Bernd \(PJSIP\/370 ?\) with penalty 2|Bernd \(PJSIP\/370\).*penalty 2/,
    );
    phone('370').incoming = 'answer';
    await phone('310').dial('513');
    await hears('leave Extra 310 connected bernd', 'bernd');
    expect(await ask('bernd', 'AgentLogout', { queue: '*' })).toEqual(ok);
    await hears('logout Extra bernd', 'bernd');
    expect(await ask('bernd', 'AgentLogout', { queue: 'Extra' })).toContain("code='not-logged-in'");
    expect(told('anna').join()).not.toContain('Extra');
  });
});

describe('what changes under the bridge', () => {
  it('shows after a reload', async () => {
    // Asterisk says nothing of this one: who looks sees it, and everybody is told.
    await writeFile(conf, queuesConf(agents.slice(1)));
    await pbx.cli('queue reload all');
    await until(
      'Carla is no member',
      async () => !(await ask('anna', 'FindQueueState', { name: 'All' })).includes("agent='carla'"),
    );
    await hears('logout All carla');
    await writeFile(conf, queuesConf([...agents.slice(1), 'Local/320@internal/n,0,Carla']));
    await pbx.cli('core reload');
    await hears('login All carla');
    await writeFile(conf, queuesConf(agents));
    await pbx.cli('core reload');
    await until('Carla is a member by her own telephone', async () =>
      (await pbx.cli('queue show All')).includes('PJSIP/320'),
    );
    await dialplan();
  });

  it('shows when Asterisk starts again, with callers waiting', async () => {
    await phone('310').dial('510');
    await hears('join All 310 at 1');
    await phone('330').dial('510');
    await hears('join All 330 at 2');
    await pbx.kill();
    await pbx.restart();
    for (const each of phones.values()) await each.register();
    await dialplan();
    await hears('leave All 310 abandoned');
    await hears('leave All 330 abandoned');
    expect(await waiting()).toEqual([]);
    phone('340').incoming = 'answer';
    await phone('310').dial('510');
    await hears('leave All 310 connected anna');
  });
});
