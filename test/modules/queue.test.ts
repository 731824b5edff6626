import { beforeEach, describe, expect, it } from 'vitest';
import type { CallChange, ChannelView } from '../../src/calls/changes.ts';
import { Failure } from '../../src/errors.ts';
import type { PbxEvent } from '../../src/pbx/events.ts';
import type { DeviceName } from '../../src/pbx/pbx.ts';
import { xml } from '../../src/protocol/xml.ts';
import {
  abandons,
  answers,
  goesOn,
  hangsUp,
  joins,
  leaves,
  member,
  queues,
  rings,
} from '../queues/script.ts';
import { api, device, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const bernd = 'mmeyer@example.org/desk';
const boss = 'boss@example.org/desk';
const nobody = 'nophone@example.org/desk';

const grant = (name: string, dynamic: boolean, penalty = 0) => ({ name, dynamic, penalty });

/** Anna serves Support by configuration and may log in to Sales and Night; Bernd is the member of Sales by his extension. */
function centre() {
  const made = api();
  made.change(
    user('tweber', '340', 'Thomas Weber', {
      queues: [grant('sales', true, 3), grant('Night', true)],
      devices: [device('Desk 340', 'PJSIP/340')],
    }),
  );
  made.allow({
    pauseReasons: new Map([
      ['lunch', 'Lunch break'],
      ['talk', 'Meeting'],
    ]),
  });
  const local = member('Local/370@internal/n', { queue: 'Sales', stateInterface: 'PJSIP/370', name: 'Max' });
  const outside = member('PJSIP/trunk-agent', { name: 'Outside help' });
  made.happen(
    queues({
      Support: [[member('PJSIP/340', { name: 'Thomas' }), outside], []],
      Sales: [[local], []],
      Night: [[], []],
    }),
  );
  made.sent.splice(0);
  const ask = (from: string, command: string, attributes: Record<string, string> = {}) =>
    made.ask(from, 'queue', xml(command, attributes));
  const subscribe = (from: string, scope: string, ...filters: [name: string, equals: string][]) =>
    made.ask(
      from,
      'event',
      xml('AddSubscription', {}, [
        xml(
          'Subscription',
          { module: 'queue', type: '*', scope },
          filters.map(([name, equals]) => xml('AttributeFilter', { name, equals })),
        ),
      ]),
    );
  /** Whom the messages went to, and which event of which queue they were. */
  const told = () =>
    made.sent.splice(0).map((stanza) => {
      const to = /to='(\w+)@/.exec(stanza)?.[1];
      const event = /<(Queue\w+)/.exec(stanza)?.[1];
      return `${to} ${event} ${/(?:queue|name)='(\w+)'/.exec(stanza)?.[1]}`;
    });
  const hear = (change: CallChange) => made.happen({ type: 'feed-down', at: 1 }, change);
  const happen = (...events: PbxEvent[]) => {
    for (const event of events) made.happen(event);
  };
  return { ...made, hear, happen, ask, askOf: made.ask, subscribe, told, local };
}

const ok = expect.stringContaining('<Success>');
const failure = (code: string) => expect.stringContaining(`<Failure code='${code}'>`);
const logsIn = (one = member('PJSIP/340', { queue: 'Sales', dynamic: true })): PbxEvent => ({
  type: 'queue-member-added',
  member: one,
  at: 1000,
});

let made: ReturnType<typeof centre>;
beforeEach(() => {
  made = centre();
});

describe('FindOwnState', () => {
  it('shows memberships, and queues to log in to', async () => {
    const answer = await made.ask(anna, 'FindOwnState');
    expect(answer).toContain(
      "<QueueMemberState agent='tweber' queue='Support' dynamic='false' loggedin='true' paused='false' eventType='' eventId='Support/tweber' pauseReason='' penalty='0'>",
    );
    expect(answer).toContain("queue='Sales' dynamic='true' loggedin='false'");
    expect(answer).toContain("penalty='3'");
    expect(answer).toContain('<displayname>Thomas Weber</displayname>');
    expect(answer).not.toContain('mmeyer');
  });

  it('knows a member by extension, state interface and name', async () => {
    expect(await made.ask(bernd, 'FindOwnState')).toContain("agent='mmeyer' queue='Sales'");
    made.happen(
      logsIn(member('SIP/abc', { stateInterface: 'hint:399@internal' })),
      logsIn(member('SIP/def', { stateInterface: 'SIP/def', name: 'Bea Boss' })),
    );
    expect(await made.ask(nobody, 'FindOwnState')).toContain("agent='nophone' queue='Support'");
    expect(await made.ask(boss, 'FindOwnState')).toContain("agent='boss' queue='Support'");
  });

  it('knows whoever sits at a place by its telephone, as long as that is so', async () => {
    made.happen(logsIn(member('PJSIP/desk1')));
    expect(await made.ask(bernd, 'FindOwnState')).not.toContain("queue='Support'");
    await made.subscribe(bernd, 'user');
    await made.askOf(bernd, 'location', xml('RelocateUser', { location: 'Desk 1' }));
    expect(await made.ask(bernd, 'FindOwnState')).toContain("agent='mmeyer' queue='Support'");
    made.happen(joins('a'));
    expect(made.told()).toContain('mmeyer QueueJoinEvent Support');
    await made.askOf(bernd, 'location', xml('LogoutUser'));
    made.told();
    made.happen(joins('b', { position: 2, count: 2 }));
    expect(made.told()).toEqual([]);
  });

  it('is empty for who is in none', async () => {
    expect(await made.ask(nobody, 'FindOwnState')).toContain("<QueueMemberStates eventType='' eventId=''/>");
  });

  it('is in UserInfo, too', async () => {
    const info = await made.askOf(anna, 'xmppuser', xml('ClientInfo'));
    expect(info).toContain("<QueueMemberState agent='tweber' queue='Support'");
  });
});

describe('FindQueueState', () => {
  it('shows who waits in order, who serves, and the reasons for a break', async () => {
    made.happen(joins('PJSIP/trunk-00000001'), joins('PJSIP/370-00000002', { position: 2, count: 2 }));
    const answer = await made.ask(anna, 'FindQueueState', { name: 'support' });
    expect(answer).toContain(
      "<QueueState jid='' name='Support'><QueueCallEntryList><QueueCallEntry><position>1</position><channel>PJSIP/trunk-00000001</channel>",
    );
    expect(answer).toContain('<position>2</position><channel>PJSIP/370-00000002</channel>');
    // A colleague by the channel's device; anybody else as signaled.
    expect(answer).toContain('<displayname>Max Meyer</displayname>');
    expect(answer).toContain('<phone>+4930123</phone>');
    expect(answer).toContain("agent='PJSIP/trunk-agent' queue='Support'");
    expect(answer).toContain(
      "<QueuePauseReason code='lunch'><reason>Lunch break</reason></QueuePauseReason>",
    );
  });

  it('shows to who may log in, and to supervisors, and to nobody else', async () => {
    expect(await made.ask(anna, 'FindQueueState', { name: 'Sales' })).toContain(
      "agent='tweber' queue='Sales' dynamic='true' loggedin='false'",
    );
    expect(await made.ask(boss, 'FindQueueState', { name: 'Night' })).toContain("name='Night'");
    expect(await made.ask(bernd, 'FindQueueState', { name: 'Support' })).toEqual(failure('not-permitted'));
    expect(await made.ask(boss, 'FindQueueState', { name: 'Nowhere' })).toEqual(failure('no-such-queue'));
  });

  it('keeps to the groups of a supervisor where the configuration does', async () => {
    made.allow({ supervisorsWithinGroups: true });
    expect(await made.ask(boss, 'FindQueueState', { name: 'Sales' })).toEqual(failure('not-permitted'));
    made.change(
      user('boss', '320', 'Bea Boss', {
        roles: new Set(['xmpp.connect', 'xmpp.supervisor']),
        groups: new Set(['a']),
      }),
      user('mmeyer', '370', 'Max Meyer', { groups: new Set(['a']) }),
    );
    expect(await made.ask(boss, 'FindQueueState', { name: 'Sales' })).toContain("name='Sales'");
    expect(await made.ask(boss, 'FindQueueState', { name: 'Support' })).toEqual(failure('not-permitted'));
  });
});

describe('AgentLogin', () => {
  it('logs in with the penalty and the name of the directory', async () => {
    expect(await made.ask(anna, 'AgentLogin', { queue: 'SALES' })).toEqual(ok);
    expect(made.actions).toEqual([
      [
        'queueAdd',
        {
          queue: 'Sales',
          interface: 'PJSIP/340',
          stateInterface: 'PJSIP/340',
          name: 'Thomas Weber',
          penalty: 3,
        },
      ],
    ]);
    expect(made.audited.at(-1)).toMatchObject({ command: 'queue.AgentLogin' });
  });

  it('is only for queues that the directory grants', async () => {
    expect(await made.ask(bernd, 'AgentLogin', { queue: 'Night' })).toEqual(failure('not-permitted'));
    expect(await made.ask(anna, 'AgentLogin', { queue: 'Nowhere' })).toEqual(failure('no-such-queue'));
    expect(await made.ask(anna, 'AgentLogin', { queue: 'Support' })).toEqual(failure('already-logged-in'));
    expect(made.actions).toEqual([]);
  });

  it('lets an agent come later than granted, and only a supervisor let somebody come first', async () => {
    expect(await made.ask(anna, 'AgentLogin', { queue: 'Sales', penalty: '2' })).toEqual(
      failure('not-permitted'),
    );
    expect(await made.ask(anna, 'AgentLogin', { queue: 'Sales', penalty: '9' })).toEqual(ok);
    expect(await made.ask(boss, 'AgentLogin', { queue: 'Sales', penalty: '0', agent: 'tweber' })).toEqual(ok);
    expect(made.actions.map(([, login]) => login)).toMatchObject([{ penalty: 9 }, { penalty: 0 }]);
  });

  it('acts for others only where the sender supervises them', async () => {
    expect(await made.ask(bernd, 'AgentLogin', { queue: 'Sales', agent: 'tweber' })).toEqual(
      failure('not-permitted'),
    );
    expect(await made.ask(bernd, 'AgentLogin', { queue: 'Sales', agent: 'who' })).toEqual(
      failure('not-permitted'),
    );
    expect(await made.ask(boss, 'AgentLogin', { queue: 'Sales', agent: 'who' })).toEqual(
      failure('no-such-user'),
    );
    expect(await made.ask(boss, 'AgentLogin', { queue: 'Support', agent: 'mmeyer' })).toEqual(
      failure('not-permitted'),
    );
    made.allow({ supervisorsWithinGroups: true });
    expect(await made.ask(boss, 'AgentLogin', { queue: 'Sales', agent: 'tweber@example.org' })).toEqual(
      failure('not-permitted'),
    );
    expect(made.actions).toEqual([]);
  });

  it('with * logs in wherever the agent is not yet', async () => {
    expect(await made.ask(anna, 'AgentLogin', { queue: '*' })).toEqual(ok);
    expect(made.actions.map(([verb]) => verb)).toEqual(['queueAdd', 'queueAdd']);
    made.happen(logsIn(), logsIn(member('PJSIP/340', { queue: 'Night', dynamic: true })));
    expect(await made.ask(anna, 'AgentLogin', { queue: '*' })).toEqual(failure('already-logged-in'));
    expect(await made.ask(bernd, 'AgentLogin', { queue: '*' })).toEqual(failure('not-permitted'));
  });

  it('with * reports each failure, and does the rest', async () => {
    made.change(
      user('tweber', '340', 'Thomas Weber', {
        queues: [grant('Sales', true), grant('Gone', true), grant('Lost', true)],
      }),
    );
    const answer = await made.ask(anna, 'AgentLogin', { queue: '*' });
    expect(answer).toEqual(failure('no-such-queue'));
    expect(answer).toContain('Gone: There is no queue');
    expect(answer).toContain('Lost: There is no queue');
    expect(answer).toContain('Done in 1 others.');
    expect(made.actions).toHaveLength(1);
  });

  it('says what the telephone system says', async () => {
    made.fail(new Failure('already-logged-in', 'The telephone system says: Already there.'));
    expect(await made.ask(anna, 'AgentLogin', { queue: 'Sales' })).toEqual(failure('already-logged-in'));
  });
});

describe('AgentLogout', () => {
  it('ends what was begun, and nothing that the configuration says', async () => {
    made.happen(logsIn());
    expect(await made.ask(anna, 'AgentLogout', { queue: 'Sales' })).toEqual(ok);
    expect(await made.ask(anna, 'AgentLogout', { queue: '*' })).toEqual(ok);
    expect(made.actions).toEqual([
      ['queueRemove', 'Sales', 'PJSIP/340'],
      ['queueRemove', 'Sales', 'PJSIP/340'],
    ]);
    expect(await made.ask(anna, 'AgentLogout', { queue: 'Support' })).toEqual(failure('static-member'));
    expect(await made.ask(anna, 'AgentLogout', { queue: 'Night' })).toEqual(failure('not-logged-in'));
    expect(await made.ask(nobody, 'AgentLogout', { queue: '*' })).toEqual(failure('not-logged-in'));
    expect(await made.ask(anna, 'AgentLogout', { queue: 'Nowhere' })).toEqual(failure('no-such-queue'));
  });
});

describe('AgentPause', () => {
  const paused = (): PbxEvent => ({
    type: 'queue-member-changed',
    member: member('PJSIP/340', { paused: true, pausedReason: 'Meeting' }),
    at: 1000,
  });

  it('takes a reason of the configuration, by code or text', async () => {
    expect(await made.ask(anna, 'AgentPause', { queue: 'Support', reason: 'lunch' })).toEqual(ok);
    expect(await made.ask(anna, 'AgentPause', { queue: '*', reason: 'Meeting' })).toEqual(ok);
    expect(made.actions).toEqual([
      ['queuePause', 'Support', 'PJSIP/340', true, 'Lunch break'],
      ['queuePause', 'Support', 'PJSIP/340', true, 'Meeting'],
    ]);
    expect(await made.ask(anna, 'AgentPause', { queue: 'Support', reason: 'bored' })).toEqual(
      failure('no-such-reason'),
    );
    expect(await made.ask(anna, 'AgentPause', { queue: 'Support' })).toEqual(failure('no-such-reason'));
  });

  it('is off where there are no reasons; ending a break never is', async () => {
    made.allow({ pauseReasons: new Map() });
    expect(await made.ask(anna, 'AgentPause', { queue: 'Support', reason: 'lunch' })).toEqual(
      failure('not-available'),
    );
    made.happen(paused());
    expect(await made.ask(anna, 'AgentUnpause', { queue: 'Support', reason: '' })).toEqual(ok);
    expect(made.actions).toEqual([['queuePause', 'Support', 'PJSIP/340', false, '']]);
  });

  it('has its own code for everything that is so already', async () => {
    expect(await made.ask(anna, 'AgentUnpause', { queue: 'Support' })).toEqual(failure('not-paused'));
    made.happen(paused());
    expect(await made.ask(anna, 'AgentPause', { queue: 'Support', reason: 'talk' })).toEqual(
      failure('already-paused'),
    );
    expect(await made.ask(anna, 'AgentPause', { queue: 'Sales', reason: 'talk' })).toEqual(
      failure('not-logged-in'),
    );
    expect(await made.ask(anna, 'AgentPause', { queue: 'Nowhere', reason: 'talk' })).toEqual(
      failure('no-such-queue'),
    );
  });

  it('lets a supervisor act for others, also for members that are no users', async () => {
    expect(
      await made.ask(boss, 'AgentPause', { queue: 'Support', reason: 'talk', agent: 'PJSIP/trunk-agent' }),
    ).toEqual(ok);
    expect(await made.ask(boss, 'AgentPause', { queue: '*', reason: 'talk', agent: 'mmeyer' })).toEqual(ok);
    expect(made.actions).toEqual([
      ['queuePause', 'Support', 'PJSIP/trunk-agent', true, 'Meeting'],
      ['queuePause', 'Sales', 'Local/370@internal/n', true, 'Meeting'],
    ]);
    expect(
      await made.ask(anna, 'AgentPause', { queue: 'Support', reason: 'talk', agent: 'PJSIP/trunk-agent' }),
    ).toEqual(failure('not-permitted'));
  });
});

describe('FindStats', () => {
  const counters = {
    waiting: 2,
    completed: 5,
    abandoned: 1,
    holdTime: 14,
    talkTime: 180,
    serviceLevel: 60,
    serviceLevelPerformance: 80,
    serviceLevelPerformance2: 66.7,
  };

  it('gives Asterisk’s counters, and since when they count as far as that shows', async () => {
    made.queueCounters.set('Support', counters);
    expect(await made.ask(anna, 'FindStats', { name: 'Support' })).toContain(
      "<QueueStats name='Support' calls='2' completed='5' abandoned='1' holdtime='14' talktime='180' serviceLevel='60' serviceLevelPerformance='80.0' serviceLevelPerformance2='66.7'/>",
    );
    made.at(9000);
    made.queueCounters.set('Support', { ...counters, completed: 0, abandoned: 0 });
    expect(await made.ask(boss, 'FindStats', { name: 'Support' })).toContain("since='9000'");
    expect(await made.ask(bernd, 'FindStats', { name: 'Support' })).toEqual(failure('not-permitted'));
    expect(await made.ask(boss, 'FindStats', { name: 'Sales' })).toEqual(failure('no-such-queue'));
  });

  it('counts from the start of Asterisk on where that was told', async () => {
    made.queueCounters.set('Support', counters);
    made.happen({
      type: 'queues',
      queues: [{ name: 'Support', members: [], entries: [] }],
      started: 77_000,
      meanwhile: [],
      at: 99_000,
    });
    expect(await made.ask(boss, 'FindStats', { name: 'Support' })).toContain("since='77000'");
  });
});

describe('FindMissed', () => {
  const name = 'PJSIP/trunk-1';
  const misses = () =>
    made.happen(
      joins(name),
      hangsUp(name),
      { ...abandons(name), at: 61_400 },
      { ...leaves(name), at: 61_400 },
    );
  const talksTo = (number: string, changes: Partial<ChannelView> = {}) =>
    made.hear({
      kind: 'channel',
      type: 'busy',
      details: '',
      view: view({ outbound: true, state: 'busy', other: { number, name: '' }, ...changes }),
      at: 70_000,
    });
  const find = (attributes = {}) => made.ask(anna, 'FindMissed', { name: 'Support', ...attributes });

  it('lists calls that nobody took, newest first, with who it was and how long they waited', async () => {
    expect(await find()).toContain('<MissedCallList/>');
    misses();
    made.happen(joins('b'), rings('b', 'PJSIP/340'), answers('b', 'PJSIP/340'), leaves('b'));
    made.happen({ ...joins('c'), at: 90_000 }, abandons('c', { at: 99_000 }), leaves('c', { at: 99_000 }), {
      ...goesOn('c'),
      at: 99_000,
    });
    const answer = await find();
    expect(answer.match(/<MissedCall /g)).toHaveLength(2);
    expect(answer).toMatch(
      /timestamp='99000' waited='9' number='\+4930123' reason='timeout'.*timestamp='61400' waited='60'/,
    );
    expect(answer).toContain("calledBack='false' settled='' settledAt='0' settledBy=''");
    expect(answer).toContain('<displayname>Max</displayname>');
    expect((await find({ limit: '1' })).match(/<MissedCall /g)).toHaveLength(1);
  });

  it('sees that somebody of the queue has called back, however the number was dialed', async () => {
    misses();
    talksTo('0030124');
    talksTo('0+49301234');
    talksTo('0+4930123', { outbound: false });
    talksTo('0+4930123', { device: 'PJSIP/370' as DeviceName });
    expect(await find()).toContain("calledBack='false'");
    expect(await find({ open: 'true' })).toContain('<MissedCall ');
    talksTo('0+4930123');
    expect(await find()).toContain(
      "calledBack='true' settled='callback' settledAt='70000' settledBy='tweber'",
    );
    expect(await find({ open: 'true' })).toContain('<MissedCallList/>');
  });

  it('sees that the caller got through later', async () => {
    misses();
    made.happen(joins('b'), rings('b', 'PJSIP/340'), answers('b', 'PJSIP/340'), leaves('b'));
    expect(await find()).toContain(
      "calledBack='false' settled='called-again' settledAt='1000' settledBy='tweber'",
    );
  });

  it('is for those in the queue and for supervisors', async () => {
    misses();
    expect(await made.ask(bernd, 'FindMissed', { name: 'Support' })).toEqual(failure('not-permitted'));
    expect(await made.ask(boss, 'FindMissed', { name: 'Support' })).toContain('<MissedCall ');
    expect(await made.ask(boss, 'FindMissed', { name: 'Sales' })).toContain('<MissedCallList/>');
  });

  it('keeps nothing of calls that were sent elsewhere', async () => {
    made.happen(joins('a'), abandons('a', {}, '601'), leaves('a', {}, '601'));
    expect(await find()).toContain('<MissedCallList/>');
  });
});

describe('events', () => {
  it('go to everybody in the queue, logged in or not, and to supervisors', async () => {
    for (const who of [anna, bernd, nobody]) await made.subscribe(who, 'user');
    await made.subscribe(boss, 'supervisor');
    made.happen(
      joins('PJSIP/trunk-1'),
      joins('PJSIP/trunk-2', { queue: 'Sales' }),
      joins('PJSIP/trunk-3', { queue: 'Night' }),
    );
    expect(made.told()).toEqual([
      'tweber QueueJoinEvent Support',
      'boss QueueJoinEvent Support',
      'tweber QueueJoinEvent Sales',
      'mmeyer QueueJoinEvent Sales',
      'boss QueueJoinEvent Sales',
      'tweber QueueJoinEvent Night',
      'boss QueueJoinEvent Night',
    ]);
  });

  it('say why a call left, and who took it', async () => {
    await made.subscribe(anna, 'user');
    const name = 'PJSIP/trunk-1';
    made.happen(joins(name), rings(name, 'PJSIP/340'), answers(name, 'PJSIP/340'), leaves(name));
    made.happen(joins(name), hangsUp(name), abandons(name), leaves(name));
    expect(made.sent[1]).toContain(
      "<QueueLeaveEvent jid='' name='Support' eventDetails='connected' agent='tweber'><QueueCallEntry><position>1</position>",
    );
    expect(made.sent[3]).toContain(
      "<QueueLeaveEvent jid='' name='Support' eventDetails='abandoned' agent=''>",
    );
  });

  it('take effect for who comes, and for who goes, at once', async () => {
    await made.subscribe(bernd, 'user');
    made.happen(logsIn(member('PJSIP/370', { dynamic: true })), joins('a'));
    expect(made.told()).toEqual(['mmeyer QueueMemberState Support', 'mmeyer QueueJoinEvent Support']);
    made.happen({ type: 'queue-member-removed', member: member('PJSIP/370', { dynamic: true }), at: 1 });
    expect(made.sent[0]).toContain("loggedin='false' paused='false' eventType='logout'");
    expect(made.told()).toEqual(['mmeyer QueueMemberState Support']);
    made.happen(joins('b', { position: 2, count: 2 }));
    expect(made.told()).toEqual([]);
  });

  it('take effect when the directory grants a queue', async () => {
    await made.subscribe(nobody, 'user');
    made.happen(joins('a'));
    made.change(user('nophone', '399', 'Nora Nophone', { devices: [], queues: [grant('support', true)] }));
    made.happen(joins('b', { position: 2, count: 2 }));
    expect(made.told()).toEqual(['nophone QueueJoinEvent Support']);
  });

  it.each<[string, [string, string][], string[]]>([
    ['by queue', [['queue', 'Support']], ['QueueMemberState', 'QueueJoinEvent', 'QueueLeaveEvent']],
    ['by another queue', [['queue', 'Sales']], []],
    ['by agent', [['agent', 'tweber']], ['QueueMemberState', 'QueueLeaveEvent']],
    [
      'by queue and agent',
      [
        ['queue', 'Support'],
        ['agent', 'tweber'],
      ],
      ['QueueMemberState', 'QueueLeaveEvent'],
    ],
    [
      'by queue and another agent',
      [
        ['queue', 'Support'],
        ['agent', 'mmeyer'],
      ],
      [],
    ],
  ])('are filtered %s', async (_, filters, events) => {
    await made.subscribe(boss, 'supervisor', ...filters);
    made.happen({
      type: 'queue-member-changed',
      member: member('PJSIP/340', { paused: true, name: 'Thomas' }),
      at: 1,
    });
    made.happen(joins('a'), rings('a', 'PJSIP/340'), answers('a', 'PJSIP/340'), leaves('a'));
    expect(made.told()).toEqual(events.map((event) => `boss ${event} Support`));
  });
});
