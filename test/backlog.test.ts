import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type About, createBacklog } from '../src/backlog.ts';

interface Said {
  readonly about?: About | undefined;
  readonly text: string;
}

const limits = { loose: 3, lasting: 5, unconfirmed: 100 };

/** Events of a channel as `base` makes them. */
function channel(key: string) {
  const on = (facet: string, text: string, more: Partial<About> = {}): Said => ({
    text: `${key} ${text}`,
    about: { key, facet, final: false, ...more },
  });
  return {
    ringing: on('state', 'ringing'),
    busy: on('state', 'busy'),
    hold: on('hold', 'hold'),
    unhold: on('hold', 'unhold', { undoes: true }),
    rename: on('rename', 'rename'),
    hangup: on('end', 'hangup', { final: true }),
  };
}

function backlog() {
  const made = createBacklog<Said>(limits);
  return {
    ...made,
    hold: (...items: Said[]) => items.forEach((item) => void made.hold(item)),
    told: (...items: Said[]) => items.forEach((item) => void made.told(item)),
    /** Everything that waits, in order. */
    drain() {
      const texts: string[] = [];
      while (!made.isEmpty) for (const item of made.take()) texts.push(item.text);
      return texts;
    },
    counters: made.counters,
  };
}

describe('while nothing can be told', () => {
  const [a, b] = [channel('a'), channel('b')];

  it('keeps the latest state of each side of a thing', () => {
    const { hold, drain, counters } = backlog();
    hold(a.ringing, b.ringing, a.busy, a.hold, a.rename);
    expect(drain()).toEqual(['a busy', 'a hold', 'a rename', 'b ringing']);
    expect(counters.replaced).toBe(1);
  });

  it('never mentions a call that began and ended meanwhile', () => {
    const { hold, drain } = backlog();
    hold(a.ringing, b.ringing, a.busy, a.hangup);
    expect(drain()).toEqual(['b ringing']);
  });

  it('never loses the end of a call that was told, and says nothing else of it', () => {
    const { hold, told, drain } = backlog();
    told(a.ringing);
    hold(a.busy, a.hold, a.hangup);
    expect(drain()).toEqual(['a hangup']);
  });

  it('takes both away when one undoes the other', () => {
    const { hold, told, drain } = backlog();
    told(a.busy);
    hold(a.hold, a.unhold);
    expect(drain()).toEqual([]);
    told(a.hold);
    hold(a.unhold);
    expect(drain()).toEqual(['a unhold']);
  });

  it('bounds what has no end', () => {
    const { hold, drain, counters } = backlog();
    const entry = (name: string): Said => ({ text: name, about: { key: name, facet: 'entry' } });
    hold(a.ringing, ...['1', '2', '1', '3', '4', '5', '6', '7'].map(entry), b.ringing);
    expect(counters.dropped).toBe(2);
    expect(drain()).toEqual(['a ringing', '3', '4', '5', '6', '7', 'b ringing']);
    hold(...['1', '2', '3'].map(entry));
    expect(drain()).toEqual(['1', '2', '3']);
  });

  it('bounds what is about nothing in particular', () => {
    const { hold, drain, counters } = backlog();
    hold(...['1', '2', '3', '4'].map((text) => ({ text })));
    expect(drain()).toEqual(['2', '3', '4']);
    expect(counters.dropped).toBe(1);
  });

  it('tells the rest of those who missed it, and its end to all', () => {
    const made = createBacklog<Said>(limits);
    made.told(a.ringing, { ...a.ringing, text: 'a ringing for some' });
    made.hold(a.hangup);
    expect(made.take().map(({ text }) => text)).toEqual(['a hangup']);
    made.told(a.ringing);
    made.told(a.hangup, { ...a.hangup, text: 'a hangup for some' });
    expect(made.take().map(({ text }) => text)).toEqual(['a hangup for some']);
  });
});

