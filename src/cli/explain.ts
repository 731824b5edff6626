/** `offhook explain`: what would become of a command, by the rules of a directory file. Nothing is connected, nothing happens. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { createCalls } from '../calls/model.ts';
import { createDeflections, usualFamilies } from '../deflections.ts';
import { DirectoryFileError } from '../directory/file.ts';
import { parseDirectory } from '../directory/parse.ts';
import type { Directory, User } from '../directory.ts';
import { createDispatch } from '../dispatch.ts';
import { createModels } from '../models.ts';
import { modules } from '../modules/index.ts';
import type { Pbx, PbxId, RecordingHandle } from '../pbx/pbx.ts';
import { createNumbers } from '../phonebook/numbers.ts';
import { createPlaces } from '../places/places.ts';
import { CMD_NS } from '../protocol/envelope.ts';
import { parseJid } from '../protocol/jid.ts';
import { child, elements, textOf, xml } from '../protocol/xml.ts';
import { createRules } from '../rules/rules.ts';
import { createSessions } from '../sessions.ts';
import { createMemoryStore } from '../store/memory.ts';
import { createSubscriptionIndex } from '../subscriptions/index.ts';
import type { Outgoing } from '../transfer/transfer.ts';
import { createZone } from '../zone.ts';
import { UsageError } from './usage.ts';

/** The settings of the bridge that matter here, as the environment has them. */
export interface BridgeEnvironment {
  readonly DIRECTORY_FILE?: string | undefined;
  readonly PBX_CONTEXT?: string | undefined;
  readonly PBX_OUTSIDE_PREFIX?: string | undefined;
  readonly PBX_INTERNATIONAL_PREFIX?: string | undefined;
  readonly PBX_MOBILE_GATEWAY?: string | undefined;
  readonly XMPP_USER_DOMAINS?: string | undefined;
}

const usage =
  'explain: offhook explain [--directory users.yaml] [--at TIME] JID module.Command [name=value …]';

/**
 * Prints who the JID is, and what the command would do or why it is refused: the command takes its real road, but for a telephone
 * system that only notes what it is told. Returns the exit code, 1 where it is refused. Throws {@link UsageError}, `DirectoryFileError`.
 */
export async function explainCommand(
  args: readonly string[],
  env: BridgeEnvironment,
  print: (line: string) => void,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { directory: { type: 'string' }, at: { type: 'string' } },
  });
  const [who, command, ...parameters] = positionals;
  const path = values.directory ?? env.DIRECTORY_FILE;
  if (who === undefined || command === undefined) throw new UsageError(usage);
  if (path === undefined)
    throw new UsageError('explain: name the file with --directory, or in DIRECTORY_FILE');
  const at = values.at === undefined ? Date.now() : Date.parse(values.at);
  if (Number.isNaN(at)) throw new UsageError('explain: --at takes a time such as 2026-12-24T20:00:00+01:00');
  const jid = parseJid(who);
  if (jid === undefined) throw new UsageError(`explain: ${who} is not a JID`);
  const directory = readDirectory(path, env.XMPP_USER_DOMAINS ?? jid.domain);
  const user = directory.byJid(jid.bare);
  print(user === undefined ? `${jid.bare} is not in the directory` : introduce(user));

  const noted: string[] = [];
  const answer = await dryDispatch(directory, env, at, noted)(jid, request(command, parameters));
  for (const line of noted) print(`would ask the telephone system: ${line}`);
  if ('error' in answer) {
    print(`refused (${answer.error.condition}): ${answer.error.message}`);
    return 1;
  }
  const [payload] = answer.result === undefined ? [] : elements(answer.result);
  if (payload?.name !== 'Failure') {
    print('allowed');
    return 0;
  }
  const message = child(payload, 'message');
  print(`refused (${payload.attrs.get('code')}): ${message === undefined ? '' : textOf(message)}`);
  const unknown = parameters.some((each) => each.startsWith('channel='))
    ? 'call'
    : parameters.some((each) => each.startsWith('queue='))
      ? 'queue'
      : undefined;
  if (unknown !== undefined)
    print(`(no ${unknown} is known here: what depends on one can only be told by the running bridge)`);
  return 1;
}

function introduce(user: User): string {
  const roles = [...user.roles].join(', ');
  const groups = user.groups.size === 0 ? 'no group' : `groups ${[...user.groups].join(', ')}`;
  return `${user.jid} is ${user.fullName} (${user.name}, ${user.extension}), ${roles}, ${groups}`;
}

function request(command: string, parameters: readonly string[]) {
  const [module, name] = command.split('.');
  if (module === undefined || name === undefined)
    throw new UsageError('explain: a command is named like base.Dial');
  const attributes = parameters.map((each) => {
    const equals = each.indexOf('=');
    if (equals < 1) throw new UsageError(`explain: expected name=value, got ${each}`);
    return [each.slice(0, equals), each.slice(equals + 1)] as const;
  });
  return xml('cmd', { xmlns: CMD_NS, module }, [xml(name, Object.fromEntries(attributes))]);
}

