import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { StanzaError } from '../../src/errors.ts';
import { modules } from '../../src/modules/index.ts';
import { createHealth } from '../../src/ops/health.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { CMD_NS } from '../../src/protocol/envelope.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { memoryInUse } from '../heap.ts';
import { unstarted } from './unstarted.ts';

const anna = parseJid('anna@example.org/desk');
if (anna === undefined) throw new Error('not a JID');
const dial = xml('cmd', { xmlns: CMD_NS, module: 'base' }, [xml('Dial')]);

const document = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const dashboard = readFileSync(new URL('../../deploy/grafana/offhook.json', import.meta.url), 'utf8');

async function families(): Promise<Map<string, string>> {
  const metrics = createMetrics(modules);
  metrics.watch(unstarted());
  const text = await metrics.text();
  return new Map(
    [...text.matchAll(/^# HELP (offhook_\w+) (.*)$/gm)].map(([, name = '', help = '']) => [name, help]),
  );
}

it('documents every metric with its own words, and none that is not there', async () => {
  const documented = [...document.matchAll(/^\| `(offhook_\w+)` *\| \w+ *\| (.*?) *\|$/gm)];
  expect(new Map(documented.map(([, name = '', help = '']) => [name, help]))).toEqual(await families());
});

it('draws only what is there', async () => {
  const known = await families();
  const drawn = [...dashboard.matchAll(/offhook_\w+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
  expect(drawn.length).toBeGreaterThan(15);
  expect(drawn.filter((name) => !known.has(name))).toEqual([]);
});

it('times commands by outcome, and takes no label from a client', async () => {
  const metrics = createMetrics(modules);
  const failing = metrics.timed(async () => ({ error: new StanzaError('forbidden', 'no') }));
  await failing(anna, dial);
  await failing(anna, xml('cmd', { xmlns: CMD_NS, module: 'evil"} 1' }, [xml('x')]));
  const failure = metrics.timed(async () => ({
    result: xml('cmd', {}, [xml('Failure', { code: 'no-device' })]),
  }));
  await failure(anna, dial);
  const text = await metrics.text();
  expect(text).toContain('offhook_command_seconds_count{module="base",command="Dial",outcome="forbidden"} 1');
  expect(text).toContain('offhook_command_seconds_count{module="base",command="Dial",outcome="no-device"} 1');
  expect(text).toContain('offhook_command_seconds_count{module="",command="",outcome="forbidden"} 1');
  expect(text).not.toContain('evil');
});

it('is served at /metrics', async () => {
  const metrics = createMetrics(modules);
  const health = createHealth('127.0.0.1', 0, () => ({ ready: true, lines: [] }), metrics);
  const { port } = await health.start();
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await response.text()).toContain('nodejs_eventloop_lag_seconds');
  } finally {
    await health.stop();
  }
});

it('needs no memory any more once nobody holds it', async () => {
  const make = () => {
    for (let n = 0; n < 30; n++) createMetrics(modules).watch(unstarted());
  };
  make();
  const before = await memoryInUse();
  make();
  // Thirty have some ten megabytes.
  expect((await memoryInUse()) - before).toBeLessThan(1e6);
});