describe('when the stream is lost', () => {
  const [a, b] = [channel('a'), channel('b')];

  it('tells again what was not confirmed, and what happened since', () => {
    const { told, hold, lost, drain, ask, answered } = backlog();
    told(a.ringing);
    expect(ask()).toBe(true);
    answered(true);
    told(a.busy, b.ringing);
    lost();
    hold(b.busy);
    expect(drain()).toEqual(['a busy', 'b busy']);
  });

  it('tells the end of what may have arrived', () => {
    const { told, hold, lost, drain } = backlog();
    told(a.ringing, b.ringing, b.hangup);
    lost();
    hold(a.hangup);
    expect(drain()).toEqual(['a hangup', 'b hangup']);
  });

  it('keeps what a confirmation that failed was asked for', () => {
    const { told, lost, drain, ask, answered } = backlog();
    told(a.ringing);
    ask();
    told(b.ringing);
    expect(ask()).toBe(false);
    answered(false);
    lost();
    expect(drain()).toEqual(['a ringing', 'b ringing']);
  });

  it('bounds what is not confirmed by what there is to tell of', () => {
    const { told, lost, drain, counters } = backlog();
    told(a.ringing);
    for (let n = 0; n < 1000; n++) told(a.hold, a.unhold, a.rename);
    expect(counters.unconfirmed).toBeLessThanOrEqual(limits.unconfirmed);
    lost();
    expect(drain().at(-1)).toBe('a rename');
  });

  it('tells what takes something back that may have arrived, and what renews it', () => {
    for (const [toldBefore, since, expected] of [
      [[a.hold], [a.unhold], 'a unhold'],
      [[a.hold], [a.unhold, a.hold], 'a hold'],
      [[a.hold, a.unhold], [], 'a unhold'],
      [[], [a.hold, a.unhold], undefined],
    ] as const) {
      const { told, hold, lost, drain, ask, answered } = backlog();
      told(a.busy);
      ask();
      answered(true);
      told(...toldBefore);
      lost();
      hold(...since);
      expect(drain().at(-1)).toBe(expected);
    }
  });
});

/** What a client makes of what it hears, by channel. */
function heard(said: readonly Said[]) {
  const calls = new Map<string, Map<string, string>>();
  for (const { about, text } of said) {
    if (about === undefined) continue;
    if (about.final === true) calls.delete(about.key);
    else calls.set(about.key, (calls.get(about.key) ?? new Map()).set(about.facet, text));
  }
  // Never held is as good as no longer held.
  for (const facets of calls.values())
    for (const [facet, text] of facets) if (text.endsWith('unhold')) facets.delete(facet);
  return calls;
}

it('brings every client to the truth, whatever the stream and the server do', () => {
  const names = ['a', 'b', 'c'] as const;
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ call: fc.constantFrom(...names), what: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.constant('full' as const) },
    { weight: 2, arbitrary: fc.constant('room' as const) },
    { weight: 1, arbitrary: fc.record({ lost: fc.nat(10) }) },
    { weight: 2, arbitrary: fc.constantFrom('ask' as const, 'confirmed' as const, 'unconfirmed' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const made = createBacklog<Said>({ loose: 3, lasting: 5, unconfirmed: 40 });
      const truth: Said[] = [];
      const arrived: Said[] = [];
      /** Handed over since the last loss; a prefix of it arrives. */
      let wire: Said[] = [];
      const phases = new Map<string, string>();
      let [room, asked] = [true, 0];
      const say = (item: Said) => {
        made.told(item);
        wire.push(item);
      };
      const catchUp = () => {
        while (room && !made.isEmpty) for (const item of made.take()) say(item);
      };
      const happens = (item: Said) => {
        truth.push(item);
        if (room && made.isEmpty) say(item);
        else made.hold(item);
      };
      const next = (name: string, what: number) => {
        const on = channel(name);
        const phase = phases.get(name) ?? 'gone';
        const choices: Record<string, readonly [string, Said][]> = {
          gone: [['ringing', on.ringing]],
          ringing: [
            ['busy', on.busy],
            ['gone', on.hangup],
          ],
          busy: [
            ['held', on.hold],
            ['busy', on.rename],
            ['gone', on.hangup],
          ],
          held: [
            ['busy', on.unhold],
            ['held', on.rename],
            ['gone', on.hangup],
          ],
        };
        const possible = choices[phase] ?? [];
        const [to, item] = possible[what % possible.length] ?? ['gone', on.hangup];
        phases.set(name, to);
        happens(item);
      };
      const loses = (kept: number) => {
        arrived.push(...wire.slice(0, kept));
        wire = [];
        made.lost();
        asked = 0;
      };
      for (const each of steps) {
        if (each === 'full') room = false;
        else if (each === 'room') room = true;
        else if (each === 'ask') asked = made.ask() ? wire.length : asked;
        else if (each === 'confirmed' || each === 'unconfirmed') {
          const confirmed = each === 'confirmed' && asked > 0;
          if (confirmed) arrived.push(...wire.splice(0, asked));
          made.answered(confirmed);
          asked = 0;
        } else if ('lost' in each) loses(each.lost);
        else next(each.call, each.what);
        catchUp();
      }
      room = true;
      catchUp();
      loses(0);
      catchUp();
      expect(heard([...arrived, ...wire])).toEqual(heard(truth));
    }),
    { numRuns: 2000 },
  );
});