function readDirectory(path: string, domains: string): Directory {
  const known = domains.split(',').map((each) => each.trim());
  const parsed = parseDirectory(readFileSync(path, 'utf8'), known);
  if (parsed.ok) return parsed.directory;
  throw new DirectoryFileError(
    parsed.mistakes.map(({ line, column, text }) => `${path}:${line}:${column}: ${text}`),
  );
}

function dryDispatch(directory: Directory, env: BridgeEnvironment, at: number, noted: string[]) {
  const log = pino({ level: 'silent' });
  const store = createMemoryStore();
  const sessions = createSessions(
    store,
    createSubscriptionIndex(),
    { sessions: 1, perUser: 1, subscriptions: 1 },
    () => at,
  );
  const pbx = dryPbx(noted);
  const now = () => at;
  const families = usualFamilies;
  const deflections = createDeflections({ pbx, families, directory: () => directory, everyMs: 0, log, now });
  const source = {
    current: directory,
    onChange: () => () => {},
    start: async () => {},
    stop: async () => {},
  };
  const places = createPlaces({ source, store, pbx, ringSeconds: 30, log, now });
  const calls = createCalls({ deviceOf: directory.deviceOfChannel });
  const settings = {
    context: env.PBX_CONTEXT ?? 'internal',
    outsidePrefix: env.PBX_OUTSIDE_PREFIX ?? '',
    internationalPrefix: env.PBX_INTERNATIONAL_PREFIX ?? '00',
    mobileGateway: env.PBX_MOBILE_GATEWAY || undefined,
    ringMs: 30_000,
    answerBytes: 400_000,
    archiveZone: createZone('UTC'),
    showNumber: (number: string) => number,
  };
  const context = {
    ...createModels({
      pbx,
      store,
      calls,
      directory: { current: directory, onChange: () => () => {} },
      journal: { keep: { count: 0, ageMs: 0 }, outsidePrefix: '' },
      phonebook: { sources: [], numbers: createNumbers('DE', ''), visibleTo: new Map() },
      deflections,
      places,
      context: settings.context,
      log,
      now,
    }),
    directory,
    calls,
    pbx,
    sessions,
    settings,
    rules: createRules(() => 0),
    webhook: async ({ url }: { readonly url: string }) => void noted.push(`webhook ${new URL(url).host}`),
    transfer: {
      running: 0,
      async send(to: string, { name, handle }: Outgoing) {
        noted.push(`send ${name} to ${to}`);
        await handle.close();
      },
      stop: () => {},
    },
    archive: undefined,
    log,
    now,
  };
  return createDispatch({
    modules,
    context: () => context,
    directory: () => directory,
    domains: new Set(directory.users.map((user) => user.jid.slice(user.jid.indexOf('@') + 1))),
    rate: { take: () => true, size: 0, forgotten: 0 },
    maxInFlight: 1,
    timeoutMs: 5000,
    show: (text) => text,
    audit: () => {},
    log,
  });
}

/** Notes what it is told, and has no calls. */
function dryPbx(noted: string[]): Pbx {
  const note =
    (verb: string) =>
    async (...args: readonly unknown[]) => {
      const plain = (_key: string, value: unknown) =>
        value instanceof Map ? Object.fromEntries(value) : value;
      noted.push(`${verb} ${args.map((each) => JSON.stringify(each, plain)).join(' ')}`);
    };
  return {
    id: 'dry' as PbxId,
    state: { control: true, feed: true, reason: '' },
    abilities: { known: true, lacks: () => [] },
    start: async () => {},
    stop: async () => {},
    onState: () => () => {},
    onEvent: () => {},
    reread: () => {},
    originate: note('originate'),
    hangup: note('hangup'),
    blindTransfer: note('blindTransfer'),
    redirect: note('redirect'),
    pickup: note('pickup'),
    listen: note('listen'),
    announce: note('announce'),
    attendedTransfer: note('attendedTransfer'),
    consults: async () => false,
    cancelTransfer: note('cancelTransfer'),
    join: note('join'),
    park: async (channel) => ({
      space: '',
      lot: '',
      channel,
      uniqueId: '',
      callerName: '',
      callerNumber: '',
      parker: '',
      waited: 0,
      timeout: 0,
    }),
    parkedCalls: async () => [],
    sendDigits: note('sendDigits'),
    mute: note('mute'),
    async record(channel, file) {
      await note('record')(channel, file);
      return '' as RecordingHandle;
    },
    stopRecording: note('stopRecording'),
    muteRecording: note('muteRecording'),
    notify: note('notify'),
    conferences: async () => [],
    conferenceKick: note('conferenceKick'),
    conferenceMute: note('conferenceMute'),
    conferenceLock: note('conferenceLock'),
    userEvent: note('userEvent'),
    endpoints: async () => [],
    mailboxes: async () => new Map(),
    dbGet: async () => undefined,
    dbFamily: async () => new Map(),
    dbPut: note('dbPut'),
    dbDel: note('dbDel'),
    setDeviceState: note('setDeviceState'),
    queueMembers: async () => [],
    queuePause: note('queuePause'),
    queueAdd: note('queueAdd'),
    queueRemove: note('queueRemove'),
    queueCounters: async () => undefined,
    tellQueues: async () => {},
  };
}
