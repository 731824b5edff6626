/**
 * Every parameter of every command there is, with strings that would do harm: what reaches AMI is what the command would do with
 * a harmless value, or nothing. Modules that are added are covered as they are.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../../src/modules/index.ts';
import { actionsOf } from '../../src/pbx/abilities.ts';
import type { DeviceName, Pbx, Verb } from '../../src/pbx/pbx.ts';
import type { XmlElement } from '../../src/protocol/xml.ts';
import { defaultPolicy, type Policy } from '../../src/rules/policy.ts';
import { adapter } from '../pbx/adapter.ts';
import { hostile } from '../pbx/hostile.ts';
import { type Peer, type Sent, startWire, type Wire } from '../pbx/wire.ts';
import { api, device, user, view } from './harness.ts';

const me = 'tweber@example.org/desk';
const own = 'PJSIP/340-0000001c';

/** Everything is allowed, so that nothing is refused before its time. */
const policy: Partial<Policy> = {
  dialFrom: true,
  listen: { modes: new Set(['listen', 'whisper', 'barge']), announce: '*55' },
  notify: new Set(['reboot']),
  conferences: new Map([['800', '800']]),
  actions: new Map(
    (
      [
        ['openDoor', { kind: 'userEvent', event: 'Door' }],
        ['call', { kind: 'originate', exten: '*71', context: undefined }],
        ['hook', { kind: 'webhook', url: 'http://127.0.0.1/', secret: '', timeoutMs: 1, retries: 0 }],
      ] as const
    ).map(([name, effect]) => [
      name,
      {
        name,
        roles: new Set(['xmpp.connect'] as const),
        arguments: new Map([['door', { optional: true, values: undefined, pattern: undefined, max: 2000 }]]),
        effect,
      },
    ]),
  ),
};

/** A place in a request where a client's text stands. */
interface Place {
  readonly name: string;
  put(value: string): XmlElement;
}

/** Every attribute and text of the example, and the attributes that it leaves out. */
function placesOf(example: XmlElement, more: readonly string[]): Place[] {
  const inner = (element: XmlElement, path: string, build: (made: XmlElement) => XmlElement): Place[] => {
    const names = path === '' ? new Set([...element.attrs.keys(), ...more]) : new Set(element.attrs.keys());
    const attributes = [...names].map(
      (name): Place => ({
        name: `${path}@${name}`,
        put: (value) => build({ ...element, attrs: new Map([...element.attrs, [name, value]]) }),
      }),
    );
    const children = element.children.flatMap((node, at): Place[] => {
      const replaced = (made: XmlElement | string) =>
        build({ ...element, children: element.children.with(at, made) });
      return typeof node === 'string'
        ? [{ name: `${path}/text`, put: replaced }]
        : inner(node, `${path}/${node.name}`, replaced);
    });
    const empty: Place[] =
      path !== '' && element.children.length === 0 && element.attrs.size === 0
        ? [{ name: `${path}/text`, put: (value) => build({ ...element, children: [value] }) }]
        : [];
    return [...attributes, ...children, ...empty];
  };
  return inner(example, '', (made) => made);
}

const commands = modules.flatMap((module) =>
  [...module.commands.values()].map((command) => ({
    name: `${module.name}.${command.name}`,
    module: module.name,
    command,
  })),
);
const additional = (names: readonly { readonly kind: string; readonly name: string }[]) =>
  names.filter(({ kind, name }) => kind === 'attribute' && name !== '…').map(({ name }) => name);

/** Who is on the telephone when the command comes. */
const situations = {
  talking: [
    view({ channel: own as never, state: 'busy' }),
    view({
      channel: 'PJSIP/340-0000001d' as never,
      state: 'busy',
      held: true,
      refChannel: 'PJSIP/330-1' as never,
    }),
  ],
  idle: [
    view({
      channel: 'PJSIP/370-1' as never,
      device: 'PJSIP/370' as DeviceName,
      otherDevice: '',
      state: 'ringing',
    }),
  ],
  // Somebody else's, for what a supervisor does.
  supervising: [view({ channel: own as never, device: 'PJSIP/370' as DeviceName, state: 'busy' })],
  called: [view({ channel: own as never, state: 'ringing' })],
};

