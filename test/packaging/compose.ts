/** docker-compose from Debian, in a folder tree of its own: it checks a file without an engine and without being installed. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { tree } from '../servers/debian.ts';
import { fromTree } from '../servers/process.ts';
import { composeTree } from '../servers/trees.ts';

/** What the tests look at of a service, as docker-compose understood it. */
const service = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), target: z.string().optional() }).optional(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  security_opt: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  profiles: z.array(z.string()).default([]),
});

const file = z.object({ services: z.record(z.string(), service) });

/** A compose file with every variable filled in. */
export type ComposeFile = z.output<typeof file>;

/** What docker-compose said. */
export interface ComposeAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs docker-compose on the `docker-compose.yml` of a folder; variables come from the `.env` there and from nowhere else.
 * @throws ServersUnavailable when docker-compose cannot be fetched.
 */
export async function compose(folder: string, args: readonly string[]): Promise<ComposeAnswer> {
  const root = await tree(composeTree);
  const script = join(root, 'usr/bin/docker-compose');
  const { program, args: loader } = await fromTree(root, 'usr/bin/python3.11', ['-B', script, ...args]);
  const env = {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: folder,
    PYTHONHOME: join(root, 'usr'),
    PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
  };
  return new Promise((resolve, reject) => {
    execFile(program, loader, { cwd: folder, env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** `docker-compose config`: the file as it is understood. Throws with docker-compose's own words where it is wrong. */
export async function composeConfig(folder: string, profile: string): Promise<ComposeFile> {
  const { exitCode, stdout, stderr } = await compose(folder, ['--profile', profile, 'config']);
  if (exitCode !== 0) throw new Error(`docker-compose --profile ${profile} config: ${stderr}`);
  return file.parse(parse(stdout));
}
