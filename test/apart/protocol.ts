/** What a test and a process of its own say to each other, a line of JSON each. */

/** From the test: carry out a task. */
export interface Order {
  readonly id: number;
  readonly task: string;
  readonly argument?: unknown;
}

/** From the process: what came of an order, or something it was not asked for. */
export type Report =
  | { readonly id: number; readonly value?: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly news: string; readonly value: unknown };

/** Cuts what comes in pieces into lines. */
export function lines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line);
  };
}
