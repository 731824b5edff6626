import { link, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { Keeping } from '../../src/monitor/monitor.ts';
import { eraseRecordings } from '../../src/monitor/retention.ts';
import type { Channel, PbxEvent } from '../../src/pbx/events.ts';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import type { RecordingRule } from '../../src/rules/policy.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type Folder, numbers, recording, recordingFolder, rule, wav } from '../monitor/recorder.ts';
import { until } from '../servers/until.ts';
import { api, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const max = 'mmeyer@example.org/desk';
const boss = 'boss@example.org/x';
const success = expect.stringContaining('<Success><message>Ok</message></Success>');
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);

// The journal keeps what is not too old.
const since = Date.now();
const own = view({ state: 'busy', since });
const theirs = view({
  state: 'busy',
  since,
  channel: own.refChannel as ChannelId,
  uniqueId: '1.0',
  device: 'PJSIP/370' as DeviceName,
  outbound: true,
  own: own.other,
  other: own.own,
  otherDevice: own.device,
  refChannel: own.channel,
});

function channelOf({ channel, uniqueId }: typeof own): Channel {
  return {
    name: channel,
    uniqueId,
    linkedId: '1.0',
    state: 'up',
    callerNumber: '',
    callerName: '',
    connectedNumber: '',
    connectedName: '',
    context: 'internal',
    exten: '370',
  };
}
const enters = (who: typeof own): PbxEvent => ({
  type: 'bridge-enter',
  at: 1,
  channel: channelOf(who),
  bridge: { id: 'b', type: 'basic', size: 2 },
  swaps: '',
});
const ends = (who: typeof own): PbxEvent => ({ type: 'hangup', at: 1, channel: channelOf(who), cause: 16 });
const told = (who: typeof own, type: 'busy' | 'hold' | 'hangup' = 'busy') =>
  ({ kind: 'channel', type, details: '', view: who, at: 1 }) as const;

let folder: Folder;
beforeEach(async () => {
  folder = await recordingFolder();
});
afterEach(() => folder.remove());

/** Max has called Thomas, and they talk; both have a session. Asterisk writes a file when it is told to. */
async function talking(rules: readonly RecordingRule[], recordings: Keeping = folder.keeping) {
  const made = api({ recordings });
  made.allow({ recording: recording(...rules) });
  const subscribe = xml('AddSubscription', {}, [xml('Subscription', { module: 'monitor', type: '*' })]);
  for (const who of [anna, max]) await made.ask(who, 'xmppuser', xml('ClientInfo', {}, [subscribe]));
  made.views.push(own, theirs);
  made.happen(enters(theirs));
  made.happen(enters(own), told(own), told(theirs));
  const seen = new Set<unknown>();
  const asterisk = setInterval(() => {
    for (const action of made.actions) {
      if (action[0] !== 'record' || seen.has(action)) continue;
      seen.add(action);
      void folder.record(String(action[2]));
    }
  }, 5);
  asterisk.unref();
  const events = (who: string) => made.sent.filter((each) => each.includes(`to='${who}'`));
  const recordIdOf = (who: string) =>
    /recordId='([^']+)'/.exec(events(who).findLast((each) => each.includes('recordId')) ?? '')?.[1] ?? '';
  return { ...made, events, recordIdOf, stop: () => clearInterval(asterisk) };
}

const start = (channel: string = own.channel) => xml('Start', { channel });
const stop = (channel: string = own.channel) => xml('Stop', { channel });

