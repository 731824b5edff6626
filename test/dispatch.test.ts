import { describe, expect, it } from 'vitest';
import { emptyDirectory } from '../src/directory.ts';
import { type ok, success } from '../src/modules/answers.ts';
import { command, defineModule } from '../src/modules/define.ts';
import { element } from '../src/protocol/codec.ts';
import { CMD_NS } from '../src/protocol/envelope.ts';
import { xml } from '../src/protocol/xml.ts';
import { api } from './modules/harness.ts';

const anna = 'tweber@example.org/desk';
const cmd = (module: string | undefined, ...children: ReturnType<typeof xml>[]) =>
  xml('cmd', { xmlns: CMD_NS, module }, children);
const dial = xml('Dial', { target: '370' });

function failing(handle: () => Promise<typeof ok>) {
  const request = element('Try', {});
  return defineModule({
    name: 'test',
    doc: '',
    commands: [command({ doc: '', access: 'user', request, response: success, handle })],
  });
}

describe('dispatch', () => {
  it.each([
    ['evil@elsewhere.org/x', /^forbidden: .*elsewhere\.org/],
    ['tweber@sub.example.org/x', /^forbidden/],
    ['stranger@example.org/x', /^not-authorized: stranger@example\.org/],
    ['example.org', /^not-authorized/],
  ])('turns %s away', async (from, answer) => {
    const { send, actions } = api();
    expect(await send(from, cmd('base', dial))).toMatch(answer);
    expect(actions).toEqual([]);
  });

  it('asks for patience while nobody is known yet', async () => {
    const { send } = api({ directory: emptyDirectory });
    expect(await send(anna, cmd('base', dial))).toMatch(/^service-unavailable: The users are not known yet/);
    expect(await send('evil@elsewhere.org/x', cmd('base', dial))).toMatch(/^forbidden/);
  });

  it('knows people by their bare JID alone', async () => {
    const { send, actions } = api();
    await send('mmeyer@example.org/tweber@example.org', cmd('base', dial));
    expect(actions).toMatchObject([['originate', { device: 'PJSIP/370' }]]);
  });

  it.each([
    [cmd(undefined, dial), "bad-request: cmd: attribute 'module' is missing"],
    [cmd('base'), 'bad-request: cmd: exactly one command element is expected, there is none'],
    [cmd('base', dial, dial), 'bad-request: cmd: exactly one command element is expected, there are 2'],
    [
      cmd('base', xml('Dial', { xmlns: 'urn:other', target: '1' })),
      `bad-request: cmd: the command must be of the namespace ${CMD_NS}, not urn:other`,
    ],
    [cmd('nonsense', dial), "feature-not-implemented: There is no module 'nonsense' here."],
    [cmd('constructor', dial), "feature-not-implemented: There is no module 'constructor' here."],
    [cmd('base', xml('__proto__')), "feature-not-implemented: There is no command 'base.__proto__' here."],
    [
      cmd('base', xml('dial', { target: '1' })),
      "feature-not-implemented: There is no command 'base.dial' here.",
    ],
  ])('says what cannot be served: %#', async (request, answer) => {
    expect(await api().send(anna, request)).toBe(answer);
  });

  it('answers a defect with a reference, and nothing of its cause', async () => {
    const { ask } = api({ modules: [failing(() => Promise.reject(new Error('secret detail')))] });
    const answer = await ask(anna, 'test', xml('Try'));
    expect(answer).toMatch(
      /^internal-server-error: The bridge failed; its log says more under the reference [0-9a-f-]{36}\.$/,
    );
  });

  it('answers in time what never comes back', async () => {
    const { ask } = api({ modules: [failing(() => new Promise(() => {}))], timeoutMs: 10 });
    expect(await ask(anna, 'test', xml('Try'))).toMatch(/^remote-server-timeout/);
  });

  it('limits each user alone', async () => {
    const { ask } = api({ perSecond: 2 });
    const find = xml('FindChannels');
    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push(await ask(anna, 'base', find));
    expect(answers.filter((answer) => answer.startsWith('resource-constraint'))).toHaveLength(2);
    expect(await ask('mmeyer@example.org/x', 'base', find)).toContain('<ChannelList/>');
  });

  it('limits strangers, too', async () => {
    const { send } = api({ perSecond: 2 });
    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push(await send('stranger@example.org/x', cmd('base', dial)));
    expect(answers.map((answer) => answer.replace(/:.*/, ''))).toEqual([
      'not-authorized',
      'not-authorized',
      'resource-constraint',
      'resource-constraint',
    ]);
  });
});
