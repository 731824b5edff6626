/** Lines of the table in docs/performance.md: printed, and told to the run that gathers them. */

/** What was measured, the figure, and what it should be or means. */
export type Row = readonly [what: string, figure: string, goal: string];

export const row = (what: string, figure: string, goal: string): Row => [what, figure, goal];

/** Reports one line. */
export function report(line: Row): void {
  console.log(`${line[0].padEnd(52)} ${line[1].padStart(28)}   ${line[2]}`);
  process.send?.({ row: line });
}
