/** IQs as nobody should send them: each must be answered exactly once, and never with an internal error. */

import { modules } from '../../src/modules/index.ts';
import { escapeXml } from '../../src/protocol/xml.ts';
import { hostHere } from '../chaos/host.ts';
import { component } from '../chaos/names.ts';
import type { Random } from '../chaos/random.ts';
import { startWorld } from '../chaos/world.ts';
import { until } from '../servers/until.ts';
import { find } from '../xmpp/tree.ts';

const commands = modules.flatMap((module) =>
  [...module.commands.values()].map((command) => ({ module: module.name, command })),
);
const texts = [
  '',
  ' ',
  '370',
  '340',
  '*',
  '0',
  '-1',
  'true',
  'user',
  'supervisor',
  'PJSIP/340-00000001',
  '340@example.test',
  '@',
  'constructor',
  '__proto__',
  'a\r\nAction: x',
  '\u{1F3BA}',
  '<&>\'"',
  'x'.repeat(3000),
  '999999999999999999999',
] as const;
const namespaces = [
  'http://www.pascom.net/mobydick',
  'urn:xmpp:ping',
  'jabber:iq:search',
  'jabber:iq:version',
  'http://jabber.org/protocol/disco#info',
  'http://jabber.org/protocol/disco#items',
  'urn:xmpp:time',
  'jabber:client',
  '',
] as const;
const senders = [
  '340@example.test/x',
  '341@example.test/y',
  '340@example.test',
  '999@example.test/x',
  '340@elsewhere.test/x',
  'example.test',
  '@/',
  '',
] as const;

function element(random: Random, name: string, known: readonly string[], depth = 0): string {
  const names = ['x', 'constructor', ...known] as const;
  const attrs = new Map(
    Array.from({ length: random.below(5) }, () => [random.pick(names), random.pick(texts)] as const),
  );
  const pairs = [...attrs].map(([key, value]) => ` ${key}='${escapeXml(value)}'`).join('');
  const children = Array.from({ length: depth > 3 ? 0 : random.below(3) }, () =>
    random.below(4) === 0
      ? escapeXml(random.pick(texts))
      : element(random, random.pick(names), known, depth + 1),
  );
  return `<${name}${pairs}>${children.join('')}</${name}>`;
}

function payload(random: Random): string {
  if (random.below(6) === 0) return `<query xmlns='${random.pick(namespaces)}'/>`;
  if (random.below(30) === 0) return '<a>'.repeat(80) + '</a>'.repeat(80);
  if (random.below(30) === 0) return '';
  const chosen = commands[random.below(commands.length)];
  const known = (chosen?.command.request.fields ?? []).map(({ name }) => name).filter((name) => name !== '');
  const body = element(random, random.below(10) === 0 ? 'Nonsense' : (chosen?.command.name ?? 'x'), known);
  const module = random.below(10) === 0 ? random.pick(texts) : chosen?.module;
  return `<cmd xmlns='${namespaces[0]}' module='${escapeXml(module ?? '')}'>${body}${random.below(20) === 0 ? body : ''}</cmd>`;
}

/** Sends `count` of them through a stream, a few hundred at a time. Rejects with the IQ that was answered wrongly. */
export async function fuzzStanzas(random: Random, count: number): Promise<void> {
  const sent = new Map<string, string>();
  let wrong = '';
  const world = await startWorld(hostHere({ pingEveryMs: 3_600_000 }), (stanza) => {
    const { id = '', type } = stanza.attrs;
    if (stanza.name !== 'iq' || (type !== 'result' && type !== 'error')) return;
    const iq = sent.get(id);
    if (iq === undefined && id.startsWith('fuzz-')) wrong = `answered twice, or unasked: ${id}`;
    if (find(find(stanza, 'error'), 'internal-server-error') !== undefined) wrong = `internal error: ${iq}`;
    sent.delete(id);
  });
  try {
    for (let n = 0; n < count; ) {
      const batch: string[] = [];
      for (; batch.length < 500 && n < count; n++) {
        const from = random.pick(senders);
        const id = `fuzz-${n}`;
        const iq = `<iq type='${random.pick(['get', 'set', 'set', 'odd'])}' id='${id}' from='${from}' to='${random.pick([component, component, `${component}/x`, `340@${component}`])}'>${payload(random)}</iq>`;
        // To nobody nothing can be answered.
        if (from !== '') sent.set(id, iq);
        batch.push(iq);
      }
      world.server.connections.at(-1)?.write(batch.join(''));
      await until('all are answered', () => sent.size === 0 || wrong !== '', 30).catch((error: unknown) => {
        throw new Error(`not answered: ${[...sent.values()][0]}`, { cause: error });
      });
      if (wrong !== '') throw new Error(wrong);
      if (world.server.connections.length > 1) throw new Error('the stream ended');
    }
  } finally {
    await world.stop();
  }
}
