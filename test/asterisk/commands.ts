import type { Asterisk, Behaviour, Outside, Phone } from './api.ts';

/** A command a person types; `run` returns what to print. */
interface Command {
  readonly usage: string;
  readonly text: string;
  run(words: readonly string[]): string | Promise<string>;
}

/** The command line of a running simulator. */
export interface CommandLine {
  /** Runs one line. Rejects with a message for the person who typed it. */
  execute(line: string): Promise<string>;
  /** All commands, for 80 columns. */
  help(): string;
}

/** Makes the command line. */
export function createCommands(asterisk: Asterisk): CommandLine {
  const phone = (name: string | undefined): Phone => {
    const [number = '', device] = (name ?? '').split('/');
    if (number === '') throw new Error('which telephone? For example: 340');
    return asterisk.phone(number, device === undefined ? 1 : Number(device));
  };
  const party = (name: string | undefined): Phone | Outside =>
    name === 'outside' ? asterisk.outside : phone(name);
  const done = (work: () => unknown) => {
    work();
    return calls(asterisk);
  };

  const commands: Readonly<Record<string, Command>> = {
    call: {
      usage: 'call 340 370',
      text: 'a telephone dials',
      run: ([from, to = '']) =>
        phone(from).call(to) === undefined ? `404: there is no extension ${to}` : calls(asterisk),
    },
    outside: {
      usage: 'outside 340 +49151234 Max',
      text: 'a call from outside, with number and name',
      run: ([to = '', number, ...name]) => {
        const from = number === undefined ? undefined : { number, name: name.join(' ') || undefined };
        const channel = asterisk.outside.call(to, from);
        return channel === undefined ? `404: there is no extension ${to}` : calls(asterisk);
      },
    },
    answer: action('answer 370', 'takes the call', (who) => who.answer()),
    hangup: action('hangup 340', 'ends or declines the call', (who) => who.hangup()),
    busy: action('busy 370', 'refuses the call, 486', (who) => who.busy()),
    decline: action('decline 370', 'refuses the call, 603', (who) => who.decline()),
    hold: action('hold 340', 'holds the call', (who) => who.hold()),
    unhold: action('unhold 340', 'takes it back', (who) => who.unhold()),
    transfer: {
      usage: 'transfer 370 320',
      text: 'blind transfer of the other party',
      run: ([who, to = '']) => done(() => party(who).transfer(to)),
    },
    behave: {
      usage: 'behave 370 answer 2000',
      text: 'ring, busy, decline, answer MS, noanswer MS',
      run: ([who, what, ms]) => {
        party(who).behaviour = behaviour(what, ms);
        return `${who} will ${what}${ms === undefined ? '' : ` after ${ms} ms`}`;
      },
    },
    register: {
      usage: 'register 310',
      text: 'the telephone is there',
      run: ([who]) => done(() => phone(who).register()),
    },
    unregister: {
      usage: 'unregister 370',
      text: 'the telephone is gone',
      run: ([who]) => done(() => phone(who).unregister()),
    },
    messages: {
      usage: 'messages 370 2',
      text: 'messages waiting in a mailbox',
      run: ([box = '', count]) => done(() => asterisk.messages(box, wholeNumber(count, 'how many messages'))),
    },
    load: {
      usage: 'load 20 100',
      text: '20 calls a second, 100 calls in all',
      run: async ([rate, count]) => {
        const spec = {
          callsPerSecond: wholeNumber(rate, 'calls per second'),
          calls: wholeNumber(count, 'calls'),
        };
        const report = await asterisk.load(spec);
        return `${report.calls} calls, ${report.events} events in ${report.seconds.toFixed(1)} s`;
      },
    },
    calls: { usage: 'calls', text: 'what every telephone shows', run: () => calls(asterisk) },
    drop: fault('drop', 'destroys the AMI connections', () => asterisk.faults.drop()),
    mute: fault('mute', 'says nothing more', () => asterisk.faults.mute()),
    dead: fault('dead', 'neither reads nor writes, connections stay', () => asterisk.faults.halfOpen()),
    refuse: fault('refuse', 'closes the port', () => asterisk.faults.refuse()),
    slow: {
      usage: 'slow 500',
      text: 'bytes per second to each connection',
      run: ([rate]) => {
        asterisk.faults.slow(wholeNumber(rate, 'bytes per second'));
        return `${rate} bytes per second`;
      },
    },
    heal: fault('heal', 'ends mute, slow and refuse', () => asterisk.faults.clear()),
    help: { usage: 'help', text: 'this list', run: () => help() },
    quit: { usage: 'quit', text: 'ends the simulator, as Ctrl-C does', run: () => '' },
  };

  function help(): string {
    return Object.values(commands)
      .map(({ usage, text }) => `  ${usage.padEnd(28)}${text}`)
      .join('\n');
  }

  function action(usage: string, text: string, work: (who: Phone | Outside) => void): Command {
    return { usage, text, run: ([who]) => done(() => work(party(who))) };
  }

  return {
    help,
    async execute(line) {
      const [name = '', ...words] = line.trim().split(/\s+/);
      if (name === '') return '';
      const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
      if (command === undefined) throw new Error(`no command '${name}'; type help`);
      return command.run(words);
    },
  };
}

function fault(usage: string, text: string, work: () => void | Promise<void>): Command {
  return {
    usage,
    text,
    run: async () => {
      await work();
      return `now: ${text}`;
    },
  };
}

function behaviour(what: string | undefined, ms: string | undefined): Behaviour {
  switch (what) {
    case 'ring':
    case 'busy':
    case 'decline':
      return what;
    case 'answer':
      return { answer: wholeNumber(ms ?? '0', 'milliseconds') };
    case 'noanswer':
      return { noanswer: wholeNumber(ms ?? '4000', 'milliseconds') };
    default:
      throw new Error('behave how? ring, busy, decline, answer MS or noanswer MS');
  }
}

function wholeNumber(word: string | undefined, what: string): number {
  if (word === undefined || !/^\d+$/.test(word)) throw new Error(`${what}? Give a whole number`);
  return Number(word);
}

/** Every call as its telephone shows it. */
function calls(asterisk: Asterisk): string {
  const all = [...asterisk.phones, asterisk.outside].flatMap((phone) =>
    phone
      .state()
      .map((call) =>
        `  ${call.channel.padEnd(24)}${call.state.padEnd(9)}${call.number} ${call.name}`.trimEnd(),
      ),
  );
  return all.length === 0 ? '  no calls' : all.join('\n');
}
