/** The API's reference, generated from the modules themselves. */

import { exampleXml, fieldTable, pretty } from '../protocol/describe.ts';
import { CMD_NS, featureOf, wrap } from '../protocol/envelope.ts';
import { xml } from '../protocol/xml.ts';
import type { Command, Event, Module } from './define.ts';

const preface = `# The \`cmd\` protocol

Generated from \`src/modules/\` by \`npm run docs\`; a test checks that it is fresh.

Commands are IQs to the component's JID, of type \`get\` or \`set\` alike, with one element \`cmd\` (namespace
\`${CMD_NS}\`) that names a module and holds exactly one command. \`module.Command\` below stands for
\`<cmd module='module'><Command/></cmd>\`.

Every request is answered exactly once:

* **IQ \`result\`** with one \`cmd\`: the answer named below, or \`base.Failure\`: understood, and refused by the telephone
  system or by the rules. \`Failure@code\` is a stable token, \`Failure/message\` a sentence for people.
* **IQ \`error\`** (RFC 6120 §8.3): the stanza cannot be served. \`bad-request\` says what is malformed,
  \`feature-not-implemented\` an unknown module or command, \`forbidden\` a sender from a foreign domain, \`not-authorized\`
  one who is not in the directory, \`remote-server-timeout\` no answer from the telephone system in time,
  \`resource-constraint\` too many requests, \`internal-server-error\` a defect, with a reference to the log.

Events are messages of type \`headline\` to one full JID, with one \`cmd\`, never answered, never stored.

Which commands work on a system, service discovery of the component (XEP-0030) says: one feature
\`${featureOf('module.Command')}\` for each. Left out are those that the operator has not switched on, and those for
which the telephone system lacks a right or a module; they are answered with \`not-available\`.

A session opens with \`xmppuser.ClientInfo\`, answered by \`xmppuser.UserInfo\`. Names are case-sensitive; unknown attributes
and elements in requests are ignored. **Bold** is mandatory. A command marked *supervisor* needs the role type
\`xmpp.supervisor\`.
`;

/** The whole reference, as Markdown. */
export function documentModules(modules: readonly Module[]): string {
  return [preface, ...modules.map(documentModule)].join('\n');
}

function documentModule(module: Module): string {
  const commands = [...module.commands.values()].map((command) => documentCommand(module.name, command));
  const events = [...module.events.values()].map((event) => documentEvent(module.name, event));
  return [`## Module \`${module.name}\``, '', module.doc, '', ...commands, ...events].join('\n');
}

function documentCommand(module: string, command: Command): string {
  const { request, response } = command;
  const example = xml('iq', { type: 'set', to: 'pbx.example.org', id: 'a1' }, [
    wrap(module, request.write(request.example)),
  ]);
  const answer = `${response.module ?? module}.${response.codec.name}`;
  return [
    `### ${module}.${command.name}${command.access === 'supervisor' ? ' (supervisor)' : ''}`,
    '',
    command.doc,
    '',
    ...table(fieldTable(request.fields)),
    ...fenced(pretty(example, '')),
    `Answer: \`${answer}\``,
    '',
    ...(response.module === 'base'
      ? []
      : [...table(fieldTable(response.codec.fields)), ...fenced(exampleXml(response.codec))]),
  ].join('\n');
}

function documentEvent(module: string, event: Event): string {
  return [
    `### ${module}.${event.name} (event)`,
    '',
    event.doc,
    '',
    ...table(fieldTable(event.payload.fields)),
    ...fenced(exampleXml(event.payload)),
  ].join('\n');
}

const table = (rows: string) => (rows === '' ? [] : [rows, '']);
const fenced = (code: string) => ['```xml', code, '```', ''];
