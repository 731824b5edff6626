/** An office to have conversations in: an XMPP server, a telephone system, a store, and the bridge between them. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tuning } from '../../src/adapters.ts';
import type { Offhook } from '../../src/assemble.ts';
import type { Readiness } from '../../src/ops/health.ts';
import type { Apart } from '../apart/apart.ts';
import {
  type EjabberdServer,
  openRelay,
  type RedisServer,
  type Relay,
  runFolder,
  startEjabberd,
  startProsody,
  startRedis,
  until,
  type XmppServer,
  type XmppUser,
} from '../servers/index.ts';
import { type Colleague, directoryYaml, everybody } from './people.ts';
import { arrive, type Person } from './person.ts';
import { type LogLine, placeApart, placeHere } from './place.ts';
import {
  type Real,
  realTelephones,
  type Simulated,
  simulatedTelephones,
  type Telephone,
  type Telephones,
} from './telephones.ts';

export const DOMAIN = 'example.test';
export const COMPONENT = `pbx.${DOMAIN}`;

/** A second domain on the same Prosody, whose users are strangers to the bridge. */
export const STRANGERS = 'other.example.test';

/** An account without a telephone. */
const unlisted = { name: 'nora', password: 'nobody-knows-me' };

/** What stands in the office. */
export interface OfficePlan<P extends 'simulator' | 'asterisk' = 'simulator' | 'asterisk'> {
  readonly xmpp: 'prosody' | 'ejabberd';
  readonly pbx: P;
  readonly store: 'memory' | 'redis';
  /** Settings of the bridge besides those that say where the servers are. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly tuning?: Tuning;
  /** The bridge reaches its neighbors through {@link Office.lines}. */
  readonly relayed?: boolean;
  /** The bridge has a process for itself: {@link Office.bridge}`.apart`. */
  readonly apart?: boolean;
}

/** The lines from the bridge to its neighbors. */
export interface Lines {
  readonly xmpp: Relay;
  readonly ami: Relay;
  readonly redis: Relay;
}

