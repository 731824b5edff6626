/** How a module of the API is declared. Everything else about a command or an event follows from these values. */

import type { Logger } from 'pino';
import type { Archive } from '../archive/archive.ts';
import type { About } from '../backlog.ts';
import type { Calls } from '../calls/calls.ts';
import type { Change, ChangeOf } from '../changes.ts';
import type { Directory, User } from '../directory.ts';
import type { Models } from '../models.ts';
import type { Pbx, Verb } from '../pbx/pbx.ts';
import type { Phonebook } from '../phonebook/phonebook.ts';
import type { ElementCodec } from '../protocol/codec.ts';
import type { FullJid, Jid } from '../protocol/jid.ts';
import type { XmlElement } from '../protocol/xml.ts';
import type { Policy } from '../rules/policy.ts';
import type { Rules } from '../rules/rules.ts';
import type { Sessions } from '../sessions.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { Webhook } from '../webhook.ts';
import type { Zone } from '../zone.ts';

/** What of the configuration handlers need. */
export interface Settings {
  /** Dialplan context that numbers are dialed in, where the user has none of their own. */
  readonly context: string;
  /** Put in front of outside numbers by `prefix='auto'`; may be empty. */
  readonly outsidePrefix: string;
  /** Stands for the plus of `+49…` where a prefix goes in front of it, e.g. `00`. */
  readonly internationalPrefix: string;
  /** How long a device may ring before its user is connected, milliseconds. */
  readonly ringMs: number;
  /** Bytes that the payload of one answer may have. */
  readonly answerBytes: number;
  /** The clock that the archive's times are told by. */
  readonly archiveZone: Zone;
  /** The number that mobile telephones call to be put through; undefined: none does. */
  readonly mobileGateway: string | undefined;
  /** A number as the log may show it. */
  showNumber(number: string): string;
}

/** What is at hand wherever the API meets the telephone world. */
export interface World {
  readonly directory: Directory;
  readonly calls: Calls;
  /** Names of numbers that the directory does not know. */
  readonly phonebook: Pick<Phonebook, 'byNumber'>;
  /** Where calls stand in queues. */
  readonly queueing: Pick<Models['queueing'], 'standing' | 'standsAt' | 'shownAt'>;
}

/** Where no queue is followed: nobody waits. */
export const emptyQueueing: World['queueing'] = { standing: () => [], standsAt: () => 0, shownAt: () => 0 };

/** Who is asking, as the XMPP server stamped it. */
export interface Caller {
  readonly jid: Jid;
  /** The session's address; undefined where a JID without resource asks. */
  readonly session: FullJid | undefined;
  readonly user: User;
  /** Has the role type `xmpp.supervisor`. */
  readonly supervisor: boolean;
}

/** What a handler may use: nothing else reaches it. */
export interface Context extends World, Models {
  readonly phonebook: Phonebook;
  readonly queueing: Models['queueing'];
  readonly caller: Caller;
  readonly pbx: Pbx;
  readonly sessions: Sessions;
  readonly settings: Settings;
  readonly rules: Rules;
  readonly webhook: Webhook;
  readonly transfer: Transfer;
  /** The chat archive; undefined where none is configured. */
  readonly archive: Archive | undefined;
  readonly log: Logger;
  /** Epoch milliseconds. */
  now(): number;
}

/** Who may call a command; supervisors may call all. */
export type Access = 'user' | 'supervisor';

/** A command as its file declares it. */
export interface CommandDeclaration<Q, A> {
  /** One sentence or more, in Markdown, for the generated documentation. */
  readonly doc: string;
  readonly access: Access;
  /** It changes something in the telephone world: every attempt is put on record. Default: false. */
  readonly audited?: boolean;
  /** What it asks of the telephone system, whichever way it goes: without these it is refused, and not offered. Default: nothing. */
  readonly needs?: readonly Verb[];
  /** The same request again, while the first is under way, is a double click and refused. Default: false. */
  readonly once?: boolean;
  /** For what an operator switches on: the sentence that says it is off; undefined where it is on. Default: always on. */
  off?(policy: Policy): string | undefined;
  /** Name, attributes and children on the wire. */
  readonly request: ElementCodec<Q>;
  /** The answer; its module where that is not the command's own. */
  readonly response: Answer<A>;
  /** What of a request the codec cannot check: throws with `badRequest`. Default: nothing. */
  check?(request: NoInfer<Q>): void;
  /** Throws `Failure` or `StanzaError` for the caller; anything else is a defect. */
  handle(request: Q, context: Context): A | Promise<A>;
}

