import { expect, it } from 'vitest';
import { createLineLedger } from './ledger.ts';

const iq = (id: string) => Buffer.from(`<iq type='get' id='${id}' to='a'/>`);
const answer = (id: string) => Buffer.from(`<iq to="b" id="${id}" type="result"/>`);

it('knows what was asked and not answered when a connection is over, wherever the bytes are cut', () => {
  const ledger = createLineLedger('q[0-9]+');
  const line = ledger.open();
  for (const byte of Buffer.concat([iq('q1'), iq('other'), iq('q2'), iq('q3')])) line.asks(Buffer.of(byte));
  for (const byte of Buffer.concat([answer('q1'), answer('other')])) line.answers(Buffer.of(byte), true);
  line.answers(answer('q2'), false);
  line.over();
  line.asks(iq('q4'));
  expect([...ledger.said].sort()).toEqual(['q1', 'q2', 'q3', 'q4']);
  expect([...ledger.lost].sort()).toEqual(['q2', 'q3', 'q4']);
  expect(ledger.answeredAgain).toEqual([]);
});

it('knows what was answered twice, be it on two connections', () => {
  const ledger = createLineLedger('q[0-9]+');
  const [one, two] = [ledger.open(), ledger.open()];
  one.asks(iq('q1'));
  one.answers(answer('q1'), true);
  two.answers(answer('q1'), true);
  expect(ledger.answeredAgain).toEqual(['q1']);
});

it('does not count on an answer that came just before the server ended the connection', () => {
  const ledger = createLineLedger('q[0-9]+');
  const line = ledger.open();
  line.asks(iq('q1'));
  line.answers(answer('q1'), true);
  line.over(true);
  expect([...ledger.lost]).toEqual(['q1']);
});

it('counts on an answer on another connection, also after the one that asked is over', () => {
  const ledger = createLineLedger('q[0-9]+');
  const [one, two] = [ledger.open(), ledger.open()];
  for (const id of ['q1', 'q2', 'q3']) one.asks(iq(id));
  two.answers(answer('q1'), true);
  one.over();
  expect([...ledger.lost]).toEqual(['q2', 'q3']);
  two.answers(answer('q2'), true);
  expect([...ledger.lost]).toEqual(['q3']);
  two.over();
  two.over();
  expect([...ledger.lost]).toEqual(['q3']);
  expect(ledger.ends).toBe(2);
});