describe('RecordEvent', () => {
  it('says to each of the two what is possible, and what runs', async () => {
    const { ask, events, recordIdOf } = await talking([rule({ users: new Set(['tweber']) })]);
    expect(events(anna)).toHaveLength(1);
    expect(events(anna)[0]).toContain(
      "<RecordEvent eventType='stop' eventId='PJSIP/340-00000001' ruleId='anybody' permission='allow' identity='' file=''>" +
        '<headchannel>PJSIP/370-00000000</headchannel><tailchannel>PJSIP/340-00000001</tailchannel></RecordEvent>',
    );
    expect(events(max)[0]).toContain("permission='deny' identity=''");
    expect(await ask(anna, 'monitor', start())).toEqual(success);
    const id = recordIdOf(max);
    expect(events(max)[1]).toContain(
      `eventType='start' eventId='PJSIP/370-00000000' ruleId='anybody' permission='deny' identity='tweber' file='${id}-1.wav' recordId='${id}' state='recording'`,
    );
    expect(await ask(anna, 'monitor', stop())).toEqual(success);
    expect(events(max)[2]).toContain("eventType='stop'");
    expect(events(anna)).toHaveLength(3);
  });

  it('says that a recorded call is held, and that it ended', async () => {
    const { ask, events, happen, views } = await talking([rule()]);
    await ask(anna, 'monitor', start());
    const held = { ...own, held: true };
    views[0] = held;
    happen({ type: 'hold', at: 1, channel: channelOf(own) }, told(held, 'hold'));
    expect(events(anna).at(-1)).toContain("state='held'");
    views.shift();
    happen(ends(own), told({ ...held, state: 'ended' }, 'hangup'));
    expect(events(anna).at(-1)).toContain("eventType='stop'");
    expect(events(max).at(-1)).toContain("eventType='stop'");
  });

  it('is not sent where no rules are', async () => {
    const made = api({ recordings: folder.keeping });
    made.happen(enters(own), told(own));
    expect(made.sent).toEqual([]);
  });
});

