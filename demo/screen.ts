/** What the demo prints: plain lines of at most 80 columns, colors only on a terminal. */

import { styleText } from 'node:util';

type Color = 'bold' | 'cyan' | 'dim' | 'green' | 'red' | 'yellow';

const colored = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const WIDTH = 79;

/** Colors a text where the terminal can. */
export function paint(color: Color, text: string): string {
  return colored ? styleText(color, text) : text;
}

/** Prints a line. */
export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a heading. */
export function heading(text: string): void {
  say();
  say(paint('bold', text));
}

/** Prints who said what to whom: `anna → pbx   base.Dial   target=370`. A detail that does not fit goes on below. */
export function exchange(who: string, arrow: '→' | '←' | '☎', what: string, detail: string): void {
  const color = arrow === '→' ? 'cyan' : arrow === '←' ? 'green' : 'yellow';
  const head = `  ${who.padEnd(6)} ${arrow} ${what.padEnd(20)} `;
  const [first = '', ...more] = fold(detail, WIDTH - head.length);
  say((paint(color, head.slice(0, 10)) + head.slice(10) + first).trimEnd());
  for (const line of more) say(' '.repeat(head.length) + line);
}

/** Prints a name and its value, the values in one column. */
export function fact(name: string, value: string): void {
  const [first = '', ...more] = fold(value, WIDTH - 18);
  say(`  ${paint('dim', name.padEnd(14))}  ${first}`);
  for (const line of more) say(' '.repeat(18) + line);
}

/** Shows how a long step goes on: rewritten in place on a terminal, once elsewhere. Empty ends it. */
export function progress(text: string): void {
  if (process.stdout.isTTY)
    process.stdout.write(`\r\u001B[K${text === '' ? '' : `  ${text.slice(0, WIDTH - 2)}`}`);
}

function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
