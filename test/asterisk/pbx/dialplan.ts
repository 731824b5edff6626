import { type Channel, identify, newExten, setState, setVariable } from './channel.ts';
import { conference } from './conference.ts';
import { dial, type Target, type Unanswered } from './dial.ts';
import { retrieve } from './parking.ts';
import type { Line, Pbx } from './pbx.ts';
import { queue } from './queue.ts';
import { finish } from './talk.ts';

/** Something that can be dialled in a context. */
interface Rule {
  readonly context: string;
  readonly pattern: RegExp;
  /** For the list a person sees. */
  readonly text: string;
  /** Whether what the number names is there; a rule without it always is. */
  exists?(pbx: Pbx, match: RegExpExecArray): boolean;
  run(pbx: Pbx, channel: Channel, match: RegExpExecArray): void;
}

const isExtension = (pbx: Pbx, match: RegExpExecArray) => pbx.endpoints.get(match[1] ?? '')?.hint === true;

const rules: readonly Rule[] = [
  {
    context: 'internal',
    pattern: /^(3\d\d)$/,
    text: '3xx       the telephone, for 30 s',
    exists: isExtension,
    run: (pbx, channel, match) => dialExtension(pbx, channel, match[1] ?? ''),
  },
  {
    context: 'internal',
    pattern: /^8(3\d\d)$/,
    text: '8 + 3xx   the telephone, for 4 s',
    exists: isExtension,
    run: (pbx, channel, match) => dialPhone(pbx, channel, match[1] ?? '', 4, 'tT', hangUpAfter(pbx, channel)),
  },
  {
    context: 'internal',
    pattern: /^9(3\d\d)$/,
    text: '9 + 3xx   the telephone for 5 s, then its voicemail',
    exists: isExtension,
    run: (pbx, channel, match) =>
      dialPhone(pbx, channel, match[1] ?? '', 5, 'tT', () =>
        voicemail(pbx, channel, `${match[1]}@default,u`),
      ),
  },
  {
    context: 'internal',
    pattern: /^2(3\d\d)$/,
    text: '2 + 3xx   every device of the telephone',
    exists: isExtension,
    run: (pbx, channel, match) => dialMany(pbx, channel, linesOf(pbx, match[1] ?? '')),
  },
  {
    context: 'internal',
    pattern: /^(390)$/,
    text: '390       340, 370 and 320 together',
    run: (pbx, channel) => {
      dialMany(
        pbx,
        channel,
        ['340', '370', '320'].flatMap((number) => linesOf(pbx, number).slice(0, 1)),
      );
    },
  },
  {
    context: 'internal',
    pattern: /^0(\+?\d+)$/,
    text: '0 + n     the number n outside',
    run: (pbx, channel, match) => dialOut(pbx, channel, match[1] ?? ''),
  },
  {
    context: 'internal',
    pattern: /^(5\d\d)$/,
    text: '500, 501  queues',
    exists: (pbx, match) => queueOf(pbx, match[1]) !== undefined,
    run(pbx, channel, match) {
      const found = queueOf(pbx, match[1]);
      answer(pbx, channel);
      if (found !== undefined) queue(pbx, channel, found);
    },
  },
  application('600', '600       echo', 'Echo'),
  application('601', '601       music', 'MusicOnHold'),
  {
    context: 'internal',
    pattern: /^602$/,
    text: '602       rings for ever',
    run(pbx, channel) {
      newExten(pbx, channel, 'Ringing');
      channel.priority += 1;
      idle(pbx, channel, 'Wait', '3600');
    },
  },
  {
    context: 'internal',
    pattern: /^603$/,
    text: '603       answers, and hangs up after 3 s',
    run(pbx, channel) {
      answer(pbx, channel);
      const cancel = pbx.later(3000, () => finish(pbx, channel));
      idle(pbx, channel, 'Wait', '3', cancel);
    },
  },
  {
    context: 'internal',
    pattern: /^604$/,
    text: '604       busy',
    run: (pbx, channel) => refuse(pbx, channel, 'Busy', 7, 17, 486),
  },
  {
    context: 'internal',
    pattern: /^605$/,
    text: '605       congestion',
    run: (pbx, channel) => refuse(pbx, channel, 'Congestion', channel.state, 34, 503),
  },
  {
    context: 'internal',
    pattern: /^(800)$/,
    text: '800       conference',
    run(pbx, channel, match) {
      answer(pbx, channel);
      conference(pbx, channel, match[1] ?? '');
    },
  },
  {
    context: 'internal',
    pattern: /^(7[0-2]\d)$/,
    text: '701-720   fetch a parked call',
    exists: (pbx, match) => pbx.parked.has(match[1] ?? ''),
    run: (pbx, channel, match) => retrieve(pbx, channel, match[1] ?? ''),
  },
  application('\\*100', '*100      voicemail of the caller', 'VoiceMailMain'),
  {
    context: 'internal',
    pattern: /^\*(3\d\d)$/,
    text: '*3xx      leave a message',
    exists: isExtension,
    run: (pbx, channel, match) => voicemail(pbx, channel, `${match[1]}@default,u`),
  },
  {
    context: 'from-trunk',
    pattern: /^(?:49301234(?:5|56))?(3\d\d)$/,
    text: '',
    exists: isExtension,
    run(pbx, channel, match) {
      const number = match[1] ?? '';
      newExten(pbx, channel, 'NoOp', `external call for ${number}`);
      channel.priority += 1;
      dialPhone(pbx, channel, number, 30, 'tTkKxX', hangUpAfter(pbx, channel));
    },
  },
  {
    context: 'from-trunk',
    pattern: /^4930123455$/,
    text: '',
    run(pbx, channel) {
      newExten(pbx, channel, 'Goto', 'internal,500,1');
      channel.context = 'internal';
      channel.exten = '500';
      run(pbx, channel);
    },
  },
];

