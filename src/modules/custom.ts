/** What the operator adds: custom actions and custom data. */

import { randomUUID } from 'node:crypto';
import type { User } from '../directory.ts';
import { badRequest, fail } from '../errors.ts';
import { attr, element, type Field, many, ownText } from '../protocol/codec.ts';
import { text, word } from '../protocol/value.ts';
import { elements, textOf } from '../protocol/xml.ts';
import type { ActionArgument, CustomAction } from '../rules/policy.ts';
import { ok, success } from './answers.ts';
import { type Context, command } from './define.ts';
import { dialingDevice, ringOf } from './ringing.ts';

/** More arguments than this are no request. */
const maxArguments = 32;

/** Every attribute but `action`, and the text of every child element, by name. */
const others: Field<ReadonlyMap<string, string>> = {
  doc: () => ({
    kind: 'attribute',
    name: '…',
    mandatory: false,
    repeated: true,
    expects: `the action's arguments, at most ${maxArguments}, as attributes or as elements with text`,
    doc: 'checked as the configuration declares them',
    fields: [],
  }),
  read(parent) {
    const given = [
      ...[...parent.attrs].filter(([name]) => name !== 'action'),
      ...elements(parent).map((node) => [node.name, textOf(node)] as const),
    ];
    if (given.length > maxArguments)
      badRequest(`${parent.name}: at most ${maxArguments} arguments are taken`);
    const map = new Map(given);
    if (map.size < given.length) badRequest(`${parent.name}: an argument is given twice`);
    return map;
  },
  write(value, _name, attrs) {
    for (const [name, each] of value) attrs.set(name, each);
  },
  example: new Map([['door', 'front']]),
};

const entry = element('Entry', {
  name: attr(word('crmUrl')),
  value: ownText(text('https://crm.example.org')),
});

/** `InvokeCustomAction` and `FindCustomData`. */
export const customCommands = [
  command({
    doc: 'Does what the configuration declares under that name: calls a webhook, sends an AMI `UserEvent`, or calls a fixed extension.',
    access: 'user',
    audited: true,
    once: true,
    off: ({ actions }) => (actions.size > 0 ? undefined : 'No custom actions are configured on this system.'),
    request: element('InvokeCustomAction', {
      action: attr(word('openDoor', 79), 'name of the action'),
      arguments: others,
    }),
    response: success,
    async handle(request, context) {
      const { caller, directory } = context;
      const action = directory.policy.actions.get(request.action);
      if (action === undefined) {
        fail('not-available', `There is no action '${request.action.slice(0, 60)}' on this system.`);
      }
      if (![...action.roles].some((role) => caller.user.roles.has(role))) {
        fail('not-permitted', `You are not allowed to use the action '${action.name}'.`);
      }
      await perform(action, checkedArguments(action, request.arguments), context);
      return ok;
    },
  }),
  command({
    doc: 'What the configuration holds for the user: everybody’s entries, and the user’s own, which win.',
    access: 'user',
    request: element('FindCustomData', {}),
    response: { codec: element('CustomData', { entries: many(entry) }) },
    handle(_request, { caller, directory: { policy } }) {
      const own = policy.customDataOf.get(caller.user.name.toLowerCase()) ?? new Map<string, string>();
      const all = new Map([...policy.customData, ...own]);
      return { entries: [...all].map(([name, value]) => ({ name, value })) };
    },
  }),
];

/** The arguments that the action declares. Throws `bad-request` that says which one is missing, wrong or unknown. */
function checkedArguments(
  action: CustomAction,
  given: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  for (const name of given.keys()) {
    if (!action.arguments.has(name))
      badRequest(`InvokeCustomAction: '${action.name}' takes no argument '${name.slice(0, 60)}'`);
  }
  const checked = new Map<string, string>();
  for (const [name, declared] of action.arguments) {
    const value = given.get(name);
    if (value === undefined) {
      if (!declared.optional) badRequest(`InvokeCustomAction: argument '${name}' is missing`);
    } else if (fits(value, declared)) checked.set(name, value);
    else badRequest(`InvokeCustomAction: argument '${name}' must be ${expected(declared)}`);
  }
  return checked;
}

// Line ends and controls have no place in a header of AMI, and no meaning anywhere else.
const printable = /^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u;

function fits(value: string, { values, pattern, max }: ActionArgument): boolean {
  if ([...value].length > max || !printable.test(value)) return false;
  if (values !== undefined && !values.includes(value)) return false;
  return pattern === undefined || pattern.test(value);
}

function expected({ values, pattern, max }: ActionArgument): string {
  if (values !== undefined) return `one of ${values.map((each) => `'${each}'`).join(', ')}`;
  const limit = `a text of at most ${max} characters without line breaks`;
  return pattern === undefined ? limit : `${limit} that matches ${pattern.source}`;
}

async function perform(
  action: CustomAction,
  given: ReadonlyMap<string, string>,
  context: Context,
): Promise<void> {
  const { effect } = action;
  const { user } = context.caller;
  switch (effect.kind) {
    case 'webhook': {
      const id = randomUUID();
      const body = {
        id,
        at: new Date(context.now()).toISOString(),
        action: action.name,
        user: { name: user.name, jid: user.jid, extension: user.extension },
        arguments: Object.fromEntries(given),
      };
      const { url, secret, timeoutMs, retries } = effect;
      return context.webhook({ url, secret, timeoutMs, retries, id, body });
    }
    case 'userEvent':
      return context.pbx.userEvent(effect.event, userEventFields(user, given));
    case 'originate': {
      const ring = ringOf(user, dialingDevice(user, undefined, context).dialString, context);
      context.calls.expect(ring.uniqueId, effect.exten);
      const dialplan = effect.context ?? user.context ?? context.settings.context;
      return context.pbx.originate({ ...ring, context: dialplan, exten: effect.exten });
    }
  }
}

/** What the event carries: who, and the arguments under names that cannot be headers of AMI's own. */
function userEventFields(user: User, given: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const named = [...given].map(([name, value]) => [`Arg-${name}`, value] as const);
  return new Map([['User', user.name], ['Jid', user.jid], ['Extension', user.extension], ...named]);
}
