/** Tells the operator whether delegation is in force: the server's own service discovery is the only witness (XEP-0355 §7.2). */

import { StanzaError } from '../errors.ts';
import type { Log } from '../log.ts';
import { elements, xml } from '../protocol/xml.ts';
import { type Delegated, isAdvert } from './delegation.ts';
import { DISCO_INFO_NS } from './namespaces.ts';
import type { Xmpp } from './xmpp.ts';

/** What {@link watchDelegation} needs. Times are milliseconds. */
export interface DelegationWatchOptions extends Delegated {
  readonly xmpp: Xmpp;
  /** The operator counts on it: to be warned where it is not in force, and not only to be told. */
  readonly required: boolean;
  readonly log: Log;
  readonly times?: Partial<DelegationTimes>;
}

/** When to look. */
export interface DelegationTimes {
  /** After the stream is up: servers negotiate first. */
  readonly firstMs: number;
  /** After a server has said that it delegates. */
  readonly advertMs: number;
  /** Between looks. */
  readonly everyMs: number;
  /** How long the server may take to answer. */
  readonly timeoutMs: number;
}

const usual: DelegationTimes = {
  firstMs: 5000,
  advertMs: 500,
  everyMs: 10 * 60_000,
  timeoutMs: 10_000,
};

/** Whether a domain delegates; `unknown` where its server does not say. */
export type Verdict = 'in force' | 'not in force' | 'unknown';

/** The watch. */
export interface DelegationWatch {
  /** By domain, as last seen; empty before the first look. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  stop(): void;
}

const guide = 'docs/legacy-clients.md says what to configure';
const text: Readonly<Record<Verdict, string>> = {
  'in force': 'delegation is in force: clients may send commands to no address at all',
  'not in force': `delegation is not in force: clients have to address commands to the component; ${guide}`,
  // COMPAT: ejabberd 24.12 with mod_privilege drops IQs of components to its domain.
  unknown: `the XMPP server does not say whether delegation is in force; on ejabberd 24.12 remove mod_privilege or upgrade; ${guide}`,
};

/** Looks after each connect, after each advert and now and then; logs one line a domain whenever its verdict changes. */
export function watchDelegation(options: DelegationWatchOptions): DelegationWatch {
  const { xmpp, namespace, domains, required, log } = options;
  const times = { ...usual, ...options.times };
  const verdicts = new Map<string, Verdict>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function ask(domain: string): Promise<Verdict> {
    try {
      const query = xml('query', { xmlns: DISCO_INFO_NS });
      const answer = await xmpp.request(domain, 'get', query, times.timeoutMs);
      const features = elements(answer).flatMap(elements);
      const found = features.some(({ name, attrs }) => name === 'feature' && attrs.get('var') === namespace);
      return found ? 'in force' : 'not in force';
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      return 'unknown';
    }
  }

  async function look(domain: string): Promise<void> {
    const verdict = await ask(domain);
    // A stream that ended meanwhile proves nothing about the server's configuration.
    if (stopped || xmpp.state.status !== 'online' || verdicts.get(domain) === verdict) return;
    const lost = verdicts.get(domain) === 'in force';
    verdicts.set(domain, verdict);
    log[verdict !== 'in force' && (required || lost) ? 'warn' : 'info']({ domain }, text[verdict]);
  }

  function lookIn(ms: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => {
      lookIn(times.everyMs);
      for (const domain of domains) {
        look(domain).catch((error: unknown) =>
          log.error({ err: error, domain }, 'the delegation check failed'),
        );
      }
    }, ms).unref();
  }

  const unsubscribe = xmpp.onState(({ status }) => {
    if (status === 'online') lookIn(times.firstMs);
    else clearTimeout(timer);
  });
  xmpp.onMessage((message) => {
    if (isAdvert(message, { namespace, domains })) lookIn(times.advertMs);
  });

  return {
    verdicts,
    stop() {
      stopped = true;
      clearTimeout(timer);
      unsubscribe();
    },
  };
}
