/** slixmpp, a standard XMPP client that knows nothing of the bridge: what it shows is what any client would. */

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tree, triplet } from '../servers/debian.ts';
import { fromTree, start } from '../servers/process.ts';
import { slixmppTree } from '../servers/trees.ts';
import { until } from '../servers/until.ts';
import type { XmppServer, XmppUser } from '../servers/xmpp.ts';

/** One contact as a contact list shows it. */
export interface Contact {
  /** `none`, `to`, `from` or `both` (RFC 6121 §2.1.2.5). */
  readonly subscription: string;
  /** The resources that are available; `show` is empty for one that is simply there. */
  readonly resources: Readonly<Record<string, { readonly show: string; readonly status: string }>>;
}

/** What the program says, one object a line. */
type Said = Readonly<Record<string, unknown>>;

/** One that has logged in and sent presence. */
export interface StandardClient {
  readonly jid: string;
  /** Every presence so far, in order. */
  readonly presences: readonly { readonly sender: string; readonly type: string; readonly status: string }[];
  /** A contact as it is shown now; undefined before the first presence from it. */
  contact(jid: string): Contact | undefined;
  /** Identities as `category type name`, and features. Rejects with the condition of an error. */
  disco(
    jid: string,
  ): Promise<{ readonly identities: readonly string[]; readonly features: readonly string[] }>;
  /** Rejects with the condition of an error. */
  ping(jid: string): Promise<void>;
  /** Adds a contact: roster entry and subscription request. */
  add(jid: string, name?: string): Promise<void>;
  /** Removes a contact, its subscriptions with it. */
  remove(jid: string): Promise<void>;
  /** Says that it takes files, and takes what it is offered from now on, from a place in each file on. */
  takeFiles(offset?: number): Promise<void>;
  /** What it took, in order; `data` from the place on. */
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly desc: string;
    readonly data: Buffer;
  }[];
  /** Links that it was sent (XEP-0066). */
  readonly links: readonly string[];
  /** Sends an IQ of type `set`; resolves with the answer as text, rejects with the condition of an error. */
  set(jid: string, payload: string): Promise<string>;
  /** The names of the fields of a search form (XEP-0055). */
  fields(jid: string): Promise<readonly string[]>;
  /** Sends the form; what was found, by the names of its columns. */
  search(
    jid: string,
    values: Readonly<Record<string, string>>,
  ): Promise<readonly Readonly<Record<string, string | readonly string[]>>[]>;
  /** Keeps a vCard (XEP-0054) with a name and a number on the server. */
  publishCard(name: string, number: string): Promise<void>;
  /** Logs out. */
  stop(): Promise<void>;
}

/** Logs in, with a resource that the server chooses. Logs out with the test. @throws Error with its output if it cannot. */
export async function slixmpp(server: XmppServer, user: XmppUser): Promise<StandardClient> {
  const root = await tree(slixmppTree);
  const script = join(import.meta.dirname, 'slixmpp_client.py');
  const jid = `${user.name}@${server.domain}`;
  const args = [script, jid, user.password, server.host, `${server.c2sPort}`];
  const python = await fromTree(root, 'usr/bin/python3.11', args);
  const said: Said[] = [];
  let rest = '';
  const program = start(
    {
      ...python,
      env: {
        PYTHONHOME: join(root, 'usr'),
        PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
        PYTHONDONTWRITEBYTECODE: '1',
        LD_LIBRARY_PATH: join(root, 'usr/lib', triplet()),
      },
    },
    (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((each) => each.startsWith('{'))) said.push(JSON.parse(line));
    },
  );
  onTestFinished(() => program.stop());
  const of = (event: string) => said.filter((each) => each.event === event);
  const online = await until(
    `${jid} is online with slixmpp`,
    () => {
      if (!program.alive() || of('failed').length > 0) throw new Error(program.log());
      return of('online')[0];
    },
    20,
  );
  let count = 0;
  async function wish(what: string, target: string, more: Said = {}): Promise<Said> {
    count += 1;
    const id = count;
    program.write(`${JSON.stringify({ id, do: what, jid: target, ...more })}\n`);
    const answer = await until(
      `slixmpp does ${what} with ${target}`,
      () => said.find((each) => each.id === id),
      20,
    );
    if (answer.error !== undefined) throw new Error(String(answer.error));
    return answer;
  }
  return {
    jid: String(online.jid),
    get presences() {
      return of('presence').map(({ sender, type, status }) => ({
        sender: String(sender),
        type: String(type),
        status: String(status),
      }));
    },
    // The driver's own shape, a few lines away.
    contact: (contact) => of('contact').findLast((each) => each.jid === contact) as Contact | undefined,
    async disco(target) {
      const { identities, features } = (await wish('disco', target)).ok as Record<string, unknown[]>;
      const named = (identities ?? []).map((each) => (each as unknown[]).join(' '));
      return { identities: named, features: (features ?? []).map(String) };
    },
    async ping(target) {
      await wish('ping', target);
    },
    async add(contact, name = '') {
      await wish('add', contact, { name });
    },
    async remove(contact) {
      await wish('remove', contact);
    },
    async takeFiles(offset = 0) {
      await wish('files', '', { offset });
    },
    get files() {
      return of('file').map(({ name, size, desc, data }) => ({
        name: String(name),
        size: Number(size),
        desc: String(desc),
        data: Buffer.from(String(data), 'base64'),
      }));
    },
    get links() {
      return of('message').flatMap(({ link }) => (typeof link === 'string' && link !== '' ? [link] : []));
    },
    set: async (target, payload) => String((await wish('set', target, { payload })).ok),
    fields: async (target) => (await wish('fields', target)).ok as string[],
    async search(target, values) {
      const answer = (await wish('search', target, { values })).ok as Record<string, unknown>;
      return answer.items as Record<string, string>[];
    },
    async publishCard(fullName, number) {
      await wish('card', jid, { name: fullName, number });
    },
    stop: () => program.stop(),
  };
}
