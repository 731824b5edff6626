/** Module `monitor`: recordings of calls. */

import type { ChannelView } from '../calls/changes.ts';
import { fail } from '../errors.ts';
import type { RecordChange } from '../monitor/monitor.ts';
import { attr, element, many, optional, textElement } from '../protocol/codec.ts';
import { integer, oneOf, pattern, text } from '../protocol/value.ts';
import type { Policy } from '../rules/policy.ts';
import { ok, success } from './answers.ts';
import { channelName } from './channel-name.ts';
import { type Context, command, defineModule, event, type World } from './define.ts';
import { describeRecord, permittedPart, permittedRecord, recordEntry, unreadable } from './record-entry.ts';

const channelOf = {
  channel: attr(
    channelName,
    'eventId of the user’s call; of a colleague’s where a rule with `calls: group` says so',
  ),
};
const id = pattern(
  /^[0-9A-Za-z-]{1,64}$/,
  'the id of a recording, as RecordEvent and the journal have it',
  '20261126T101500-00112233445566ff',
);

const recordList = element('RecordEntryList', { entries: many(recordEntry) });

const recordEvent = event({
  doc:
    'What may be recorded of a call and what is, to everybody of ours who is in it: when the call is answered, at every start and stop, ' +
    'when the rules or the parties are others than before (a transfer: the recording goes on in another file), and when a recorded call is held, ' +
    'paused or goes on. `stop` may be followed by a `start`: while a user is parked or waits, nothing is recorded.',
  on: 'record',
  payload: element('RecordEvent', {
    eventType: attr(oneOf('start', 'stop'), '`start`: a recording runs; `stop`: none does'),
    eventId: attr(text('PJSIP/340-0000001c'), 'the user’s own channel'),
    ruleId: attr(text('support'), 'the rule that counts; empty where none says anything'),
    permission: attr(
      oneOf('auto', 'allow', 'deny'),
      'what the user may do: `allow`: start one, `auto`: it starts by itself, `deny`: nothing',
    ),
    identity: attr(
      text('tweber'),
      'user name of who started what runs; empty where a rule did, or nothing runs',
    ),
    file: attr(text('20261126T101500-00112233445566ff-1.wav'), 'empty where nothing runs'),
    recordId: optional(text('20261126T101500-00112233445566ff'), 'for FindRecord, while a recording runs'),
    state: optional(
      oneOf('recording', 'paused', 'held'),
      'of what runs; `paused`: silence is written, `held`: one of the two holds the call',
    ),
    headchannel: textElement(text('PJSIP/340-0000001c'), '', 'the calling channel'),
    tailchannel: textElement(text('PJSIP/370-0000001d'), '', 'the called channel'),
  }),
  from: (change, world) => [describe(change, world)],
});

function describe(change: RecordChange, { directory }: World) {
  const owner = directory.byDevice(change.device)?.user;
  return {
    concerns: owner === undefined ? [] : [owner],
    about: { key: change.channel, facet: 'record' },
    value: {
      eventType: change.type,
      eventId: change.channel,
      ruleId: change.ruleId,
      permission: change.permission,
      identity: change.identity,
      file: change.file,
      recordId: change.recordId === '' ? undefined : change.recordId,
      state: change.state === '' ? undefined : change.state,
      headchannel: change.head,
      tailchannel: change.tail,
    },
  };
}

const off = (policy: Policy) =>
  policy.recording === undefined ? 'Recording is switched off on this system.' : undefined;

/** A call, and by what right the caller may touch its recording. */
interface Reach {
  readonly view: ChannelView;
  readonly mine: boolean;
  /** The rule that lets the caller record; undefined where none does. */
  readonly ruleId: string | undefined;
}

/** Throws `Failure` `no-such-channel`, `not-permitted`. */
function reach(request: { readonly channel: ChannelView['channel'] }, context: Context): Reach {
  const { caller, calls, directory, monitor } = context;
  const view = calls.channel(request.channel) ?? fail('no-such-channel', 'There is no such call (any more).');
  const mine = directory.byDevice(view.device)?.user.jid === caller.user.jid;
  if (mine) {
    const { permission, ruleId } = monitor.verdictOf(view);
    return { view, mine, ruleId: permission === 'deny' ? undefined : ruleId };
  }
  const ruleId = monitor.ruleForOthers(caller.user, view);
  if (ruleId === undefined) fail('not-permitted', 'This is not your call.');
  return { view, mine, ruleId };
}

function running(view: ChannelView, { monitor }: Context) {
  return monitor.runningOn(view) ?? fail('not-recording', 'This call is not being recorded.');
}

/** Throws `Failure` `not-permitted` where somebody may not silence what runs. */
async function setPaused(
  request: { readonly channel: ChannelView['channel'] },
  paused: boolean,
  context: Context,
) {
  const { view, mine } = reach(request, context);
  const { identity } = running(view, context);
  // Whoever is in the call knows when a card number comes.
  if (!mine && identity !== context.caller.user.name) fail('not-permitted', 'This is not your recording.');
  await context.monitor.pause(view, paused);
  return ok;
}