/** Headers that hold people's words; all others are names, numbers and what is made of them. */
const words = /^(callerid|reason|user|jid|extension|arg-[a-z0-9]+|val)$/;
const plain = /^[^&|$<>"'`\p{Cc}]*$/u;

let wire: Wire;
let pbx: Pbx;
/** What the adapter says it has sent. */
const settled: string[] = [];
/** Verbs that were asked for, since it was emptied. */
const asked = new Set<string>();

beforeAll(async () => {
  wire = await startWire(answer);
  const real = adapter(wire.port, {
    // No ping comes between the actions that are counted.
    limits: { pingMs: 600_000, beginMs: 0 },
    onAction: (name) => settled.push(name),
  });
  await real.start();
  pbx = new Proxy(real, {
    get(target, key, receiver) {
      const found: unknown = Reflect.get(target, key, receiver);
      if (typeof found === 'function') asked.add(String(key));
      return found;
    },
  });
});
afterAll(async () => {
  await pbx?.stop();
  await wire?.stop();
});

const control = () => wire.peers.find((peer) => peer.user === 'control');

/** A telephone system in which everything works, as far as a command waits for it. */
function answer(action: Sent, peer: Peer): 'answered' | undefined {
  if (action.user !== 'control') return undefined;
  const id = `ActionID: ${action.headers.get('actionid')}`;
  const list = (...items: string[][]) => {
    peer.say('Response: Success', id, 'EventList: start', 'Message: follows');
    for (const item of items) peer.say(...item, id);
    peer.say(`Event: ${action.name}Complete`, id, 'EventList: Complete', `ListItems: ${items.length}`);
    return 'answered' as const;
  };
  switch (action.name.toLowerCase()) {
    case 'confbridgelistrooms':
      return list(['Event: ConfbridgeListRooms', 'Conference: 800', 'Locked: No']);
    case 'confbridgelist':
      return list(['Event: ConfbridgeList', `Channel: ${own}`, 'CallerIDNum: 340', 'Muted: No']);
    case 'status':
    case 'parkedcalls':
    case 'queuestatus':
      return list();
    case 'park': {
      const parkee = action.headers.get('channel') ?? '';
      const feed = wire.peers.find((each) => each.user === 'feed');
      const particulars = [`ParkeeChannel: ${parkee}`, 'ParkeeUniqueid: 1.1', 'ParkeeLinkedid: 1.1'];
      feed?.say(
        'Event: ParkedCall',
        ...particulars,
        'ParkeeChannelState: 6',
        'ParkingSpace: 701',
        'Parkinglot: default',
      );
      return undefined;
    }
    default:
      return undefined;
  }
}

type Situation = (typeof situations)['idle'];
type Office = ReturnType<typeof officeWhere>;

/** An office in which that is going on. */
function officeWhere(views: Situation) {
  const office = api({ pbx });
  office.allow({ ...defaultPolicy, ...policy });
  const all = new Set(['dial', 'hold', 'offhook', 'transfer'] as const);
  office.change(
    user('tweber', '340', 'Thomas Weber', {
      roles: new Set(['xmpp.connect', 'xmpp.supervisor']),
      devices: [device('Desk phone', 'PJSIP/340', all)],
    }),
    user('mmeyer', '370', 'Max Meyer', { devices: [device('Desk phone', 'PJSIP/370', all)] }),
  );
  office.views.push(...views);
  return office;
}

/** Sends the request; resolves with the answer and what left for the telephone system, one list of lines an action. */
async function send(office: Office, module: string, request: XmlElement) {
  const before = control()?.received().length ?? 0;
  asked.clear();
  settled.length = 0;
  const said = await office.ask(me, module, request);
  const verbs = new Set(asked);
  const sent = [...settled];
  // What follows on the same connection shows that nothing else is under way.
  await pbx.hangup('PJSIP/sentinel-1' as never);
  const text = control()?.received().slice(before) ?? '';
  expect(text.endsWith('\r\n\r\n')).toBe(true);
  const messages = text
    .slice(0, -4)
    .split('\r\n\r\n')
    .map((each) => each.split('\r\n'));
  expect(messages.pop()?.join()).toContain('PJSIP/sentinel-1');
  return { said, messages, verbs, sent };
}

const headersOf = (lines: readonly string[]) =>
  new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(': ')).toLowerCase(),
      line.slice(line.indexOf(': ') + 2),
    ]),
  );
