import { covers } from '../ami/rights.ts';
import { exists } from '../pbx/dialplan.ts';
import { type OriginateSpec, originate, originateResponse } from '../pbx/originate.ts';
import { parseCallerId } from './callerid.ts';
import type { Action, ActionContext } from './define.ts';

/** Longest ChannelId (`AST_MAX_UNIQUEID`). */
const longestId = 149;

/** Applications that need the class system on top (`action_originate`, main/manager.c). */
const dangerous = /system|exec|agi|trysystem|mixmonitor|shell|curl|eval/i;

/** Action Originate. */
export const originateAction: Action = {
  name: 'Originate',
  synopsis: 'Originate a call.',
  privilege: ['originate'],
  run(context) {
    const spec = specOf(context);
    if (typeof spec === 'string') {
      context.error(spec);
      return;
    }
    const { pbx, header, ok, error } = context;
    if (/^(true|yes|on|1|y|t)$/i.test(header('Async'))) {
      ok('Originate successfully queued');
      originate(pbx, spec, (result) => originateResponse(pbx, spec, result, header('ActionID')));
    } else {
      originate(pbx, spec, (result) => {
        if (result.success) ok('Originate successfully queued');
        else error('Originate failed');
      });
    }
  },
};

/** The checked Originate, or what is wrong with it. */
function specOf({ pbx, session, action, header }: ActionContext): OriginateSpec | string {
  const channel = header('Channel');
  if (channel === '') return 'Channel not specified';
  if (!/^[^/]+\/.+/.test(channel)) return 'Invalid channel';
  if (header('Priority') !== '' && !/^\d+$/.test(header('Priority'))) return 'Invalid priority';
  if (header('Timeout') !== '' && !/^\d+$/.test(header('Timeout'))) return 'Invalid timeout';
  for (const id of ['ChannelId', 'OtherChannelId']) {
    if (header(id).length > longestId) return `Uniqueid length exceeds maximum of ${longestId}`;
  }
  const application = header('Application');
  if (application !== '' && !covers(session.user?.write ?? [], ['system'])) {
    if (dangerous.test(application) || dangerous.test(header('Data'))) {
      return 'Originate Access Forbidden: app or data blacklisted';
    }
  }
  const exten = header('Exten');
  const priority = header('Priority') === '' ? 0 : Number(header('Priority'));
  if (application === '' && (exten === '' || header('Context') === '' || priority === 0)) {
    // `Channel` and nowhere to go: Asterisk looks the extension up and does not find it.
    return 'Extension does not exist.';
  }
  if (application === '' && !exists(pbx, header('Context'), exten)) return 'Extension does not exist.';

  const callerId = header('CallerID') === '' ? undefined : parseCallerId(header('CallerID'));
  return {
    channel,
    destination:
      application === ''
        ? { context: header('Context'), exten, priority }
        : { application, data: header('Data') },
    callerId,
    timeout: header('Timeout') === '' ? 30_000 : Number(header('Timeout')),
    channelId: header('ChannelId') || undefined,
    account: header('Account'),
    variables: action.headers
      .filter(([key]) => key.toLowerCase() === 'variable')
      .flatMap(([, value]) => value.split(','))
      .map((assignment) => {
        const equals = assignment.indexOf('=');
        return equals < 0
          ? ([assignment, ''] as const)
          : ([assignment.slice(0, equals), assignment.slice(equals + 1)] as const);
      }),
  };
}