/** Module `monitor`. */
export const monitor = defineModule({
  name: 'monitor',
  doc:
    'Recordings of calls. Which calls may or must be recorded, the directory file says (`rules.recording`); where it says nothing, ' +
    'nothing is recorded.',
  commands: [
    command({
      doc: 'Records the call from now on. Several sections of one call have one recordId. Fails with `not-available` where recordings cannot be kept.',
      access: 'user',
      audited: true,
      needs: ['record', 'stopRecording'],
      off,
      request: element('Start', channelOf),
      response: success,
      async handle(request, context) {
        const { view, ruleId } = reach(request, context);
        if (ruleId === undefined) fail('not-permitted', 'You are not allowed to record this call.');
        await context.monitor.record(view, ruleId, context.caller.user.name);
        return ok;
      },
    }),
    command({
      doc: 'Ends a recording that the user has started; or one that somebody started who has left the call since.',
      access: 'user',
      audited: true,
      needs: ['stopRecording'],
      off,
      request: element('Stop', channelOf),
      response: success,
      async handle(request, context) {
        const { view, mine, ruleId } = reach(request, context);
        const { identity, starterIsThere } = running(view, context);
        if (identity === '') {
          fail('not-permitted', 'A rule records this call: it can be paused, but not stopped.');
        }
        const orphaned = !starterIsThere && mine && ruleId !== undefined;
        if (identity !== context.caller.user.name && !orphaned) {
          fail('not-permitted', 'Somebody else has started this recording.');
        }
        await context.monitor.finish(view);
        return ok;
      },
    }),
    command({
      doc: 'Silence is recorded from now on, so that a card number is not: on one’s own calls, whoever records them.',
      access: 'user',
      audited: true,
      needs: ['muteRecording'],
      off,
      request: element('Pause', channelOf),
      response: success,
      handle: (request, context) => setPaused(request, true, context),
    }),
    command({
      doc: 'Records the voices again after `Pause`.',
      access: 'user',
      audited: true,
      needs: ['muteRecording'],
      off,
      request: element('Resume', channelOf),
      response: success,
      handle: (request, context) => setPaused(request, false, context),
    }),
    command({
      doc:
        'A recording with its sections: for the user who started it, for those who are heard in it and for supervisors within whose reach ' +
        'one of these is, as far as the configuration lets them. Each sees only the sections that they may have.',
      access: 'user',
      audited: true,
      request: element('FindRecord', { recordId: attr(id) }),
      response: { codec: recordEntry },
      async handle({ recordId }, context) {
        return describeRecord(await permittedRecord(recordId, context), context);
      },
    }),
    command({
      doc:
        'Sends one section of a recording to the client that asks. `Success` means that it begins: next the client is offered a file (XEP-0096), of which it may ' +
        'take a part (`range`), over an in-band bytestream (XEP-0047); or it gets a message with a link (XEP-0066) when the file has been uploaded ' +
        '(XEP-0363), or one that says it could not be; a stream that breaks off is closed before its end. A stream goes to clients whose disco#info has both namespaces, a link to the others, where the system has links.',
      access: 'user',
      audited: true,
      request: element('InitTransfer', {
        recordId: attr(id),
        ruleId: attr(text('support', 79), 'as the Record has it'),
        file: attr(text('20261126T101500-00112233445566ff-1.wav', 100), 'as the Record has it'),
        format: optional(text('wav', 20), 'as the AudioFile has it; there is no other'),
        description: optional(text('', 200), 'handed on with the file'),
        method: optional(oneOf('stream', 'link'), 'how to send it, whatever the client says'),
      }),
      response: success,
      async handle(request, context) {
        const { session } = context.caller;
        if (session === undefined) fail('not-supported', 'A file goes to a client: ask from one.');
        if (request.format !== undefined && request.format !== 'wav') {
          fail('not-supported', 'Recordings are there as wav only.');
        }
        const record = await permittedRecord(request.recordId, context);
        const section = record.sections.find(
          ({ file, ruleId }) => file === request.file && ruleId === request.ruleId,
        );
        if (section === undefined) fail('no-such-record', 'This recording has no such section for you.');
        if (section.to === 0)
          fail('not-available', 'This is still being recorded: stop it, or wait for the end of the call.');
        const audio = await context.monitor.shelf?.open(section.file);
        if (audio === undefined) return fail('no-such-record', 'The file of this recording is gone.');
        const description = request.description ?? '';
        const file = { ...audio, name: section.file, type: 'audio/wav', description, date: section.from };
        await context.transfer.send(session, file, request.method);
        return ok;
      },
    }),
    command({
      doc: 'The user’s own recordings, newest first: those in which they are heard, as far as they may have them. `before` pages backwards.',
      access: 'user',
      audited: true,
      request: element('FindOwn', {
        limit: optional(integer(1, 100, 20), 'how many at the most; default: 20'),
        before: optional(id, 'id of the last one of the page before'),
      }),
      response: { codec: recordList },
      async handle({ limit = 20, before }, context) {
        const { caller, monitor } = context;
        const parts = await monitor
          .listOf(caller.user.jid, { limit, before }, (record) => permittedPart(record, context))
          .catch(unreadable(context));
        const entries = [];
        for (const part of parts) entries.push(await describeRecord(part, context));
        return { entries };
      },
    }),
  ],
  events: [recordEvent],
});
