import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modules } from '../src/modules/index.ts';

const text = readFileSync(join(import.meta.dirname, '../docs/xivo.md'), 'utf8');
const [, ipbx = '', reg = ''] = text.split(/^## /m);
const rows = (part: string) =>
  [...part.matchAll(/^\| `(\w+)` +\| (.+?) +\|$/gm)].map(([, name = '', here = '']) => [name, here] as const);
const lists = {
  IPBXCOMMANDS: `hangupme dial originate meetme sipnotify mailboxcount parking transfer atxfer transfercancel intercept hangup answer cancel
    refuse agentlogin agentlogout queueadd queueremove queuepause queueunpause queuepause_all queueunpause_all
    queueremove_all record listen`,
  REGCOMMANDS: `logout callcampaign chitchat actionfiche featuresget featuresput directory history parking logfromclient getqueuesstats
    keepalive availstate filetransfer faxsend getipbxlist getlist ipbxcommand`,
};

describe('docs/xivo.md', () => {
  it.each([
    ['IPBXCOMMANDS', ipbx],
    ['REGCOMMANDS', reg],
  ] as const)('has a line for every one of %s', (name, part) => {
    expect(rows(part).map(([command]) => command)).toEqual(lists[name].split(/\s+/));
  });

  it('names only what there is', () => {
    const known = new Set(
      modules.flatMap((module) =>
        [...module.commands.keys(), ...module.events.keys()].map((each) => `${module.name}.${each}`),
      ),
    );
    known.add('xmppuser.UserInfo');
    for (const [, here] of [...rows(ipbx), ...rows(reg)]) {
      for (const [, name = ''] of here.matchAll(/`([a-z]+\.[A-Z]\w+)`/g)) expect(known).toContain(name);
    }
  });
});
