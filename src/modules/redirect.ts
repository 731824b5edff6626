/** Module `redirect`: calls that go elsewhere instead of ringing, and do-not-disturb. */

import { type Deflection, deflectionTypes } from '../deflections.ts';
import type { User } from '../directory.ts';
import { fail } from '../errors.ts';
import { attr, attrOr, element, type Infer, optional, textElement } from '../protocol/codec.ts';
import { flag, oneOf, text } from '../protocol/value.ts';
import { dialingRefusal } from '../rules/rules.ts';
import { ok, success } from './answers.ts';
import { command, defineModule, event } from './define.ts';
import { prefix, resolveNumber } from './number.ts';

const number = (example: string, doc: string) => textElement(text(example), '', doc);

/** Where a user's calls go. The original knows but one kind, which is the first three. */
export const redirectEntry = element('RedirectEntry', {
  eventType: attr(text('update')),
  eventId: attr(text('340'), 'the user’s number'),
  source: number('340', 'the user’s number'),
  target: number('370', 'where all calls go instead; empty: nowhere'),
  old: number('', 'in events: the target before that'),
  busy: number('320', 'where calls go while the user is on the phone'),
  noanswer: number('', 'where calls go that the user does not answer'),
  doNotDisturb: textElement(flag(false), false, 'no calls at all'),
});

/** Describes it; `old` is the target before. */
export function describeRedirect(user: User, now: Deflection, old = ''): Infer<typeof redirectEntry> {
  const { always: target, busy, noanswer, doNotDisturb } = now;
  const { extension } = user;
  return {
    eventType: 'update',
    eventId: extension,
    source: extension,
    target,
    old,
    busy,
    noanswer,
    doNotDisturb,
  };
}

/** Module `redirect`. */
export const redirect = defineModule({
  name: 'redirect',
  doc: 'Calls that go elsewhere instead of ringing, and do-not-disturb.',
  commands: [
    command({
      doc: 'Where the user’s own calls go.',
      access: 'user',
      request: element('FindOwn', {}),
      response: { codec: redirectEntry },
      handle: (_request, { caller: { user }, deflections }) =>
        describeRedirect(user, deflections.of(user.extension)),
    }),
    command({
      doc:
        'Sends the user’s calls to another number, or takes that back. Only where the user may dial, and never in a circle: where ' +
        'calls to the target would come back by others’ deflections, it is refused.',
      access: 'user',
      audited: true,
      needs: ['dbPut', 'dbDel'],
      request: element('Set', {
        target: optional(text('370', 256), 'number, extension, or JID of a user; empty or left out: off'),
        type: attrOr(oneOf(...deflectionTypes), 'always', 'which calls: `always` all of them'),
        prefix,
      }),
      response: success,
      async handle({ target, type, prefix: front }, { caller: { user }, directory, settings, deflections }) {
        const exten =
          target === undefined ? '' : resolveNumber({ target, prefix: front }, directory, settings);
        // Not the exceptions of `always`: a call for help is a person's, not a deflection's.
        const refusal = exten === '' ? undefined : dialingRefusal(directory.policy, user, exten);
        if (refusal !== undefined) fail('not-permitted', refusal);
        await deflections.set(user.extension, type, exten);
        return ok;
      },
    }),
    command({
      doc: 'Lets no call ring at the user’s telephones, or all again.',
      access: 'user',
      audited: true,
      needs: ['dbPut', 'dbDel'],
      request: element('SetDoNotDisturb', { state: attr(oneOf('on', 'off')) }),
      response: success,
      async handle({ state }, { caller: { user }, deflections }) {
        await deflections.setDoNotDisturb(user.extension, state === 'on');
        return ok;
      },
    }),
  ],
  events: [
    event({
      doc:
        'The user’s calls go another way than before, whoever changed that: a client, the telephone’s star codes, the ' +
        'operator. Also once after a restart of the bridge, whose sessions do not know what happened meanwhile.',
      on: 'deflection',
      payload: redirectEntry,
      from({ extension, before, now }, { directory }) {
        const user = directory.byExtension(extension);
        if (user === undefined) return [];
        const about = { key: `deflection ${extension}`, facet: 'entry' };
        return [{ concerns: [user], value: describeRedirect(user, now, before.always), about }];
      },
    }),
  ],
});