describe('Start and Stop', () => {
  it('record sections of one call, into files that we name', async () => {
    const { ask, actions, recordIdOf, audited } = await talking([rule()]);
    for (let section = 0; section < 2; section += 1) {
      expect(await ask(anna, 'monitor', start())).toEqual(success);
      expect(await ask(anna, 'monitor', start())).toEqual(failure('already-exists'));
      expect(await ask(max, 'monitor', start(theirs.channel))).toEqual(failure('already-exists'));
      expect(await ask(anna, 'monitor', stop())).toEqual(success);
      expect(await ask(anna, 'monitor', stop())).toEqual(failure('not-recording'));
    }
    const id = recordIdOf(anna);
    expect(id).toMatch(/^[0-9]{8}T[0-9]{6}-[0-9a-f]{16}$/);
    const recorded = actions
      .filter(([verb]) => verb === 'record')
      .map(([, channel, file]) => `${channel} ${file}`);
    expect(recorded).toEqual([1, 2].map((each) => `${own.channel} /var/spool/recordings/${id}-${each}.wav`));
    expect(audited.map(({ command, outcome }) => `${command} ${outcome}`)).toContain(
      'monitor.Start already-exists',
    );
  });

  it('are for those whom a rule names, on calls that it is about', async () => {
    const rules = [
      rule({ name: 'never', permission: 'deny', numbers: numbers('0900.') }),
      rule({ groups: new Set(['sales']), direction: 'inbound' }),
    ];
    const { ask, change, views } = await talking(rules);
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-permitted'));
    change(user('tweber', '340', 'Thomas Weber', { groups: new Set(['sales']) }));
    views[1] = { ...theirs, other: { number: '09001', name: '' } };
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-permitted'));
    views[1] = theirs;
    views[0] = { ...own, outbound: true };
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-permitted'));
    views[0] = own;
    expect(await ask(anna, 'monitor', start())).toEqual(success);
  });

  it('reach colleagues’ calls only by a rule that says so', async () => {
    const team = rule({ name: 'team', calls: 'group', users: new Set(['boss']) });
    const { ask, change } = await talking([team]);
    expect(await ask(boss, 'monitor', start())).toEqual(failure('not-permitted'));
    const groups = new Set(['a']);
    change(user('tweber', '340', 'T', { groups }), user('boss', '320', 'B', { groups }));
    expect(await ask(boss, 'monitor', start())).toEqual(success);
    expect(await ask(anna, 'monitor', stop())).toEqual(failure('not-permitted'));
    expect(await ask(boss, 'monitor', stop())).toEqual(success);
    expect(await ask(max, 'monitor', start())).toEqual(failure('not-permitted'));
  });

  it('leave alone what a rule records', async () => {
    const { ask, events } = await talking([rule({ name: 'all', permission: 'auto' })]);
    await until('it runs', () => events(anna).some((each) => each.includes("eventType='start'")));
    expect(events(anna).at(-1)).toContain("ruleId='all' permission='auto' identity=''");
    expect(await ask(anna, 'monitor', stop())).toEqual(failure('not-permitted'));
  });

  it('let those who are left stop what somebody began who has left', async () => {
    const { ask, happen, views, events, actions } = await talking([rule()]);
    const third = {
      ...own,
      channel: 'PJSIP/320-00000009' as ChannelId,
      uniqueId: '1.9',
      device: 'PJSIP/320' as DeviceName,
    };
    await ask(anna, 'monitor', start());
    views.splice(0, 1, third);
    views[1] = { ...theirs, refChannel: third.channel };
    const elsewhere = (who: typeof own): PbxEvent =>
      ({ ...enters(who), bridge: { id: 'c', type: 'basic', size: 2 } }) as PbxEvent;
    happen(ends(own), told({ ...own, state: 'ended' }, 'hangup'));
    happen(elsewhere(third));
    happen(elsewhere(theirs));
    await until('it goes on', () => actions.filter(([verb]) => verb === 'record').length === 2);
    await until('Max is told', () => events(max).at(-1)?.includes("eventType='start'") ?? false);
    expect(await ask(boss, 'monitor', stop(third.channel))).toEqual(success);
  });

  it('reach a recording that waits until the other one is back', async () => {
    const { ask, happen, events, actions } = await talking([rule()]);
    const [goes, comes] = [{ ...enters(theirs), type: 'bridge-leave' } as PbxEvent, enters(theirs)];
    await ask(anna, 'monitor', start());
    happen(goes);
    await until('it waits', () => actions.filter(([verb]) => verb === 'stopRecording').length === 1);
    await until('Thomas is told', () => events(anna).at(-1)?.includes("eventType='stop'") ?? false);
    expect(await ask(anna, 'monitor', start())).toEqual(failure('no-active-call'));
    expect(await ask(anna, 'monitor', xml('Pause', { channel: own.channel }))).toEqual(success);
    happen(comes);
    await until('it goes on, silent', () => events(anna).at(-1)?.includes("state='paused'") ?? false);
    happen(goes);
    await until('it waits again', () => actions.filter(([verb]) => verb === 'stopRecording').length === 2);
    expect(await ask(anna, 'monitor', stop())).toEqual(success);
    expect(await ask(anna, 'monitor', stop())).toEqual(failure('not-recording'));
    happen(comes);
    expect(await ask(anna, 'monitor', start())).toEqual(success);
    expect(actions.filter(([verb]) => verb === 'record')).toHaveLength(3);
  });

  it('go on after a loss of the feed with those who are there by then', async () => {
    const { ask, happen, views, recordIdOf, actions } = await talking([rule()]);
    await ask(anna, 'monitor', start());
    const id = recordIdOf(anna);
    const third = {
      ...theirs,
      channel: 'PJSIP/320-00000009' as ChannelId,
      uniqueId: '1.9',
      device: 'PJSIP/320' as DeviceName,
    };
    views.splice(0, 2, { ...own, refChannel: third.channel }, third, {
      ...theirs,
      refChannel: '' as ChannelId,
    });
    const channels = [own, third, theirs].map((each) => ({
      ...channelOf(each),
      application: '',
      applicationData: '',
      bridgeId: each === theirs ? '' : 'c',
      seconds: 9,
    }));
    const bridges = [{ id: 'c', type: 'basic', size: 2, channels: [own.uniqueId, third.uniqueId] }];
    const snapshot = { channels, bridges, devices: new Map(), meanwhile: [] };
    happen({ type: 'snapshot', at: 2, snapshot });
    await until('another section runs', () => actions.filter(([verb]) => verb === 'record').length === 2);
    await ask(anna, 'monitor', stop());
    const heard = (await folder.keeping.shelf.read(id))?.sections.map((each) =>
      each.heard.map((jid) => jid.split('@')[0]),
    );
    expect(heard).toEqual([
      ['mmeyer', 'tweber'],
      ['boss', 'tweber'],
    ]);
  });

  it('end when nobody of ours is in the call any more', async () => {
    const { ask, happen, views, actions } = await talking([rule()]);
    const [one, two] = ['1.7', '1.8'].map((uniqueId) => ({
      ...theirs,
      uniqueId,
      channel: `PJSIP/trunk-${uniqueId}` as ChannelId,
    }));
    if (one === undefined || two === undefined) throw new Error('two lines');
    const into = (who: typeof own, id: string): PbxEvent =>
      ({ ...enters(who), bridge: { id, type: 'basic', size: 2 } }) as PbxEvent;
    happen(into(one, 'b'));
    views.splice(1, 1);
    happen(ends(theirs));
    await ask(anna, 'monitor', start());
    views.splice(0, 1);
    happen(ends(own));
    happen(into(one, 'c'));
    happen(into(two, 'c'));
    let looks = 0;
    await until('nothing begins for a while', () => ++looks > 15);
    expect(actions.filter(([verb]) => verb === 'record')).toHaveLength(1);
  });

  it('refuse calls that are not answered, not there, or nobody’s', async () => {
    const { ask, views } = await talking([rule()]);
    expect(await ask(anna, 'monitor', start('PJSIP/340-99999999'))).toEqual(failure('no-such-channel'));
    views[0] = { ...own, service: 'mailbox' };
    expect(await ask(anna, 'monitor', start())).toEqual(failure('no-active-call'));
    views[0] = { ...own, state: 'ringing' };
    expect(await ask(anna, 'monitor', start())).toEqual(failure('no-active-call'));
    expect(await ask(anna, 'monitor', start('PJSIP/340&x,y'))).toMatch(/^bad-request|no-such-channel/);
  });

  it('tell the parties first where the rules say so, and record nothing where that fails', async () => {
    const made = await talking([rule()]);
    made.allow({ recording: { ...recording(rule()), announce: '777' } });
    expect(await made.ask(anna, 'monitor', start())).toEqual(success);
    const verbs = made.actions.map(([verb]) => verb);
    expect(verbs.indexOf('announce')).toBeLessThan(verbs.indexOf('record'));
    await made.ask(anna, 'monitor', stop());
    made.fail(new Failure('rejected', 'Originate failed'));
    expect(await made.ask(anna, 'monitor', start())).toEqual(failure('rejected'));
    made.fail(undefined);
    expect(await made.ask(anna, 'monitor', start())).toEqual(success);
  });
});

