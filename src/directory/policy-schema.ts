/** The parts of a directory file that are about rules and actions, and what becomes of them. */

import { z } from 'zod';
import { roles } from '../directory.ts';
import { type NumberPattern, numberPattern } from '../rules/pattern.ts';
import { type CustomAction, defaultPolicy, type Policy, type RecordingPolicy } from '../rules/policy.ts';

const word = (what: string) =>
  z.string({ error: `expected ${what}` }).regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,78}$/, `expected ${what}`);
const list = <T extends z.ZodType>(item: T) => z.array(item, { error: 'expected a list' });
/** A whole number, as text. */
export const whole = (min: number, max: number) => {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^[0-9]{1,9}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
};
const flag = z
  .enum(['true', 'false'], { error: 'expected true or false' })
  .transform((value) => value === 'true');
const exten = z
  .string({ error: 'expected an extension, such as 800' })
  .regex(/^[0-9*#]{1,20}$/, 'expected an extension: digits, * and #, at most 20');
const pattern = z
  .string({ error: 'expected a number pattern, such as 0900.' })
  .transform((value, context) => {
    const made = numberPattern(value);
    if (made !== undefined) return made;
    context.addIssue({
      code: 'custom',
      message: 'expected a number pattern: digits, *, #, X, Z, N, [1-5] and at the end . or !',
    });
    return z.NEVER;
  });
const patterns = list(pattern).transform((values): readonly NumberPattern[] => values);
const role = z.enum(roles, { error: `expected one of ${roles.join(', ')}` });
const roleSet = list(role).transform((values) => new Set(values));
const time = z
  .string({ error: 'expected a time, such as 07:30' })
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'expected a time from 00:00 to 23:59')
  .transform((value) => Number(value.slice(0, 2)) * 60 + Number(value.slice(3)));
const timeZone = z
  .string({ error: 'expected a time zone, such as Europe/Berlin' })
  .refine(isTimeZone, 'expected a time zone, such as Europe/Berlin');
const listenMode = z.enum(['listen', 'whisper', 'barge'], { error: 'expected listen, whisper or barge' });

// It becomes a header of an AMI action.
const reason = z
  .string({ error: 'expected text' })
  .trim()
  .regex(/^[^\p{Cc}]{1,80}$/u, 'expected a text of 1 to 80 characters');
const texts = list(
  z.string({ error: 'expected text' }).min(1, 'expected text').max(200, 'expected a shorter text'),
);

const recordingRule = z
  .strictObject(
    {
      name: word('the name of a rule'),
      permission: z.enum(['auto', 'allow', 'deny'], { error: 'expected auto, allow or deny' }),
      users: texts.optional(),
      groups: texts.optional(),
      roles: roleSet.optional(),
      calls: z.enum(['own', 'group'], { error: 'expected own or group' }).optional(),
      direction: z.enum(['inbound', 'outbound'], { error: 'expected inbound or outbound' }).optional(),
      queues: texts.optional(),
      numbers: patterns.optional(),
    },
    {
      error: 'expected a rule: name, permission, users, groups, roles, calls, direction, queues, numbers',
    },
  )
  .refine(
    ({ calls, permission }) => calls !== 'group' || permission === 'allow',
    'expected permission allow with calls: group',
  );

const recording = z.strictObject(
  {
    rules: list(recordingRule)
      .max(200, 'expected at most 200 rules')
      .refine(
        (rules) => new Set(rules.map(({ name }) => name)).size === rules.length,
        'expected rules with different names',
      ),
    announce: exten.optional(),
    audience: list(
      z.enum(['participants', 'supervisors'], { error: 'expected participants or supervisors' }),
    ).optional(),
  },
  { error: 'expected recording: rules, announce, audience' },
);

/** `rules:` of a directory file. */
export const rulesSchema = z.strictObject(
  {
    dialFrom: flag.optional(),
    listen: z
      .strictObject(
        { modes: list(listenMode), announce: exten.optional() },
        { error: 'expected listen: modes, announce' },
      )
      .optional(),
    recording: recording.optional(),
    notify: list(word('the name of a template of pjsip_notify.conf')).optional(),
    supervisorsWithinGroups: flag.optional(),
    always: patterns.optional(),
    dialing: list(
      z.strictObject(
        { roles: roleSet.optional(), allow: patterns.optional(), deny: patterns.optional() },
        { error: 'expected a rule: roles, allow, deny' },
      ),
    ).optional(),
    timeZone: timeZone.optional(),
    quietHours: z
      .strictObject(
        { from: time, to: time, allow: patterns.optional() },
        { error: 'expected quietHours: from, to, allow' },
      )
      .optional(),
    limits: z
      .strictObject(
        {
          callsPerUser: whole(1, 1000).optional(),
          calls: whole(1, 1_000_000).optional(),
          dialsPerMinute: whole(1, 10_000).optional(),
          dialsPerMinuteTotal: whole(1, 1_000_000).optional(),
        },
        { error: 'expected limits: callsPerUser, calls, dialsPerMinute, dialsPerMinuteTotal' },
      )
      .optional(),
    conferences: z.record(exten, exten, { error: 'expected rooms with their extensions' }).optional(),
    pauseReasons: z
      .record(word('the code of a reason'), reason, { error: 'expected codes with their reasons' })
      .optional(),
  },
  { error: 'expected rules' },
);

// It becomes part of a header's name in a UserEvent.
const argumentName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]{0,29}$/, 'expected the name of an argument: at most 30 letters and digits');
const argument = z.strictObject(
  {
    optional: flag.optional(),
    values: list(z.string({ error: 'expected text' }))
      .min(1, 'expected at least one value')
      .optional(),
    pattern: z
      .string({ error: 'expected a regular expression' })
      .max(200, 'expected a regular expression of at most 200 characters')
      .transform((value, context) => {
        try {
          return new RegExp(`^(?:${value})$`, 'u');
        } catch {
          context.addIssue({ code: 'custom', message: 'expected a regular expression' });
          return z.NEVER;
        }
      })
      .optional(),
    max: whole(1, 1000).optional(),
  },
  { error: 'expected an argument: optional, values, pattern, max' },
);

