/** What must happen however this process ends: servers do not outlive it. */

const chores = new Set<() => void>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let watching = false;

/** Runs `chore` (synchronous) when this process exits or is interrupted. Returns a function that calls it off. */
export function atExit(chore: () => void): () => void {
  if (!watching) watch();
  chores.add(chore);
  return () => chores.delete(chore);
}

function watch(): void {
  watching = true;
  process.on('exit', runAll);
  for (const signal of signals) process.once(signal, () => interrupted(signal));
}

/** Somebody else's handler may want to stop things in order; without one, the signal ends the process as it would have. */
function interrupted(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 0) return;
  runAll();
  process.kill(process.pid, signal);
}

function runAll(): void {
  for (const chore of [...chores].reverse()) chore();
  chores.clear();
}