/** The shape of an answer, and the module it is framed in. */
export interface Answer<A> {
  readonly module?: string;
  readonly codec: ElementCodec<A>;
}

/** A command with its types closed over. */
export interface Command {
  readonly name: string;
  readonly doc: string;
  readonly access: Access;
  readonly audited: boolean;
  readonly needs: readonly Verb[];
  readonly once: boolean;
  off(policy: Policy): string | undefined;
  readonly request: ElementCodec<unknown>;
  readonly response: Answer<unknown>;
  /** Parses and checks. Throws what these throw; what it returns handles the request and writes the answer, and rejects as the handler does. */
  prepare(payload: XmlElement): (context: Context) => Promise<XmlElement>;
}

/** Declares a command; the handler's types come from the codecs. */
export function command<Q, A>(declaration: CommandDeclaration<Q, A>): Command {
  const { doc, access, audited = false, needs = [], once = false, request, response } = declaration;
  return {
    name: request.name,
    doc,
    access,
    audited,
    needs,
    once,
    off: (policy) => declaration.off?.(policy),
    request,
    response,
    prepare(payload) {
      const asked = request.read(payload);
      declaration.check?.(asked);
      return async (context) => response.codec.write(await declaration.handle(asked, context));
    },
  };
}

/** An event as its file declares it. */
export interface EventDeclaration<T, K extends Change['kind']> {
  readonly doc: string;
  /** The kind of change that it comes of. */
  readonly on: K;
  readonly payload: ElementCodec<T>;
  /** Names under which a filter finds a value that the payload keeps under another. */
  readonly filterAliases?: Readonly<Record<string, string>>;
  /** What of a change is to be told, and to whom; often nothing. */
  from(change: ChangeOf<K>, world: World): readonly Telling<T>[];
}

/** One thing to tell. Kept until the server has confirmed it, thousands at a time. */
export interface Telling<T = unknown> {
  /** The users it concerns. */
  readonly concerns: readonly User[];
  readonly value: T;
  /** What to say instead where it is told later than it happened; asked when it is told. Left out: the same. */
  late?(): T;
  /** Where later events make this one needless while nobody can be told. Left out: each event counts by itself. */
  readonly about?: About | undefined;
}

/** An event with its types closed over. */
export interface Event {
  readonly name: string;
  readonly doc: string;
  /** The kind of change that it comes of: {@link Event.from} is not asked about others. */
  readonly on: Change['kind'];
  /** What clients get of a {@link Telling.value}. */
  readonly payload: ElementCodec<unknown>;
  readonly filterAliases: ReadonlyMap<string, string>;
  /** Says nothing of changes of other kinds. */
  from(change: Change, world: World): readonly Telling[];
}

const nothing: readonly Telling[] = [];

/** Declares an event. */
export function event<T, K extends Change['kind']>(declaration: EventDeclaration<T, K>): Event {
  const { doc, on, payload } = declaration;
  const isOurs = (change: Change): change is ChangeOf<K> => change.kind === on;
  return {
    name: payload.name,
    doc,
    on,
    payload,
    filterAliases: new Map(Object.entries(declaration.filterAliases ?? {})),
    from: (change, world) => (isOurs(change) ? declaration.from(change, world) : nothing),
  };
}

/** A module: one `module` attribute on the wire, one file here. */
export interface Module {
  readonly name: string;
  readonly doc: string;
  readonly commands: ReadonlyMap<string, Command>;
  readonly events: ReadonlyMap<string, Event>;
}

/** Declares a module. Throws where two commands or events share a name. */
export function defineModule(declaration: {
  readonly name: string;
  readonly doc: string;
  readonly commands?: readonly Command[];
  readonly events?: readonly Event[];
}): Module {
  return {
    name: declaration.name,
    doc: declaration.doc,
    commands: byName(declaration.commands ?? []),
    events: byName(declaration.events ?? []),
  };
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  const map = new Map(items.map((item) => [item.name, item]));
  if (map.size !== items.length)
    throw new Error(`declared twice: ${items.map((item) => item.name).join(', ')}`);
  return map;
}
