/** What a directory file may hold. Scalars arrive as the strings that were written (YAML failsafe schema). */

import { z } from 'zod';
import { capabilities, roles } from '../directory.ts';
import { parseJid } from '../protocol/jid.ts';
import { actionsSchema, customDataSchema, policyKeys, rulesSchema, whole } from './policy-schema.ts';

const extensionPattern = /^[0-9*#]{1,20}$/;

const text = z.string({ error: 'expected text' }).trim().min(1, 'expected text');
const word = text.regex(/^[^\s\p{Cc}@/]+$/u, 'expected one word without blanks, "@" and "/"');
const extension = z
  .string({ error: 'expected digits, such as 340' })
  .regex(extensionPattern, 'expected digits (also * and #), at most 20');
const number = z
  .string({ error: 'expected a number, such as +4930123456' })
  .regex(/^\+?[0-9*#]{1,40}$/, 'expected a number: digits, * and #, with or without a leading +');
const id = z
  .string({ error: 'expected a whole number' })
  .regex(/^[0-9]{1,10}$/, 'expected a whole number from 1 to 2147483647')
  .transform(Number)
  .refine((value) => value >= 1 && value <= 0x7fffffff, 'expected a whole number from 1 to 2147483647');
const flag = z
  .enum(['true', 'false'], { error: 'expected true or false' })
  .transform((value) => value === 'true');
const bareJid = z
  .string({ error: 'expected a JID, such as tweber@example.org' })
  .transform((value, context) => {
    const jid = parseJid(value);
    if (jid && jid.local !== '' && jid.resource === '') return jid.bare;
    context.addIssue({
      code: 'custom',
      message: 'expected a JID without resource, such as tweber@example.org',
    });
    return z.NEVER;
  });
// A dial string goes into an AMI header and app_dial: no separators of either (`&` and `,` would call more than one device).
const dialString = z
  .string({ error: 'expected a dial string, such as PJSIP/340' })
  .regex(/^[A-Za-z0-9_]+\/[^\s\p{Cc}&,|]{1,200}$/u, 'expected technology and resource, such as PJSIP/340');
const device = z
  .string({ error: 'expected technology and endpoint, such as PJSIP/340' })
  .regex(/^[A-Za-z0-9_]+\/[^\s\p{Cc}&,|/]{1,100}$/u, 'expected technology and endpoint, such as PJSIP/340');
const mailbox = z
  .string({ error: 'expected a mailbox, such as 340@default' })
  .regex(/^[\w.*#-]+(@[\w.-]+)?$/, 'expected a mailbox, such as 340 or 340@default')
  .transform((value) => (value.includes('@') ? value : `${value}@default`));
const context = z
  .string({ error: 'expected the name of a dialplan context' })
  .regex(/^[\w.-]{1,79}$/, 'expected the name of a dialplan context: letters, digits, "_", "-", "."');
const list = <T extends z.ZodType>(item: T) => z.array(item, { error: 'expected a list' });
const names = list(text).transform((values) => new Set(values));

const ringTime = z.strictObject(
  { delay: whole(0, 600).optional(), timeout: whole(1, 600).optional() },
  { error: 'expected delay and timeout in seconds' },
);

const deviceSchema = z.strictObject(
  {
    name: text,
    device,
    dialString: dialString.optional(),
    type: word.default('hardphone'),
    capabilities: list(
      z.enum(capabilities, { error: `expected one of ${capabilities.join(', ')}` }),
    ).optional(),
    number: number.optional(),
    internal: ringTime.optional(),
    external: ringTime.optional(),
    queue: ringTime.optional(),
  },
  { error: 'expected a device: name, device, …' },
);

const placeSchema = z.strictObject(
  {
    name: text.max(80, 'expected a name of at most 80 characters'),
    devices: list(deviceSchema).max(16, 'expected at most 16 devices'),
    users: list(word)
      .transform((values) => new Set(values.map((value) => value.toLowerCase())))
      .optional(),
    groups: names.optional(),
  },
  { error: 'expected a place: name, devices, users, groups' },
);

const queueSchema = z.strictObject(
  {
    name: text,
    penalty: z
      .string({ error: 'expected a whole number' })
      .regex(/^[0-9]{1,6}$/, 'expected a whole number, 0 or more')
      .transform(Number)
      .optional(),
    dynamic: flag.optional(),
  },
  { error: 'expected a queue: name, penalty, dynamic' },
);

const userSchema = z.strictObject(
  {
    name: word,
    jid: bareJid.optional(),
    fullName: text.optional(),
    extension,
    devices: list(deviceSchema).optional(),
    mailbox: mailbox.optional(),
    faxExtension: extension.optional(),
    pickupGroups: names.optional(),
    callGroups: names.optional(),
    groups: names.optional(),
    queues: list(queueSchema).optional(),
    roles: list(z.enum(roles, { error: `expected one of ${roles.join(', ')}` })).optional(),
    ids: z
      .strictObject(
        { user: id.optional(), account: id.optional(), extension: id.optional(), mailbox: id.optional() },
        { error: 'expected ids: user, account, extension, mailbox' },
      )
      .optional(),
    location: text.optional(),
    context: context.optional(),
    language: z
      .string()
      .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'expected a language tag, such as de or en-GB')
      .optional(),
  },
  { error: 'expected a user: name, extension, …' },
);

/** A whole directory file. */
export const fileSchema = z.strictObject(
  {
    users: list(userSchema),
    places: list(placeSchema).max(2000, 'expected at most 2000 places').optional(),
    settings: z.record(text, number, { error: 'expected names with their numbers' }).optional(),
    rules: rulesSchema.optional(),
    actions: actionsSchema.optional(),
    customData: customDataSchema.optional(),
  },
  { error: 'expected the keys users, places, settings, rules, actions and customData' },
);

/** A directory file that obeys {@link fileSchema}. */
export type DirectoryFile = z.output<typeof fileSchema>;
/** One user of it. */
export type FileUser = DirectoryFile['users'][number];
/** One place of it. */
export type FilePlace = NonNullable<DirectoryFile['places']>[number];
/** One device of a user or place. */
export type FileDevice = NonNullable<FileUser['devices']>[number];

/** The keys known at a place of the file; a list's number does not matter. For "did you mean". */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  const steps = path.filter((step) => typeof step === 'string');
  // Names of actions and arguments are the operator's own.
  if (steps[0] === 'actions') {
    const named = steps.map((step, at) => (at === 1 || (at === 3 && steps[2] === 'arguments') ? '*' : step));
    return policyKeys.get(named.join('.')) ?? [];
  }
  switch (steps.join('.')) {
    case '':
      return Object.keys(fileSchema.shape);
    case 'users':
      return Object.keys(userSchema.shape);
    case 'places':
      return Object.keys(placeSchema.shape);
    case 'users.devices':
    case 'places.devices':
      return Object.keys(deviceSchema.shape);
    case 'users.queues':
      return Object.keys(queueSchema.shape);
    case 'users.devices.internal':
    case 'users.devices.external':
    case 'users.devices.queue':
    case 'places.devices.internal':
    case 'places.devices.external':
    case 'places.devices.queue':
      return Object.keys(ringTime.shape);
    case 'users.ids':
      return ['user', 'account', 'extension', 'mailbox'];
    default:
      return policyKeys.get(steps.join('.')) ?? [];
  }
}
