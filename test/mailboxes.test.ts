import { expect, test } from 'vitest';
import type { Change } from '../src/changes.ts';
import { createMailboxes } from '../src/mailboxes.ts';
import type { MailboxCount, PbxState } from '../src/pbx/pbx.ts';
import { until } from './servers/until.ts';
import { keepLog } from './xmpp/setup.ts';

const up: PbxState = { control: true, feed: true, reason: '' };
const box = (newMessages: number, oldMessages = 0): MailboxCount => ({ newMessages, oldMessages });
const waiting = (mailbox: string, newMessages: number) =>
  ({ type: 'message-waiting', mailbox, newMessages, oldMessages: 0, at: 1 }) as const;

/** Mailboxes over a telephone system whose answers the test gives, one for each time it was asked. */
function boxes() {
  const answers: ((counts: Record<string, MailboxCount>) => void)[] = [];
  let connected: (state: PbxState) => void = () => {};
  const told: string[] = [];
  const mailboxes = createMailboxes({
    pbx: {
      onState(listener) {
        connected = listener;
        return () => {};
      },
      mailboxes: () =>
        new Promise((resolve) => {
          answers.push((counts) => resolve(new Map(Object.entries(counts))));
        }),
    },
    log: keepLog(),
    now: () => 1,
  });
  const note = (changes: readonly Change[]) => {
    for (const change of changes)
      if (change.kind === 'mailbox') told.push(`${change.mailbox} ${change.count.newMessages}`);
  };
  mailboxes.onChange?.(note);
  return {
    mailboxes,
    told,
    connect: () => connected(up),
    async answer(counts: Record<string, MailboxCount>) {
      const give = await until('it was asked', () => answers.shift());
      give(counts);
      await Promise.resolve().then(() => Promise.resolve());
    },
    hear: (mailbox: string, count: number) => note(mailboxes.apply(waiting(mailbox, count), [])),
  };
}

test('at first everything is told, for sessions may be older than the bridge; later what is another', async () => {
  const { mailboxes, told, connect, answer } = boxes();
  connect();
  await answer({ '340@default': box(2), '370@default': box(0) });
  expect(told).toEqual(['340@default 2', '370@default 0']);
  connect();
  await answer({ '340@default': box(2), '370@default': box(1) });
  expect(told.slice(2)).toEqual(['370@default 1']);
  expect(mailboxes.of('370@default')).toEqual(box(1));
});

test('an old answer does not undo what an event told meanwhile', async () => {
  const { mailboxes, told, connect, answer, hear } = boxes();
  connect();
  hear('340@default', 3);
  await answer({ '340@default': box(2), '370@default': box(1) });
  expect(mailboxes.of('340@default')).toEqual(box(3));
  expect(told).toEqual(['340@default 3', '370@default 1']);
});

test('nor does it remove a box that an event told of meanwhile', async () => {
  const { mailboxes, connect, answer, hear } = boxes();
  connect();
  hear('399@default', 1);
  await answer({});
  expect(mailboxes.of('399@default')).toEqual(box(1));
});

test('of two answers that overtake each other the later question’s counts', async () => {
  const { mailboxes, connect, answer } = boxes();
  connect();
  connect();
  await answer({ '340@default': box(9) });
  expect(mailboxes.of('340@default')).toEqual(box(0));
  await answer({ '340@default': box(4) });
  expect(mailboxes.of('340@default')).toEqual(box(4));
});

test('a box that is gone has no messages any more', async () => {
  const { mailboxes, told, connect, answer } = boxes();
  connect();
  await answer({ '340@default': box(2) });
  connect();
  await answer({});
  expect(told).toEqual(['340@default 2', '340@default 0']);
  expect(mailboxes.of('340@default')).toEqual(box(0));
});
