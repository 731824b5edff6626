import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { beginnings } from '../../src/archive/conversations.ts';
import { holder, likePattern } from '../../src/archive/pattern.ts';
import { readStanza } from '../../src/archive/stanza.ts';
import { createZone } from '../../src/zone.ts';

describe('searching', () => {
  it('escapes what LIKE takes for wildcards', () => {
    expect(likePattern('50%_off!')).toBe('%50!%!_off!!%');
    expect(likePattern('%ä%')).toBe('%!%%!%%');
    expect(likePattern('a & "b"')).toBe('%a%b%');
    expect(likePattern('grüße')).toBe('%gr%e%');
  });

  it('lets the database pass whatever fits exactly', () => {
    // What LIKE does, for patterns of ours.
    const like = (pattern: string) =>
      new RegExp(
        `^${[...pattern.matchAll(/!(.)|(%)|([\s\S])/gu)]
          .map(([, escaped, any, plain]) =>
            any ? '[\\s\\S]*' : (escaped ?? plain ?? '').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'),
          )
          .join('')}$`,
        'iu',
      );
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 3 }),
        fc.string(),
        fc.string(),
        (query, before, after) => {
          expect(like(likePattern(query)).test(before + query + after)).toBe(true);
        },
      ),
    );
    expect(like(likePattern('a%c')).test('abc')).toBe(false);
  });

  it('knows no case, in any alphabet', () => {
    expect(holder('ÜBER')('war über')).toBe(true);
    expect(holder('привет')('ПРИВЕТ')).toBe(true);
    expect(holder('u\u0308ber')('über')).toBe(true);
    expect(holder('a%c')('abc')).toBe(false);
  });
});

describe('a stored stanza', () => {
  const stanza = (content: string) =>
    `<message xmlns='jabber:client' from='a@x/1' to='b@x' type='chat'>${content}</message>`;
  it('is read where somebody wrote a text', () => {
    expect(
      readStanza(stanza('<body>one &lt; two</body><active xmlns="http://jabber.org/protocol/chatstates"/>')),
    ).toEqual({
      from: 'a@x/1',
      to: 'b@x',
      body: 'one < two',
    });
    expect(readStanza("<message from='a@x'><body>old</body></message>")?.body).toBe('old');
  });

  it('is none without text, encrypted, or broken', () => {
    for (const content of [
      '',
      '<body/>',
      "<received xmlns='urn:xmpp:receipts' id='1'/>",
      "<x xmlns='urn:example'><body>not the text</body></x>",
      "<body xmlns='http://jabber.org/protocol/xhtml-im'>no</body>",
      "<body>I sent you an OMEMO message</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>",
      "<body>[encrypted]</body><encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>",
      "<body>[PGP]</body><x xmlns='jabber:x:encrypted'>…</x>",
    ]) {
      expect(readStanza(stanza(content))).toBeUndefined();
    }
    for (const broken of ['', '<message', '<iq><body>x</body></iq>', '<message><body>x</message>', 'x']) {
      expect(readStanza(broken)).toBeUndefined();
    }
  });
});

it('a silence of an hour ends a conversation', () => {
  const hour = 3600_000;
  const begun = beginnings([0, hour - 1, 2 * hour - 2, 3 * hour - 2]);
  expect([...begun.values()]).toEqual([0, 0, 0, 3 * hour - 2]);
});

describe('a time zone', () => {
  const berlin = createZone('Europe/Berlin');
  it('writes and reads its clock, summer and winter', () => {
    expect(berlin.write(Date.parse('2026-07-01T22:30:00Z'))).toBe('2026-07-02T00:30:00+02:00');
    expect(berlin.write(Date.parse('2026-01-01T00:00:00Z'))).toBe('2026-01-01T01:00:00+01:00');
    expect(createZone('America/St_Johns').write(Date.parse('2026-01-01T00:00:00Z'))).toBe(
      '2025-12-31T20:30:00-03:30',
    );
    // The day on which the clock goes forward has 23 hours, the one on which it goes back 25.
    for (const [day, hours] of [
      ['2026-03-29', 23],
      ['2026-10-25', 25],
      ['2026-10-26', 24],
    ] as const) {
      const { begins = 0, ends = 0 } = berlin.read(day) ?? {};
      expect([day, (ends - begins) / 3600_000]).toEqual([day, hours]);
    }
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        expect(berlin.read(berlin.write(seconds * 1000))?.begins).toBe(seconds * 1000);
      }),
    );
  });

  it('does not ask for the clock again and again: call records are read by the ten thousand', () => {
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
    const zone = createZone('Europe/Berlin');
    const noon = Date.parse('2026-11-26T12:00:00Z');
    for (let second = 0; second < 3600; second++) {
      const at = noon + second * 1000;
      expect(zone.read(zone.write(at).slice(0, 19))?.begins).toBe(at);
    }
    expect(asked.mock.calls.length).toBeLessThan(50);
    asked.mockRestore();
  });

  it('knows each quarter of an hour by itself', () => {
    // Half an hour forward, at half past three in the afternoon of Greenwich.
    const island = createZone('Australia/Lord_Howe');
    const changes = Date.parse('2026-10-03T15:30:00Z');
    expect(island.write(changes - 1000)).toBe('2026-10-04T01:59:59+10:30');
    expect(island.write(changes)).toBe('2026-10-04T02:30:00+11:00');
  });
});
