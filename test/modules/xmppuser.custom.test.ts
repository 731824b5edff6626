import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { xml } from '../../src/protocol/xml.ts';
import type { ActionArgument, CustomAction } from '../../src/rules/policy.ts';
import { api } from './harness.ts';

const anna = 'tweber@example.org/desk';
const boss = 'boss@example.org/x';
const success = expect.stringContaining('<Success><message>Ok</message></Success>');
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);

const argument = (changes: Partial<ActionArgument> = {}): ActionArgument => ({
  optional: false,
  values: undefined,
  pattern: undefined,
  max: 20,
  ...changes,
});
const door = { values: ['front', 'back'] };
const action = (
  name: string,
  effect: CustomAction['effect'],
  changes: Partial<CustomAction> = {},
): CustomAction => ({
  name,
  roles: new Set(['xmpp.connect']),
  arguments: new Map([
    ['door', argument(door)],
    ['note', argument({ optional: true, pattern: /^(?:[a-z ]*)$/u })],
  ]),
  effect,
  ...changes,
});

function office() {
  const made = api();
  const hook = { url: 'http://127.0.0.1:1/', secret: 'sixteen characters', timeoutMs: 1000, retries: 1 };
  const none = { arguments: new Map() };
  const all = [
    action('openDoor', { kind: 'webhook', ...hook }),
    action('tellDoor', { kind: 'userEvent', event: 'Door' }),
    action(
      'nightMode',
      { kind: 'originate', exten: '*71', context: undefined },
      { ...none, roles: new Set(['xmpp.supervisor']) },
    ),
  ];
  made.allow({ actions: new Map(all.map((each) => [each.name, each])) });
  return made;
}

describe('InvokeCustomAction', () => {
  it('posts a webhook with who asked and what for', async () => {
    const { ask, delivered } = office();
    const request = xml('InvokeCustomAction', { action: 'openDoor', door: 'front' }, [
      xml('note', {}, ['for me']),
    ]);
    expect(await ask(anna, 'xmppuser', request)).toEqual(success);
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(delivered).toEqual([
      {
        url: 'http://127.0.0.1:1/',
        secret: 'sixteen characters',
        timeoutMs: 1000,
        retries: 1,
        id,
        body: {
          id,
          at: '1970-01-01T00:00:01.000Z',
          action: 'openDoor',
          user: { name: 'tweber', jid: 'tweber@example.org', extension: '340' },
          arguments: { door: 'front', note: 'for me' },
        },
      },
    ]);
  });

  it('sends a UserEvent, or calls a fixed extension', async () => {
    const { ask, actions } = office();
    expect(
      await ask(anna, 'xmppuser', xml('InvokeCustomAction', { action: 'tellDoor', door: 'back' })),
    ).toEqual(success);
    expect(await ask(anna, 'xmppuser', xml('InvokeCustomAction', { action: 'nightMode' }))).toEqual(
      failure('not-permitted'),
    );
    expect(await ask(boss, 'xmppuser', xml('InvokeCustomAction', { action: 'nightMode' }))).toEqual(success);
    expect(actions).toEqual([
      [
        'userEvent',
        'Door',
        new Map([
          ['User', 'tweber'],
          ['Jid', 'tweber@example.org'],
          ['Extension', '340'],
          ['Arg-door', 'back'],
        ]),
      ],
      ['originate', expect.objectContaining({ device: 'PJSIP/320', context: 'internal', exten: '*71' })],
    ]);
  });

  it.each([
    [{ action: 'openDoor' }, "argument 'door' is missing"],
    [{ action: 'openDoor', door: 'side' }, "argument 'door' must be one of 'front', 'back'"],
    [{ action: 'openDoor', door: 'front', context: 'x' }, "'openDoor' takes no argument 'context'"],
    [
      { action: 'openDoor', door: 'front', note: 'A1' },
      "argument 'note' must be a text of at most 20 characters",
    ],
    [{ action: 'openDoor', door: 'front', note: 'x'.repeat(21) }, "argument 'note' must be"],
  ])('refuses %j', async (attributes, text) => {
    const { ask, delivered } = office();
    expect(await ask(anna, 'xmppuser', xml('InvokeCustomAction', attributes))).toContain(
      `bad-request: InvokeCustomAction: ${text}`,
    );
    expect(delivered).toEqual([]);
  });

  it('does nothing where nothing is configured, and passes on what went wrong', async () => {
    const { ask, fail } = office();
    expect(await api().ask(anna, 'xmppuser', xml('InvokeCustomAction', { action: 'openDoor' }))).toEqual(
      failure('not-available'),
    );
    fail(new Failure('rejected', 'No.'));
    expect(
      await ask(anna, 'xmppuser', xml('InvokeCustomAction', { action: 'openDoor', door: 'front' })),
    ).toEqual(failure('rejected'));
  });

  it('never lets a client choose more than the declared values', async () => {
    const any = fc.string({ unit: 'binary', maxLength: 40 });
    const nasty = fc.oneof(any, fc.constantFrom('front', 'back', 'x\r\nAction: Logoff', '', 'a b'));
    const names = fc.constantFrom('openDoor', 'tellDoor', 'nightMode', 'constructor', '__proto__', '');
    await fc.assert(
      fc.asyncProperty(names, nasty, fc.option(nasty), fc.option(any), async (name, given, note, extra) => {
        const { ask, actions, delivered } = office();
        const attributes = {
          action: name,
          door: given,
          ...(note !== null && { note }),
          ...(extra !== null && { [`x${extra.length}`]: extra }),
        };
        const answer = await ask(anna, 'xmppuser', xml('InvokeCustomAction', attributes));
        expect(answer).not.toContain('internal-server-error');
        expect(actions.length + delivered.length).toBe(answer.includes('<Success>') ? 1 : 0);
        for (const [, , fields] of actions) {
          for (const value of fields instanceof Map ? fields.values() : [])
            expect(value).not.toMatch(/[\r\n\0]/);
        }
        for (const { body } of delivered) expect(JSON.stringify(body)).toMatch(/"door":"(front|back)"/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('FindCustomData', () => {
  it('gives everybody’s entries, and the user’s own, which win', async () => {
    const { ask, allow } = api();
    expect(await ask(anna, 'xmppuser', xml('FindCustomData'))).toContain('<CustomData/>');
    allow({
      customData: new Map([
        ['crm', 'https://crm/'],
        ['room', 'none'],
      ]),
      customDataOf: new Map([['tweber', new Map([['room', '4.12 <b>']])]]),
    });
    expect(await ask(anna, 'xmppuser', xml('FindCustomData'))).toContain(
      "<CustomData><Entry name='crm'>https://crm/</Entry><Entry name='room'>4.12 &lt;b&gt;</Entry></CustomData>",
    );
    expect(await ask(boss, 'xmppuser', xml('FindCustomData'))).toContain("<Entry name='room'>none</Entry>");
  });
});