/** What can be dialled inside, one line each, for a person to read. */
export const numbers: readonly string[] = rules.flatMap((rule) => (rule.text === '' ? [] : [rule.text]));

/** Whether an extension can be dialled in a context (`ast_exists_extension`). */
export function exists(pbx: Pbx, context: string, exten: string): boolean {
  return find(pbx, context, exten) !== undefined;
}

/** Runs the extension a channel stands at. One that does not exist ends the channel. */
export function run(pbx: Pbx, channel: Channel): void {
  const found = find(pbx, channel.context, channel.exten);
  if (found === undefined) {
    finish(pbx, channel);
    return;
  }
  found.rule.run(pbx, channel, found.match);
  pbx.settle();
}

function find(pbx: Pbx, context: string, exten: string): { rule: Rule; match: RegExpExecArray } | undefined {
  for (const rule of rules) {
    const match = rule.context === context ? rule.pattern.exec(exten) : null;
    if (match !== null && (rule.exists?.(pbx, match) ?? true)) return { rule, match };
  }
  return undefined;
}

function linesOf(pbx: Pbx, number: string): readonly Line[] {
  return pbx.endpoints.get(number)?.lines ?? [];
}

/** Like `PJSIP/340`: the endpoint's first device that is there. */
function firstLine(pbx: Pbx, number: string): readonly Target[] {
  const lines = linesOf(pbx, number);
  const line = lines.find((candidate) => candidate.registered) ?? lines[0];
  return line === undefined ? [] : [{ line, dialString: number }];
}

function hangUpAfter(pbx: Pbx, channel: Channel): (result: Unanswered) => void {
  return (result) => finish(pbx, channel, result.cause, result.techCause);
}

function dialExtension(pbx: Pbx, channel: Channel, number: string): void {
  newExten(pbx, channel, 'NoOp', `call to ${number}`);
  channel.priority += 1;
  // A forwarded telephone is dialled directly; a real PBX goes through a Local channel.
  const forwarded = pbx.database.get(`CF/${number}`);
  newExten(pbx, channel, 'Set', `CFTO=${forwarded ?? ''}`);
  setVariable(pbx, channel, 'CFTO', forwarded ?? '');
  channel.priority += 1;
  newExten(pbx, channel, 'GotoIf', `${forwarded === undefined ? 0 : 1}?cf`);
  channel.priority += 1;
  dialPhone(pbx, channel, forwarded ?? number, 30, 'tTkKxX', hangUpAfter(pbx, channel));
}

function dialPhone(
  pbx: Pbx,
  channel: Channel,
  number: string,
  seconds: number,
  options: string,
  unanswered: (result: Unanswered) => void,
): void {
  newExten(pbx, channel, 'Dial', `PJSIP/${number},${seconds},${options}`);
  dial(pbx, channel, firstLine(pbx, number), seconds, unanswered);
}

function dialMany(pbx: Pbx, channel: Channel, lines: readonly Line[]): void {
  const names = lines.map((line) => `PJSIP/${line.endpoint.number}`).join('&');
  newExten(pbx, channel, 'Dial', `${names},30,tT`);
  const targets = lines.map((line) => ({ line, dialString: line.endpoint.number }));
  dial(pbx, channel, targets, 30, hangUpAfter(pbx, channel));
}

function dialOut(pbx: Pbx, channel: Channel, number: string): void {
  const own = `4930123456${channel.line.endpoint.number}`;
  newExten(pbx, channel, 'Set', `CALLERID(num)=${own}`);
  identify(pbx, channel, { number: own, name: channel.callerId?.name });
  channel.priority += 1;
  newExten(pbx, channel, 'Dial', `PJSIP/${number}@trunk,30,tT`);
  const targets = linesOf(pbx, 'trunk').map((line) => ({ line, dialString: `${number}@trunk` }));
  dial(pbx, channel, targets, 30, hangUpAfter(pbx, channel));
}

function answer(pbx: Pbx, channel: Channel): void {
  newExten(pbx, channel, 'Answer');
  setState(pbx, channel, 6);
  pbx.settle();
  channel.priority += 1;
}

/** Runs an application that does nothing more until the channel ends. */
function idle(pbx: Pbx, channel: Channel, name: string, data = '', cancel: () => void = () => {}): void {
  newExten(pbx, channel, name, data);
  channel.running = { interrupt: cancel };
}

function application(number: string, text: string, name: string): Rule {
  return {
    context: 'internal',
    pattern: new RegExp(`^${number}$`),
    text,
    run(pbx, channel) {
      answer(pbx, channel);
      idle(pbx, channel, name);
    },
  };
}

function voicemail(pbx: Pbx, channel: Channel, box: string): void {
  answer(pbx, channel);
  idle(pbx, channel, 'VoiceMail', box);
}

function refuse(
  pbx: Pbx,
  channel: Channel,
  name: string,
  state: number,
  cause: number,
  techCause: number,
): void {
  newExten(pbx, channel, name);
  setState(pbx, channel, state);
  // The telephone gets the SIP error and ends its call by itself.
  pbx.later(0, () => {
    if (!channel.gone && channel.application === name) finish(pbx, channel, cause, techCause);
  });
}

function queueOf(pbx: Pbx, number: string | undefined) {
  return [...pbx.queues.values()].find((candidate) => candidate.number === number);
}
