import { describe, expect, it } from 'vitest';
import { parseDirectory } from '../src/directory/parse.ts';
import { xml } from '../src/protocol/xml.ts';
import { numberPattern } from '../src/rules/pattern.ts';
import type { Policy } from '../src/rules/policy.ts';
import { api, view } from './modules/harness.ts';

const anna = 'tweber@example.org/desk';
const max = 'mmeyer@example.org/desk';
const boss = 'boss@example.org/x';

/** The policy of `rules:` as an operator writes it. */
function policyOf(yaml: string): Policy {
  const parsed = parseDirectory(`users: []\n${yaml}`, ['example.org']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  return parsed.directory.policy;
}

/** Thomas dials; the answer's code, or `ok`. */
async function dial(made: ReturnType<typeof api>, target: string, who = anna): Promise<string> {
  const answer = await made.ask(who, 'base', xml('Dial', { target }));
  return /code='([\w-]+)'/.exec(answer)?.[1] ?? (answer.includes('<Success>') ? 'ok' : answer);
}

describe('number patterns', () => {
  it.each([
    ['112', ['112'], ['1120', '11', '+112']],
    ['_0900.', ['09001', '0900123'], ['0900', '090']],
    ['00!', ['00', '0049'], ['0']],
    ['ZXN', ['102', '999'], ['002', '101']],
    ['3[1-5]0', ['310', '350'], ['360', '300']],
    ['+49.', ['+491'], ['491', '49491']],
    ['*8', ['*8'], ['8', '**8']],
  ])('%s', (text, yes, no) => {
    const pattern = numberPattern(text);
    for (const number of yes) expect([number, pattern?.matches(number)]).toEqual([number, true]);
    for (const number of no) expect([number, pattern?.matches(number)]).toEqual([number, false]);
  });

  it.each([[''], ['_'], ['1.2'], ['abc'], ['[5-1]'], ['(1+)+'], ['1'.repeat(81)]])('%j is none', (text) => {
    expect(numberPattern(text)).toBeUndefined();
  });
});

describe('who may dial what', () => {
  const rules = policyOf(`
rules:
  always: [110, 112]
  dialing:
    - deny: ["0900.", "00."]
    - roles: [xmpp.supervisor]
      allow: ["0049."]
`);

  it.each([
    [anna, '370', 'ok'],
    [anna, '0900123', 'not-permitted'],
    [anna, '0049123', 'not-permitted'],
    [boss, '0049123', 'ok'],
    [boss, '0033123', 'not-permitted'],
  ])('%s and %s: %s', async (who, number, outcome) => {
    const made = api();
    made.allow(rules);
    expect(await dial(made, number, who)).toBe(outcome);
    expect(made.actions).toHaveLength(outcome === 'ok' ? 1 : 0);
  });

  it('holds for transfers as well, and names the rule', async () => {
    const made = api();
    made.allow(rules);
    made.views.push(view({ state: 'busy' }));
    for (const command of ['Transfer', 'AttendedTransfer']) {
      const answer = await made.ask(
        anna,
        'base',
        xml(command, { channel: view().channel, target: '0900123' }),
      );
      expect(answer).toContain('You are not allowed to dial 0900123 (rule 0900.)');
    }
    expect(made.actions).toEqual([]);
  });

  it('counts the prefix that is put in front', async () => {
    const made = api();
    made.allow(rules);
    const answer = await made.ask(anna, 'base', xml('Dial', { target: '0123', prefix: 'auto' }));
    expect(answer).toContain('not-permitted');
  });
});

describe('quiet hours', () => {
  const rules = policyOf(`
rules:
  always: [112]
  timeZone: Europe/Berlin
  quietHours: { from: "20:00", to: "07:00", allow: [3XX] }
`);

  it.each([
    ['2026-07-01T17:59:00Z', '0123', 'ok'],
    ['2026-07-01T18:00:00Z', '0123', 'not-permitted'],
    ['2026-07-02T04:59:00Z', '0123', 'not-permitted'],
    ['2026-07-02T05:00:00Z', '0123', 'ok'],
    ['2026-07-01T22:00:00Z', '370', 'ok'],
    ['2026-07-01T22:00:00Z', '112', 'ok'],
  ])('%s %s: %s', async (time, number, outcome) => {
    const made = api();
    made.allow(rules);
    made.at(Date.parse(time));
    expect(await dial(made, number)).toBe(outcome);
  });
});

describe('how much', () => {
  it('limits calls at a time', async () => {
    const made = api();
    made.allow(policyOf('rules: { always: [112], limits: { callsPerUser: 1, calls: 2 } }'));
    expect(await dial(made, '370')).toBe('ok');
    made.views.push(view());
    expect(await dial(made, '370')).toBe('not-permitted');
    expect(await dial(made, '112')).toBe('ok');
    expect(await dial(made, '340', max)).toBe('ok');
    made.views.push(view());
    expect(await dial(made, '340', max)).toBe('not-permitted');
  });

  it('limits dials a minute, of each and of all', async () => {
    const made = api();
    made.allow(policyOf('rules: { always: [112], limits: { dialsPerMinute: 2, dialsPerMinuteTotal: 3 } }'));
    expect([await dial(made, '370'), await dial(made, '370'), await dial(made, '370')]).toEqual([
      'ok',
      'ok',
      'not-permitted',
    ]);
    expect([await dial(made, '340', max), await dial(made, '340', max)]).toEqual(['ok', 'not-permitted']);
    expect(await dial(made, '112')).toBe('ok');
    made.at(1000 + 31_000);
    expect(await dial(made, '370')).toBe('ok');
  });
});

describe('the file', () => {
  it('forbids nothing and switches nothing on where it says nothing', () => {
    expect(policyOf('')).toMatchObject({
      dialFrom: false,
      listen: undefined,
      notify: new Set(),
      always: [],
      dialing: [],
    });
    expect(policyOf('').actions.size).toBe(0);
  });

  it('tells every mistake with its place, and no secret', () => {
    const parsed = parseDirectory(
      `users: []
rules:
  dialing: [{ deny: ["(1+)+"] }]
  quietHours: { from: "25:00", to: "07:00" }
  timeZone: Moon/Crater
  limitz: {}
actions:
  open: { webhook: { url: "ftp://x", secret: "tooshort" } }
  both: { userEvent: A, originate: { exten: 1 } }
  none: { arguments: { "a-b": {} }, userEvent: B }
`,
      ['example.org'],
    );
    const mistakes = parsed.ok ? [] : parsed.mistakes.map(({ line, text }) => `${line} ${text}`);
    expect(mistakes).toEqual([
      expect.stringMatching(/^3 rules\.dialing\[0\]\.deny\[0\]: expected a number pattern/),
      '4 rules.quietHours.from: expected a time from 00:00 to 23:59, got "25:00"',
      '5 rules.timeZone: expected a time zone, such as Europe/Berlin, got "Moon/Crater"',
      '6 rules.limitz: unknown key, did you mean "limits"?',
      expect.stringMatching(/^8 actions\.open\.webhook\.url: expected an address/),
      '8 actions.open.webhook.secret: expected a secret of at least 16 characters',
      expect.stringMatching(/^9 actions\.both: expected one of webhook, userEvent and originate/),
      expect.stringMatching(/^10 actions\.none\.arguments/),
    ]);
    expect(mistakes.join()).not.toContain('tooshort');
  });
});
