/** Before the tests: fetches the servers, so that no test's time limit has to cover a download. */
import { type Progress, type TreeRequest, tree } from './debian.ts';
import * as trees from './trees.ts';

/** Every tree there is, whichever test needs it. */
function wanted(): TreeRequest[] {
  return Object.values(trees).flatMap((each) => ('packages' in each ? [each] : Object.values(each)));
}

/** Called once by the test runner. What cannot be fetched is told here, and fails the tests that need it. */
export async function setup(): Promise<void> {
  for (const request of wanted()) {
    await tree(request, announce).catch((error: unknown) => console.error(`${error}`));
  }
}

const sized = new Set<string>();

function announce({ name, step, total }: Progress): void {
  if (step === 'list') console.info(`${name}: fetching into the cache folder, once`);
  if (step !== 'download' || sized.has(name)) return;
  sized.add(name);
  console.info(`${name}: ${(total / 1e6).toFixed(0)} MB`);
}
