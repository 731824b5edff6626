import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allSettings } from '../src/config.ts';
import { compose, composeConfig } from './packaging/compose.ts';
import { build, readCopy, readDockerfile, type Stage } from './packaging/dockerfile.ts';

const project = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'offhook-packaging-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docker-compose.yml', () => {
  const secrets = {
    XMPP_SECRET: 'xmpp-secret',
    AMI_SECRET: 'ami-secret',
    REDIS_PASSWORD: 'redis-password',
  };
  const required = { XMPP_COMPONENT: 'pbx.example.org', AMI_USERNAME: 'offhook-control', ...secrets };
  const root = join(folder, 'compose');
  const configure = (env: Readonly<Record<string, string>>) =>
    writeFileSync(
      join(root, '.env'),
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );

  beforeAll(() => {
    mkdirSync(root);
    for (const name of ['docker-compose.yml', 'Dockerfile', 'deploy']) {
      cpSync(join(project, name), join(root, name), { recursive: true });
    }
  });

  it.each(['prosody', 'ejabberd', 'asterisk', 'simulator'])(
    'is valid with the profile %s',
    async (profile) => {
      configure(required);
      const { services } = await composeConfig(root, profile);
      expect(services[profile]?.profiles).toEqual([profile]);
      expect(services.bridge?.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
    },
  );

  it('hardens every service, and watches its health', async () => {
    configure(required);
    const { services } = await composeConfig(root, 'prosody');
    for (const [name, service] of Object.entries(services)) {
      expect(service.security_opt, name).toEqual(['no-new-privileges:true']);
      expect(service.cap_drop, name).toEqual(['ALL']);
      // ejabberd's start script writes beside the program.
      expect(service.read_only, name).toBe(name !== 'ejabberd');
      expect(
        service.ports.filter((port) => !port.startsWith('127.0.0.1:')),
        name,
      ).toEqual([]);
      // The bridge's check is in its image.
      if (name !== 'bridge') expect(service.healthcheck, name).toBeDefined();
    }
  });

  it('mounts and builds what is there', async () => {
    configure(required);
    const { services } = await composeConfig(root, 'asterisk');
    const stages = readDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8')).map(({ name }) => name);
    for (const { volumes, build: from } of Object.values(services)) {
      const mounted = volumes
        .map((volume) => volume.split(':')[0] ?? '')
        .filter((source) => source.startsWith('/'));
      expect(mounted.filter((source) => !existsSync(source))).toEqual([]);
      if (from === undefined) continue;
      expect(existsSync(join(from.context, 'Dockerfile'))).toBe(true);
      if (from.target !== undefined) expect(stages).toContain(from.target);
    }
  });

  it('hands on what only a profile needs', async () => {
    configure({ ...required, SIP_PASSWORD: 'sip-password', XMPP_ALLOW_PLAINTEXT: 'true' });
    const { services } = await composeConfig(root, 'asterisk');
    expect(services.asterisk?.environment.SIP_PASSWORD).toBe('sip-password');
    expect(services.prosody?.environment.XMPP_ALLOW_PLAINTEXT).toBe('true');
  });

  it('passes the bridge nothing but settings it knows', async () => {
    configure(required);
    const { services } = await composeConfig(root, 'prosody');
    const known = new Set(allSettings().map(({ env }) => env));
    expect(Object.keys(services.bridge?.environment ?? {}).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(Object.keys(required))('refuses to start without %s, and names it', async (missing) => {
    configure(Object.fromEntries(Object.entries(required).filter(([name]) => name !== missing)));
    const { exitCode, stderr } = await compose(root, ['config']);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(missing);
  });

  it('holds no secret of its own', () => {
    const texts = readdirSync(join(project, 'deploy'), { recursive: true, encoding: 'utf8' })
      .map((name) => join(project, 'deploy', name))
      .filter((path) => /\.\w+$/.test(path))
      .map((path) => readFileSync(path, 'utf8'));
    const assigned =
      /^\s*(?:\w*(?:secret|password)['"]?\s*(?:=>?|:)|requirepass)\s*["']?(?![A-Z_%$\s;])[\w-]+/m;
    expect(texts.filter((text) => assigned.test(text))).toEqual([]);
  });
});

// Two installations by npm, which may have to download first.
describe('Dockerfile', { timeout: 180_000 }, () => {
  const stages: readonly Stage[] = readDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8'));

  it('copies only what .dockerignore lets in', () => {
    const allowed = readFileSync(join(project, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => /^!/.test(line));
    const copied = stages.flatMap(({ steps }) =>
      steps.filter(({ name }) => name === 'COPY').map(({ text }) => readCopy(text)),
    );
    const sources = copied.filter(({ from }) => from === undefined).flatMap((each) => each.sources);
    expect(new Set(sources.map((source) => `!${source.replace(/^\.\//, '')}`))).toEqual(new Set(allowed));
  });

  it('ends as a user without rights, with a health check', () => {
    const last = stages.at(-1)?.steps ?? [];
    expect(last.find(({ name }) => name === 'USER')?.text).toBe('node');
    expect(last.find(({ name }) => name === 'HEALTHCHECK')?.text).toContain('"dist/main.js", "health"');
  });

  it('builds a program that runs, without the tools it was built with', async () => {
    const root = await build(stages, stages.at(-1)?.name ?? '', { project, folder });
    const { dependencies, devDependencies, version } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const installed = (name: string) => existsSync(join(root, 'node_modules', name));
    expect(Object.keys(dependencies).filter((name) => !installed(name))).toEqual([]);
    // mysql2 depends on the types of Node.js.
    expect(Object.keys(devDependencies).filter(installed)).toEqual(['@types/node']);

    expect(await start(root, ['dist/main.js', '--version'])).toEqual({
      exitCode: 0,
      stdout: `offhook ${version}\n`,
      stderr: '',
    });
    const unconfigured = await start(root, ['dist/main.js']);
    expect(unconfigured.exitCode).toBe(78);
    for (const name of ['XMPP_COMPONENT', 'XMPP_SECRET', 'AMI_USERNAME', 'AMI_SECRET']) {
      expect(unconfigured.stderr).toMatch(new RegExp(`${name}.*: missing`));
    }
    expect(unconfigured.stderr).not.toMatch(/^\s+at /m);
    // Nobody listens at port 1.
    const settings = {
      XMPP_COMPONENT: 'pbx.example.org',
      XMPP_SECRET: 's',
      AMI_USERNAME: 'u',
      AMI_SECRET: 's',
    };
    const dead = await start(root, ['dist/main.js', 'health'], { ...settings, HTTP_LISTEN: '127.0.0.1:1' });
    expect(dead).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('builds a simulator that needs nothing else of the project', async () => {
    const root = await build(stages, 'simulator', { project, folder });
    const [program = '', ...args] = JSON.parse(instruction('simulator', 'ENTRYPOINT'));
    const { exitCode, stdout } = await start(root, [...args, '--help'], {}, join(root, program));
    expect(exitCode).toBe(0);
    for (const option of JSON.parse(instruction('simulator', 'CMD'))) {
      if (option.startsWith('--')) expect(stdout).toContain(option);
    }
  });

  function instruction(stage: string, name: string): string {
    const steps = stages.find((each) => each.name === stage)?.steps ?? [];
    return steps.find((step) => step.name === name)?.text ?? '';
  }
});

function start(
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program = process.execPath,
) {
  return new Promise<{ exitCode: number; stdout: string; stderr: string }>((resolve, reject) => {
    const options = { cwd: root, env: { PATH: process.env.PATH, ...env }, timeout: 30_000 };
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}