describe('what goes wrong', () => {
  it('a missing directory is a Failure, one line for the operator, and the call goes on', async () => {
    const { ask, actions } = await talking([rule()]);
    await rm(folder.dir, { recursive: true });
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-available'));
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-available'));
    expect(folder.complaints).toHaveLength(1);
    expect(actions).toEqual([]);
    await mkdir(folder.dir);
    expect(await ask(anna, 'monitor', start())).toEqual(success);
  });

  it('so is a full disk', async () => {
    await folder.remove();
    folder = await recordingFolder(2 ** 60);
    const { ask } = await talking([rule()]);
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-available'));
    expect(folder.complaints.join()).toContain('full');
  });

  it('so is a directory that Asterisk does not write to', async () => {
    const { ask, stop: noFiles, events, actions } = await talking([rule()]);
    noFiles();
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-available'));
    expect(actions.map(([verb]) => verb)).toEqual(['record', 'stopRecording']);
    expect(events(anna)).toHaveLength(1);
    await until('nothing is left', async () => (await readdir(folder.dir)).length === 0);
    expect(folder.complaints).toHaveLength(1);
  });

  it('where what is known of it cannot be written, nothing is recorded: nobody could find it', async () => {
    const { shelf } = folder.keeping;
    let fails = true;
    const note: typeof shelf.note = async (...parts) => (fails ? 'failed' : shelf.note(...parts));
    const { ask, actions } = await talking([rule()], { ...folder.keeping, shelf: { ...shelf, note } });
    expect(await ask(anna, 'monitor', start())).toEqual(failure('not-available'));
    expect(actions).toEqual([]);
    fails = false;
    expect(await ask(anna, 'monitor', start())).toEqual(success);
  });

  it('what cannot be written later is known all the same, and written when it can be', async () => {
    const { ask, recordIdOf } = await talking([rule()]);
    await ask(anna, 'monitor', start());
    const id = recordIdOf(anna);
    const kept = () => folder.keeping.shelf.read(id);
    await until('it is written', async () => (await kept())?.sections[0]?.handle !== '');
    const obstacle = join(folder.dir, `${id}.json.new`);
    await mkdir(join(obstacle, 'x'), { recursive: true });
    await ask(anna, 'monitor', xml('Pause', { channel: own.channel }));
    await until('the operator is told', () => folder.complaints.length === 1);
    expect((await kept())?.sections[0]?.paused).toBe(false);
    await rm(obstacle, { recursive: true });
    expect(await ask(anna, 'monitor', stop())).toEqual(success);
    await until('it is written', async () => ((await kept())?.sections[0]?.to ?? 0) > 0);
    expect((await kept())?.sections[0]?.paused).toBe(true);
  });

  it('whoever is erased while they are recorded is not written down again', async () => {
    const { ask, recordIdOf, happen, events, actions } = await talking([rule()]);
    await ask(anna, 'monitor', start());
    const id = recordIdOf(anna);
    await until(
      'it is written',
      async () => (await folder.keeping.shelf.read(id))?.sections[0]?.handle !== '',
    );
    expect(await eraseRecordings(folder.keeping.shelf, max.split('/')[0] as BareJid)).toHaveLength(1);
    await ask(anna, 'monitor', xml('Pause', { channel: own.channel }));
    await until('it is stopped', () => actions.at(-1)?.[0] === 'stopRecording');
    await until('they are told', () => events(max).at(-1)?.includes("eventType='stop'") ?? false);
    for (const each of [own, theirs]) happen(ends(each), told({ ...each, state: 'ended' }, 'hangup'));
    expect(await ask(anna, 'monitor', xml('FindRecord', { recordId: id }))).toEqual(
      failure('no-such-record'),
    );
    expect(await ask(anna, 'monitor', xml('FindOwn', {}))).toContain('<RecordEntryList/>');
    await until('nothing is left', async () => (await readdir(folder.dir)).length === 0);
  });

  it('without a directory nothing is recorded', async () => {
    const made = api();
    made.allow({ recording: recording(rule()) });
    made.views.push(own, theirs);
    made.happen(enters(theirs));
    made.happen(enters(own));
    expect(await made.ask(anna, 'monitor', start())).toEqual(failure('not-available'));
  });
});

