/** A Dockerfile's steps, carried out in plain folders: what an image build does, as far as that goes without an engine. */

import { execFile } from 'node:child_process';
import { cp, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One instruction: `COPY`, and what stands behind it. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** One `FROM … AS …` with what follows. */
export interface Stage {
  readonly name: string;
  /** An earlier stage or an image. */
  readonly from: string;
  readonly steps: readonly Instruction[];
}

/** Reads a Dockerfile of the simple kind that this project has: one instruction a line, `\` continues, no ARG. */
export function readDockerfile(text: string): readonly Stage[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n');
  const stages: { name: string; from: string; steps: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === '') continue;
    const [, from = rest, stage = ''] = /^(\S+)\s+AS\s+(\S+)$/.exec(name === 'FROM' ? rest : '') ?? [];
    if (name === 'FROM') stages.push({ name: stage, from, steps: [] });
    else stages.at(-1)?.steps.push({ name, text: rest });
  }
  return stages;
}

/** What `COPY` takes: from a stage, or from the project where `from` is undefined. */
export function readCopy(text: string): { from: string | undefined; sources: string[]; target: string } {
  const words = text.split(/\s+/);
  const flags = words.filter((word) => word.startsWith('--'));
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop();
  if (target === undefined) throw new Error(`COPY ${text}: no target`);
  return { from: flags.find((flag) => flag.startsWith('--from='))?.slice(7), sources: paths, target };
}

/**
 * Builds the stages that `target` needs, each in `folder/<stage>`, as `docker build --target` would: COPY, RUN and ENV; a base
 * image is an empty folder, and its programs are this machine's. Returns the target's folder.
 * @throws Error where a step fails, with its output.
 */
export async function build(
  stages: readonly Stage[],
  target: string,
  { project, folder }: { readonly project: string; readonly folder: string },
): Promise<string> {
  const stage = stages.find(({ name }) => name === target);
  if (stage === undefined) throw new Error(`no stage '${target}' in the Dockerfile`);
  const root = join(folder, stage.name);
  if (await exists(root)) return root;
  const parent = stages.some(({ name }) => name === stage.from) ? stage.from : undefined;
  if (parent === undefined) await mkdir(root);
  else await duplicate(await build(stages, parent, { project, folder }), root);
  // What this project was installed with lies in npm's cache.
  const env: NodeJS.ProcessEnv = { ...process.env, npm_config_prefer_offline: 'true' };
  for (const { name, text } of stage.steps) {
    if (name === 'COPY') {
      const { from, sources, target: to } = readCopy(text);
      const base = from === undefined ? project : await build(stages, from, { project, folder });
      for (const source of sources) await copy(join(base, within(source)), join(root, within(to)), to);
    } else if (name === 'RUN') {
      await run('/bin/sh', ['-c', text], { cwd: root, env, maxBuffer: 1 << 24 });
    } else if (name === 'ENV') {
      const [key = '', ...value] = text.split('=');
      env[key] = value.join('=');
    }
  }
  return root;
}

/** A path of the image as one below the stage's folder, which stands for its working directory /app. */
function within(path: string): string {
  return path.replace(/^\/app\//, '');
}

async function copy(from: string, to: string, written: string): Promise<void> {
  const whole = (await stat(from)).isFile() && /(^\.|\/)$/.test(written) ? join(to, basename(from)) : to;
  await duplicate(from, whole);
}

/** Links in node_modules/.bin stay links; the files are shared where the file system can. */
async function duplicate(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
