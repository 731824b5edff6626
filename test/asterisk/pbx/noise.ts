import { type Channel, setVariable } from './channel.ts';
import type { Pbx } from './pbx.ts';

const dialVariables = [
  'DIALSTATUS',
  'DIALEDPEERNUMBER',
  'DIALEDPEERNAME',
  'ANSWEREDTIME',
  'ANSWEREDTIME_MS',
  'DIALEDTIME',
  'DIALEDTIME_MS',
  'RINGTIME',
  'RINGTIME_MS',
  'PROGRESSTIME',
  'PROGRESSTIME_MS',
];

/** The variables a Dial empties when it starts, in its order (apps/app_dial.c). */
export function clearDialVariables(pbx: Pbx, caller: Channel): void {
  for (const name of dialVariables) setVariable(pbx, caller, name, '');
}

/** The times a Dial leaves behind when the conversation is over. */
export function dialTimes(pbx: Pbx, caller: Channel, answered: number): void {
  const now = Date.now();
  const times = [
    ['ANSWEREDTIME', now - answered],
    ['DIALEDTIME', now - caller.since],
  ] as const;
  for (const [name, ms] of times) {
    setVariable(pbx, caller, name, String(Math.floor(ms / 1000)));
    setVariable(pbx, caller, `${name}_MS`, String(ms));
  }
  setVariable(pbx, caller, 'DIALSTATUS', 'ANSWER');
}

const zero = '000.000000';
const spread = (pad: string, ...names: string[]) => names.map((name) => `${pad}${name}=${zero};`).join('');
const around = (pad: string, kind: string) =>
  spread(
    pad,
    ...['rx', 'tx'].flatMap((way) => ['min', 'max', 'avg', 'stdev'].map((which) => `${which}${way}${kind}`)),
  );

/** Voice quality of a leg at its end: the longest values a call produces. */
export function qualityVariables(pbx: Pbx, channel: Channel, suffix = '', on: Channel = channel): void {
  if (!pbx.noise || channel.state !== 6) return;
  const ssrc = Number.parseInt(channel.callId.slice(0, 7), 16);
  const summary =
    `ssrc=${ssrc};themssrc=${ssrc + 1};lp=0;rxjitter=0.000000;rxcount=41;txjitter=0.003750;txcount=40;` +
    'rlp=0;rtt=0.000000;rxmes=0.000000;txmes=0.000000';
  setVariable(pbx, on, `RTPAUDIOQOS${suffix}`, summary);
  setVariable(pbx, on, `RTPAUDIOQOSJITTER${suffix}`, around('', 'jitter'));
  setVariable(pbx, on, `RTPAUDIOQOSLOSS${suffix}`, around('  ', 'lost'));
  setVariable(pbx, on, `RTPAUDIOQOSRTT${suffix}`, spread('     ', 'minrtt', 'maxrtt', 'avgrtt', 'stdevrtt'));
  setVariable(pbx, on, `RTPAUDIOQOSMES${suffix}`, around('   ', 'mes'));
}