const webhook = z.strictObject(
  {
    url: z
      .string({ error: 'expected an address' })
      .refine(
        isWebAddress,
        'expected an address that begins with http:// or https://, without user and password',
      ),
    secret: z
      .string({ error: 'expected a secret' })
      .min(16, 'expected a secret of at least 16 characters')
      .optional(),
    timeoutSeconds: whole(1, 30).optional(),
    retries: whole(0, 3).optional(),
  },
  { error: 'expected a webhook: url, secret, timeoutSeconds, retries' },
);

const actionSchema = z
  .strictObject(
    {
      roles: roleSet.optional(),
      arguments: z.record(argumentName, argument, { error: 'expected arguments by name' }).optional(),
      webhook: webhook.optional(),
      userEvent: word('the name of an event').optional(),
      originate: z
        .strictObject(
          { exten, context: word('the name of a dialplan context').optional() },
          { error: 'expected originate: exten, context' },
        )
        .optional(),
    },
    { error: 'expected an action' },
  )
  .refine(
    ({ webhook, userEvent, originate }) =>
      [webhook, userEvent, originate].filter((each) => each !== undefined).length === 1,
    'expected one of webhook, userEvent and originate',
  );

/** `actions:` of a directory file. */
export const actionsSchema = z.record(word('the name of an action'), actionSchema, {
  error: 'expected actions by name',
});

const data = z.record(
  word('a name'),
  z.string({ error: 'expected text' }).max(1000, 'expected at most 1000 characters'),
  {
    error: 'expected names with texts',
  },
);

/** `customData:` of a directory file. */
export const customDataSchema = z.strictObject(
  {
    all: data.optional(),
    users: z.record(z.string(), data, { error: 'expected users with their data' }).optional(),
  },
  { error: 'expected customData: all, users' },
);

/** The three as they come out of the file. */
export interface PolicySource {
  readonly rules?: z.output<typeof rulesSchema> | undefined;
  readonly actions?: z.output<typeof actionsSchema> | undefined;
  readonly customData?: z.output<typeof customDataSchema> | undefined;
}