describe('Pause and Resume', () => {
  it('are for everybody in the call, and told', async () => {
    const { ask, events, actions } = await talking([rule({ users: new Set(['tweber']) })]);
    expect(await ask(max, 'monitor', xml('Pause', { channel: theirs.channel }))).toEqual(
      failure('not-recording'),
    );
    await ask(anna, 'monitor', start());
    expect(await ask(max, 'monitor', xml('Pause', { channel: theirs.channel }))).toEqual(success);
    expect(events(anna).at(-1)).toContain("state='paused'");
    expect(await ask(anna, 'monitor', xml('Resume', { channel: own.channel }))).toEqual(success);
    expect(events(max).at(-1)).toContain("state='recording'");
    expect(actions.filter(([verb]) => verb === 'muteRecording').map((each) => each.at(-1))).toEqual([
      true,
      false,
    ]);
    expect(await ask(boss, 'monitor', xml('Pause', { channel: own.channel }))).toEqual(
      failure('not-permitted'),
    );
  });
});

describe('FindRecord', () => {
  const find = (recordId: string) => xml('FindRecord', { recordId });

  async function recorded(...rules: RecordingRule[]) {
    const made = await talking(rules.length > 0 ? rules : [rule()]);
    await made.ask(anna, 'monitor', start());
    await made.ask(anna, 'monitor', stop());
    return { ...made, id: made.recordIdOf(anna) };
  }

  it('reads length and size from the file', async () => {
    const { ask, id } = await recorded();
    const answer = await ask(anna, 'monitor', find(id));
    expect(answer).toContain(`<RecordEntry id='${id}'><JournalEntry eventId='1.1' eventType='new' userId=`);
    expect(answer).toContain('<name>Max Meyer</name><number>370</number>');
    expect(answer).toContain(
      `<Record duration='2' ruleId='anybody' file='${id}-1.wav' state='finished' type='manual' timestamp='1000' identity='tweber'><AudioFile format='wav' size='32044'/></Record>`,
    );
    // Asterisk did not get to finish its head.
    await writeFile(join(folder.dir, `${id}-1.wav`), wav(5, 0));
    expect(await ask(anna, 'monitor', find(id))).toContain("<Record duration='5'");
    await writeFile(join(folder.dir, `${id}-1.wav`), 'no sound');
    expect(await ask(anna, 'monitor', find(id))).toContain("<Record duration='0'");
    await rm(join(folder.dir, `${id}-1.wav`));
    expect(await ask(anna, 'monitor', find(id))).toContain("state='missing'");
  });

  it('is for those in the call and their supervisors, as the audience says', async () => {
    const { ask, id, allow, audited } = await recorded();
    expect(await ask(max, 'monitor', find(id))).toContain('<name>Thomas Weber</name>');
    expect(await ask(boss, 'monitor', find(id))).toContain('RecordEntry');
    expect(await ask('nophone@example.org/x', 'monitor', find(id))).toEqual(failure('no-such-record'));
    allow({ supervisorsWithinGroups: true });
    expect(await ask(boss, 'monitor', find(id))).toEqual(failure('no-such-record'));
    allow({ supervisorsWithinGroups: false, recording: { ...recording(rule()), audience: new Set() } });
    for (const other of [boss, max])
      expect(await ask(other, 'monitor', find(id))).toEqual(failure('no-such-record'));
    expect(await ask(anna, 'monitor', find(id))).toContain('RecordEntry');
    const trail = audited.filter(({ command }) => command === 'monitor.FindRecord');
    expect(trail.map(({ user: who, outcome }) => `${who} ${outcome}`)).toEqual([
      'mmeyer ok',
      'boss ok',
      'nophone no-such-record',
      'boss no-such-record',
      'boss no-such-record',
      'mmeyer no-such-record',
      'tweber ok',
    ]);
    expect(trail[0]?.on).toEqual({ recordId: id });
  });

  it('is named by the journal', async () => {
    const { ask, at, happen, recordIdOf } = await talking([rule()]);
    at(Date.now());
    await ask(anna, 'monitor', start());
    const id = recordIdOf(anna);
    for (const each of [own, theirs]) happen(ends(each), told({ ...each, state: 'ended' }, 'hangup'));
    await until('the journal has it', async () =>
      (await ask(anna, 'journal', xml('FindOwn', {}))).includes(`<recordId>${id}</recordId>`),
    );
  });

  it('sends a section to the client that asks, and nothing else', async () => {
    const { ask, id, actions, fail, audited } = await recorded();
    const init = (parts: Readonly<Record<string, string>> = {}) =>
      xml('InitTransfer', { recordId: id, ruleId: 'anybody', file: `${id}-1.wav`, ...parts });
    expect(await ask(anna, 'monitor', init({ method: 'link' }))).toEqual(success);
    expect(actions.at(-1)).toEqual(['send', anna, `${id}-1.wav`, 32_044, 'link']);
    expect(audited.at(-1)).toMatchObject({
      command: 'monitor.InitTransfer',
      on: { recordId: id, file: `${id}-1.wav` },
    });
    for (const wrong of [
      { ruleId: 'other' },
      { file: `${id}-2.wav` },
      { file: `../${id}-1.wav` },
      { recordId: 'x' },
    ]) {
      expect(await ask(anna, 'monitor', init(wrong))).toEqual(failure('no-such-record'));
    }
    expect(await ask('nophone@example.org/x', 'monitor', init())).toEqual(failure('no-such-record'));
    expect(await ask('tweber@example.org', 'monitor', init())).toEqual(failure('not-supported'));
    expect(await ask(anna, 'monitor', init({ format: 'mp3' }))).toEqual(failure('not-supported'));
    fail(new Failure('rejected', 'You have 3 transfers already.'));
    expect(await ask(anna, 'monitor', init())).toEqual(failure('rejected'));
    fail(undefined);
    await ask(anna, 'monitor', start());
    expect(await ask(anna, 'monitor', init({ file: `${id}-2.wav` }))).toEqual(failure('not-available'));
    await rm(join(folder.dir, `${id}-1.wav`));
    expect(await ask(anna, 'monitor', init())).toEqual(failure('no-such-record'));
  });

  it('lists one’s own', async () => {
    const { ask, at, happen, recordIdOf } = await talking([rule()]);
    at(Date.now());
    await ask(anna, 'monitor', start());
    const id = recordIdOf(anna);
    for (const each of [own, theirs]) happen(ends(each));
    expect(await ask(max, 'monitor', xml('FindOwn', {}))).toContain(
      `<RecordEntryList><RecordEntry id='${id}'>`,
    );
    expect(await ask(max, 'monitor', xml('FindOwn', { before: id }))).toContain('<RecordEntryList/>');
    expect(await ask(boss, 'monitor', xml('FindOwn', {}))).toContain('<RecordEntryList/>');
  });

  it('never leaves the directory', async () => {
    const { ask, id, happen } = await recorded();
    for (const each of [own, theirs]) happen(ends(each));
    const file = join(folder.dir, `${id}-1.wav`);
    await rm(file);
    await symlink('/etc/passwd', file);
    expect(await ask(anna, 'monitor', find(id))).toContain("state='missing'");
    await rm(file);
    const outside = await recordingFolder();
    await writeFile(join(outside.dir, 'secret'), 'x');
    await link(join(outside.dir, 'secret'), file);
    expect(await ask(anna, 'monitor', find(id))).toContain("state='missing'");
    await outside.remove();
    await rm(file);
    await mkdir(file);
    expect(await ask(anna, 'monitor', find(id))).toContain("state='missing'");
    for (const bad of ['../../etc/passwd', `${id}/../x`, `${id}.json`, '']) {
      expect(await ask(anna, 'monitor', find(bad))).toMatch(/^bad-request/);
    }
    expect(await ask(anna, 'monitor', find('19990101T000000-0000000000000000'))).toEqual(
      failure('no-such-record'),
    );
    // A note that names a file elsewhere is none.
    const note = {
      id,
      at: 1,
      legs: [],
      sections: [
        {
          file: '../../etc/passwd',
          ruleId: '',
          identity: 'tweber',
          anchor: '',
          handle: '',
          paused: false,
          from: 1,
          to: 2,
          heard: [],
        },
      ],
    };
    await writeFile(join(folder.dir, `${id}.json`), JSON.stringify(note));
    const answer = await ask(anna, 'monitor', find(id));
    expect(answer).not.toContain('passwd');
    expect(answer).toContain("state='missing'");
  });
});

it('says so where the store cannot be read, and not what is wrong with it', async () => {
  const store = createMemoryStore();
  const away = () => Promise.reject(new Error('Redis at 127.0.0.1:1: nobody listens there'));
  const { ask } = api({
    recordings: folder.keeping,
    store: { ...store, ledger: (book, keep) => ({ ...store.ledger(book, keep), read: away, get: away }) },
  });
  for (const request of [
    xml('FindOwn', {}),
    xml('FindRecord', { recordId: '20261126T101500-00112233445566ff' }),
  ]) {
    const answer = await ask(anna, 'monitor', request);
    expect(answer).toEqual(failure('not-available'));
    expect(answer).not.toContain('127.0.0.1');
  }
});