const nameOf = (lines: readonly string[]) => headersOf(lines).get('action') ?? '';
/** An action's name with its headers, in any order. */
const shapeOf = (lines: readonly string[]) =>
  `${nameOf(lines)} ${[...headersOf(lines).keys()].sort().join()}`;

/**
 * What a command does with harmless values: each of its parameters there, and each that may be missing left out. A supervisor's may name
 * anybody's channel, one that is not known here included: some hostile strings are no more than that.
 */
async function harmless(office: Office, module: string, example: XmlElement) {
  const variants = [example, ...[...example.attrs.keys()].map((name) => without(example, name))];
  if (example.attrs.has('channel')) {
    variants.push({ ...example, attrs: new Map([...example.attrs, ['channel', 'PJSIP/199-1']]) });
  }
  const runs = [];
  for (const each of variants) runs.push(await send(office, module, each));
  return {
    shapes: new Set(runs.flatMap(({ messages }) => messages.map(shapeOf))),
    most: Math.max(...runs.map(({ messages }) => messages.length)),
    verbs: new Set(runs.flatMap(({ verbs }) => [...verbs])),
  };
}

function without(element: XmlElement, name: string): XmlElement {
  return { ...element, attrs: new Map([...element.attrs].filter(([key]) => key !== name)) };
}

// As many keys as were given; and a custom action may do any of what the operator has configured.
const longest: Readonly<Record<string, number>> = { 'base.SendDigits': 32 };
const configured: Readonly<Record<string, readonly Verb[]>> = {
  'xmppuser.InvokeCustomAction': ['originate', 'userEvent'],
};

describe.each(commands)('$name', ({ name, module, command }) => {
  const example = command.request.write(command.request.example);
  const examples =
    name in configured
      ? ['openDoor', 'call', 'hook'].map((each) => ({
          ...example,
          attrs: new Map([...example.attrs, ['action', each]]),
        }))
      : [example];
  const places = examples.flatMap((each) => placesOf(each, additional(command.request.fields)));

  it(`sends nothing that its ${places.length} parameters could bend`, { timeout: 120_000 }, async () => {
    const used = new Set<string>();
    for (const views of Object.values(situations)) {
      const office = officeWhere(views);
      const normal = [];
      for (const each of examples) normal.push(await harmless(office, module, each));
      const shapes = new Set(normal.flatMap((each) => [...each.shapes]));
      const most = longest[name] ?? Math.max(...normal.map((each) => each.most));
      for (const { verbs } of normal) for (const verb of verbs) used.add(verb);
      for (const place of places) {
        await fc.assert(
          fc.asyncProperty(hostile, async (value) => {
            const { said, messages, verbs, sent } = await send(office, module, place.put(value));
            expect(said).not.toMatch(/^internal-server-error/);
            // Malformed, and so nothing was begun.
            if (said.startsWith('bad-request')) expect(messages).toEqual([]);
            expect(messages.map(nameOf)).toEqual(sent);
            expect(messages.length).toBeLessThanOrEqual(most);
            for (const lines of messages) {
              expect(shapes).toContain(shapeOf(lines));
              expect(headersOf(lines).size).toBe(lines.length);
              for (const line of lines) {
                expect(line).toMatch(/^[A-Za-z][A-Za-z0-9-]+: [^\r\n\0]*$/u);
                expect(Buffer.byteLength(line)).toBeLessThan(1022);
              }
              for (const [header, held] of headersOf(lines)) {
                if (!words.test(header)) expect(`${header}: ${held}`).toMatch(plain);
              }
            }
            for (const verb of verbs) used.add(verb);
          }),
          { numRuns: 15 },
        );
      }
    }
    const declared = new Set<string>([...command.needs, ...(configured[name] ?? [])]);
    expect([...used].filter((verb) => isVerb(verb) && !declared.has(verb))).toEqual([]);
  });

  // Of these the world above is known to let everything through: that they are tried is tested, too.
  if (['base', 'phone', 'conference', 'redirect'].includes(module) && command.needs.length > 0) {
    it('comes as far as the telephone system with harmless values', async () => {
      const sent = [];
      for (const views of Object.values(situations))
        sent.push(...(await send(officeWhere(views), module, example)).messages);
      expect(sent.length).toBeGreaterThan(0);
    });
  }
});

/** Whether it is a verb that an account may lack something for. */
function isVerb(name: string): boolean {
  return Object.entries(actionsOf).some(([verb, actions]) => verb === name && actions.length > 0);
}