/** An office at work. */
export interface Office<T extends Telephones = Telephones> {
  readonly xmpp: XmppServer;
  readonly telephones: T;
  /** The telephone of a colleague. */
  phone(person: Colleague): Telephone;
  /** Throws where the office has none. */
  readonly redis: RedisServer;
  /** What a colleague logs in with. */
  account(person: Colleague): XmppUser;
  /** Logs a colleague in; each login has a resource of its own where none is given. */
  login(person: Colleague, resource?: string): Promise<Person>;
  /** Logs in somebody whom the server knows and the directory does not. */
  unlisted(): Promise<Person>;
  /** Logs in a user of {@link STRANGERS}; Prosody only. */
  stranger(): Promise<Person>;
  /** {@link login} and the handshake, by default for the own events of module `base`. */
  comeIn(person: Colleague): Promise<Person>;
  /** Throws where the office has none. */
  readonly lines: Lines;
  readonly bridge: {
    /** What a bridge of this office is configured with. */
    readonly environment: Readonly<Record<string, string>>;
    /** The one that runs, or ran last. Throws where it has a process for itself. */
    readonly offhook: Offhook;
    /** Its process. Throws where it has none for itself. */
    readonly apart: Apart;
    readonly readiness: Readiness;
    readonly log: readonly LogLine[];
    /** Starts a new bridge with the same settings; resolves when it is ready. */
    start(): Promise<void>;
    stop(): Promise<void>;
    restart(): Promise<void>;
    /** Resolves when every neighbour is up. */
    isReady(): Promise<void>;
  };
  /** Puts every receiver down. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens an office; ready to work when it resolves. Close it with `stop`. */
export function openOffice(plan: OfficePlan<'simulator'>): Promise<Office<Simulated>>;
export function openOffice(plan: OfficePlan<'asterisk'>): Promise<Office<Real>>;
export function openOffice(plan: OfficePlan): Promise<Office>;
export async function openOffice(plan: OfficePlan): Promise<Office> {
  /** What has to be undone, last thing first. */
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    const failed: unknown[] = [];
    for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  };
  try {
    const keep = <T extends { stop(): Promise<unknown> }>(it: T): T => {
      undo.push(() => it.stop());
      return it;
    };
    const passwords = new Map(everybody.map(({ name }) => [name, randomBytes(9).toString('base64url')]));
    const [xmpp, telephones, redis] = await Promise.all([
      startXmpp(plan.xmpp, passwords).then(keep),
      startTelephones(plan.pbx).then(keep),
      plan.store === 'redis'
        ? startRedis({ password: randomBytes(9).toString('hex') }).then(keep)
        : undefined,
    ]);
    const folder = await runFolder('office');
    undo.push(() => folder.remove());
    const directory = join(folder.path, 'users.yaml');
    await writeFile(directory, directoryYaml());

    // Volleys of requests are what may be lost, and must not be without the line's knowing.
    const line = async (port: number) => keep(await openRelay(port, 'volley[0-9-]+'));
    const lines: Lines | undefined = plan.relayed
      ? {
          xmpp: await line(xmpp.componentPort),
          ami: await line(telephones.port),
          redis: await line(redis?.port ?? 0),
        }
      : undefined;
    const redisUrl = new URL(redis?.url ?? 'redis://localhost');
    if (lines !== undefined) redisUrl.port = String(lines.redis.port);

    const environment = {
      XMPP_SERVICE: `xmpp://${xmpp.host}:${lines?.xmpp.port ?? xmpp.componentPort}`,
      XMPP_COMPONENT: COMPONENT,
      XMPP_SECRET: xmpp.component.secret,
      AMI_HOST: telephones.host,
      AMI_PORT: String(lines?.ami.port ?? telephones.port),
      AMI_USERNAME: telephones.control.username,
      AMI_SECRET: telephones.control.secret,
      AMI_FEED_USERNAME: telephones.feed.username,
      AMI_FEED_SECRET: telephones.feed.secret,
      PBX_OUTSIDE_PREFIX: '0',
      DIRECTORY_FILE: directory,
      HTTP_LISTEN: '',
      RATE_LIMIT_PER_SECOND: '100000',
      RATE_LIMIT_BURST: '100000',
      LOG_LEVEL: 'debug',
      ...(redis && { STORE: 'redis', REDIS_URL: redisUrl.href }),
      ...plan.settings,
    };
    const place = (plan.apart ? placeApart : placeHere)({ environment, tuning: plan.tuning });
    undo.push(() => place.close());
    await place.start();

    let logins = 0;
    const account = ({ name }: Colleague) => ({ name, password: passwords.get(name) ?? '' });
    const login = (person: Colleague, resource?: string) => {
      logins += 1;
      return arrive(xmpp, COMPONENT, account(person), resource ?? `desk${logins}`);
    };
    const bridge: Office['bridge'] = {
      environment,
      get offhook() {
        return place.offhook;
      },
      get apart() {
        return place.apart;
      },
      get readiness() {
        return place.readiness;
      },
      log: place.log,
      start: () => place.start(),
      stop: () => place.stop(),
      async restart() {
        await place.stop();
        await place.start();
      },
      async isReady() {
        await until('the bridge is ready', () => place.isReady(), 30);
      },
    };
    return {
      xmpp,
      telephones,
      phone: ({ extension }) => telephones.at(extension),
      get redis() {
        if (redis === undefined) throw new Error('this office has no Redis');
        return redis;
      },
      get lines() {
        if (lines === undefined) throw new Error('this office has no lines');
        return lines;
      },
      account,
      login,
      async unlisted() {
        await xmpp.adduser(unlisted);
        return arrive(xmpp, COMPONENT, unlisted, 'desk');
      },
      stranger: () =>
        arrive({ ...xmpp, domain: STRANGERS }, COMPONENT, { name: 'anna', password: 'any' }, 'desk'),
      async comeIn(person) {
        const one = await login(person);
        await one.handshake();
        return one;
      },
      bridge,
      quiet: () => telephones.quiet(),
      stop: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startTelephones(kind: 'simulator' | 'asterisk'): Promise<Telephones> {
  return kind === 'asterisk' ? realTelephones() : simulatedTelephones();
}

function startXmpp(
  kind: 'prosody' | 'ejabberd',
  passwords: ReadonlyMap<string, string>,
): Promise<XmppServer | EjabberdServer> {
  const options = {
    domain: DOMAIN,
    users: [...passwords].map(([name, password]) => ({ name, password })),
    component: { jid: COMPONENT, secret: randomBytes(12).toString('hex') },
  };
  // A further host after the component's section; everybody may log in there, under a name of its choice.
  const componentConfig = `VirtualHost "${STRANGERS}"\n  authentication = "anonymous"\n`;
  return kind === 'prosody' ? startProsody({ ...options, componentConfig }) : startEjabberd(options);
}
