/**
 * Request in, answer out: who is it, may they, what do they want, do it in time. The only caller of handlers.
 * Never throws and always answers.
 */

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Bounded, createBound } from './bounds.ts';
import { type Directory, emptyDirectory } from './directory.ts';
import { Failure, StanzaError } from './errors.ts';
import type { Command, Context, Module } from './modules/define.ts';
import { demandOffered } from './modules/offer.ts';
import { unwrap, wrap, wrapFailure } from './protocol/envelope.ts';
import { type BareJid, type FullJid, fullJid, type Jid } from './protocol/jid.ts';
import { elements, serialize, type XmlElement } from './protocol/xml.ts';
import type { RateLimit } from './rate.ts';
import { type Audit, aboutWhat } from './rules/audit.ts';
import type { IqAnswer } from './xmpp/xmpp.ts';

/** What dispatch needs besides the modules. */
export interface DispatchOptions {
  readonly modules: readonly Module[];
  /** Everything of a handler's context but the caller. */
  readonly context: () => Omit<Context, 'caller'>;
  readonly directory: () => Directory;
  /** XMPP domains whose users are served, in lower case. */
  readonly domains: ReadonlySet<string>;
  readonly rate: RateLimit<BareJid>;
  /** Commands under way at once, all users together. */
  readonly maxInFlight: number;
  /** How long a command may take, milliseconds. */
  readonly timeoutMs: number;
  /** A text as the log may show it: numbers masked where the operator wants that. */
  readonly show: (text: string) => string;
  /** Gets every attempt at a command that is audited, whatever became of it. */
  readonly audit: Audit;
  readonly log: Logger;
}

/** Answers one `cmd` element of a sender whose JID the server has stamped. */
export type Dispatch = (from: Jid, cmd: XmlElement) => Promise<IqAnswer>;

/** Makes the dispatcher. */
export function createDispatch(options: DispatchOptions): Dispatch & Bounded {
  const { directory, domains, rate, maxInFlight, timeoutMs, show, audit, log } = options;
  const modules = new Map(options.modules.map((module) => [module.name, module]));
  let inFlight = 0;
  const bound = createBound('commands', maxInFlight, () => inFlight);
  /** Requests that are not taken twice at a time; no more than are in flight. */
  const underWay = new Set<string>();

  function callerOf(from: Jid): Context['caller'] {
    if (!domains.has(from.domain)) {
      throw new StanzaError('forbidden', `This telephone system does not serve users of ${from.domain}.`);
    }
    const known = directory();
    if (known === emptyDirectory) {
      // Not `not-authorized`, which makes clients ask for a password: in a moment the answer is another.
      const text = 'The users are not known yet: the telephone system has not been reached since the start.';
      throw new StanzaError('service-unavailable', text, 'wait');
    }
    const user = known.byJid(from.bare);
    if (user === undefined) {
      throw new StanzaError(
        'not-authorized',
        `${from.bare} is not in the directory of this telephone system.`,
      );
    }
    const session: FullJid | undefined = fullJid(from);
    return { jid: from, session, user, supervisor: user.roles.has('xmpp.supervisor') };
  }

  function find(moduleName: string, commandName: string): Command {
    const module = modules.get(moduleName);
    if (module === undefined) {
      throw new StanzaError(
        'feature-not-implemented',
        `There is no module '${moduleName.slice(0, 60)}' here.`,
      );
    }
    const command = module.commands.get(commandName);
    if (command === undefined) {
      const name = `${moduleName}.${commandName.slice(0, 60)}`;
      throw new StanzaError('feature-not-implemented', `There is no command '${name}' here.`);
    }
    return command;
  }

  async function serve(from: Jid, cmd: XmlElement): Promise<XmlElement> {
    // Before anything is looked up: whoever is in no directory may not flood us, either.
    if (!rate.take(from.bare)) {
      throw new StanzaError(
        'resource-constraint',
        'Too many requests: wait a moment, then send them more slowly.',
      );
    }
    const caller = callerOf(from);
    const { module, payload } = unwrap(cmd);
    const command = find(module, payload.name);
    if (command.access === 'supervisor' && !caller.supervisor) {
      throw new Failure('not-permitted', `${module}.${command.name} needs the role xmpp.supervisor.`);
    }
    const context = { ...options.context(), caller };
    demandOffered(module, command, context.directory.policy, context.pbx);
    const run = command.prepare(payload);
    if (!bound.admits()) {
      throw new StanzaError('resource-constraint', 'The bridge is busy: try again in a moment.');
    }
    const key = command.once ? `${caller.jid.bare} ${module} ${serialize(payload)}` : undefined;
    if (key !== undefined && underWay.has(key)) {
      throw new Failure('rejected', 'You have asked for this already, and it is under way: wait a moment.');
    }
    inFlight += 1;
    if (key !== undefined) underWay.add(key);
    const work = run(context).finally(() => {
      inFlight -= 1;
      if (key !== undefined) underWay.delete(key);
    });
    return wrap(command.response.module ?? module, await inTime(work, timeoutMs));
  }

  /** Puts the attempt on record, if it is one at a command that is audited. */
  function record(from: Jid, cmd: XmlElement, outcome: string, reason: string): void {
    const [payload] = elements(cmd);
    const module = cmd.attrs.get('module') ?? '';
    const command = payload && modules.get(module)?.commands.get(payload.name);
    if (command?.audited !== true || payload === undefined) return;
    audit({
      user: directory().byJid(from.bare)?.name ?? '',
      jid: from.resource === '' ? from.bare : `${from.bare}/${from.resource}`,
      command: `${module}.${command.name}`,
      on: aboutWhat(payload.attrs, show),
      outcome,
      reason: show(reason),
      at: options.context().now(),
    });
  }

  const dispatch: Dispatch = async (from, cmd) => {
    const { answer, outcome, reason } = await answerTo(from, cmd);
    record(from, cmd, outcome, reason);
    return answer;
  };
  return Object.assign(dispatch, { bounds: [bound] });

  async function answerTo(
    from: Jid,
    cmd: XmlElement,
  ): Promise<{ answer: IqAnswer; outcome: string; reason: string }> {
    try {
      return { answer: { result: await serve(from, cmd) }, outcome: 'ok', reason: '' };
    } catch (error) {
      if (error instanceof Failure) {
        log.debug({ from: from.bare, code: error.code, reason: show(error.message) }, 'command refused');
        return { answer: { result: wrapFailure(error) }, outcome: error.code, reason: error.message };
      }
      if (error instanceof StanzaError) {
        log.debug(
          { from: from.bare, condition: error.condition, reason: show(error.message) },
          'stanza refused',
        );
        return { answer: { error }, outcome: error.condition, reason: error.message };
      }
      const reference = randomUUID();
      log.error({ err: error, reference, from: from.bare }, 'a command failed by a defect of the bridge');
      const text = `The bridge failed; its log says more under the reference ${reference}.`;
      const defect = new StanzaError('internal-server-error', text);
      return { answer: { error: defect }, outcome: defect.condition, reason: text };
    }
  }
}

/** The work's outcome, or `remote-server-timeout` where it takes too long. What comes late is dropped. */
async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new StanzaError('remote-server-timeout', 'The telephone system did not answer in time.'));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
