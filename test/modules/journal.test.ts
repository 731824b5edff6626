import { describe, expect, it } from 'vitest';
import { xml } from '../../src/protocol/xml.ts';
import { api } from './harness.ts';

const anna = 'tweber@example.org/desk';

describe('FindOwn', () => {
  it.each([{}, { limit: '30' }, { limit: '' }])('answers a list to %j', async (attributes) => {
    const { ask } = api();
    expect(await ask(anna, 'journal', xml('FindOwn', attributes))).toBe(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='journal'><JournalList/></cmd>",
    );
  });

  it.each(['0', '-1', 'many', '10001'])('says what a limit of %s should be', async (limit) => {
    const { ask } = api();
    expect(await ask(anna, 'journal', xml('FindOwn', { limit }))).toBe(
      "bad-request: FindOwn: attribute 'limit' must be a whole number from 1 to 10000",
    );
  });
});