/** Builds the policy; what is left out is as in {@link defaultPolicy}. */
export function toPolicy({ rules = {}, actions = {}, customData = {} }: PolicySource): Policy {
  const { quietHours, listen, limits } = rules;
  return {
    dialFrom: rules.dialFrom ?? false,
    listen: listen && { modes: new Set(listen.modes), announce: listen.announce },
    recording: rules.recording && toRecording(rules.recording),
    notify: new Set(rules.notify),
    supervisorsWithinGroups: rules.supervisorsWithinGroups ?? false,
    always: rules.always ?? [],
    dialing: (rules.dialing ?? []).map(({ roles = everybody, allow = [], deny = [] }) => ({
      roles,
      allow,
      deny,
    })),
    quietHours: quietHours && { from: quietHours.from, to: quietHours.to, allow: quietHours.allow ?? [] },
    timeZone: rules.timeZone ?? defaultPolicy.timeZone,
    limits: { ...defaultPolicy.limits, ...limits },
    conferences: new Map(Object.entries(rules.conferences ?? {})),
    pauseReasons: new Map(Object.entries(rules.pauseReasons ?? {})),
    actions: new Map(Object.entries(actions).map(([name, action]) => [name, toAction(name, action)])),
    customData: new Map(Object.entries(customData.all ?? {})),
    customDataOf: new Map(
      Object.entries(customData.users ?? {}).map(([user, own]) => [
        user.toLowerCase(),
        new Map(Object.entries(own)),
      ]),
    ),
  };
}

const everybody = new Set(['xmpp.connect'] as const);

function toRecording(source: z.output<typeof recording>): RecordingPolicy {
  return {
    announce: source.announce,
    audience: new Set(source.audience ?? ['participants', 'supervisors']),
    rules: source.rules.map((rule) => ({
      name: rule.name,
      permission: rule.permission,
      users: new Set(rule.users?.map((each) => each.toLowerCase())),
      groups: new Set(rule.groups),
      roles: rule.roles ?? new Set(),
      calls: rule.calls ?? 'own',
      direction: rule.direction,
      queues: new Set(rule.queues),
      numbers: rule.numbers ?? [],
    })),
  };
}

function toAction(name: string, source: z.output<typeof actionSchema>): CustomAction {
  const declared = Object.entries(source.arguments ?? {}).map(
    ([key, { optional = false, values, pattern, max = 200 }]) =>
      [key, { optional, values, pattern, max }] as const,
  );
  return { name, roles: source.roles ?? everybody, arguments: new Map(declared), effect: toEffect(source) };
}

function toEffect({ webhook, userEvent, originate }: z.output<typeof actionSchema>): CustomAction['effect'] {
  if (webhook !== undefined) {
    const { url, secret = '', timeoutSeconds = 3, retries = 1 } = webhook;
    return { kind: 'webhook', url, secret, timeoutMs: timeoutSeconds * 1000, retries };
  }
  if (userEvent !== undefined) return { kind: 'userEvent', event: userEvent };
  // The schema lets nothing else through than one of the three.
  return { kind: 'originate', exten: originate?.exten ?? '', context: originate?.context };
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** The keys known at a place of these parts; `path` without names that the operator chose and without list numbers. */
export const policyKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['rules', Object.keys(rulesSchema.shape)],
  ['rules.dialing', ['roles', 'allow', 'deny']],
  ['rules.quietHours', ['from', 'to', 'allow']],
  ['rules.listen', ['modes', 'announce']],
  ['rules.recording', ['rules', 'announce', 'audience']],
  ['rules.recording.rules', Object.keys(recordingRule.shape)],
  ['rules.limits', ['callsPerUser', 'calls', 'dialsPerMinute', 'dialsPerMinuteTotal']],
  ['actions.*', ['roles', 'arguments', 'webhook', 'userEvent', 'originate']],
  ['actions.*.arguments.*', Object.keys(argument.shape)],
  ['actions.*.webhook', Object.keys(webhook.shape)],
  ['actions.*.originate', ['exten', 'context']],
  ['customData', ['all', 'users']],
]);
