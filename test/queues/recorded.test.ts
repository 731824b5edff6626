import { describe, expect, test } from 'vitest';
import type { QueueChange } from '../../src/queues/changes.ts';
import { createQueues } from '../../src/queues/model.ts';
import { replay } from '../../src/replay/replay.ts';
import { recordings } from '../calls/recordings.ts';
import { line } from './script.ts';

/** Recordings of a real Asterisk in which something happens in queues. */
const told = recordings.map(({ name, title, bytes, sidecar }) => {
  const model = createQueues();
  const lines: string[] = [];
  const calls = { apply: () => [] };
  const onChange = (_t: number, change: QueueChange | { readonly kind: string }) => {
    if (isOurs(change)) lines.push(line(change));
  };
  replay<QueueChange>(bytes, sidecar, calls, onChange, [model]);
  return { name, title, lines, model };
});

function isOurs(change: { readonly kind: string }): change is QueueChange {
  return change.kind.startsWith('queue-');
}

describe.each(told.filter(({ lines }) => lines.length > 0))('$name: $title', ({ name, lines, model }) => {
  test('tells what happened', async () => {
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`./expected/${name}.txt`);
  });

  test('leaves nobody waiting', () => {
    expect(model.queues().flatMap(({ calls }) => calls)).toEqual([]);
  });
});

test('every recording with a queue is among them', () => {
  const named = told.filter(({ lines }) => lines.length > 0).map(({ name }) => name);
  expect(named).toEqual(
    expect.arrayContaining([
      '13a_queue_agent_hangs_up',
      '13b_queue_ring_no_answer',
      '13d_queue_local_member',
      '14_queue_abandon',
      '15_queue_members',
    ]),
  );
});
