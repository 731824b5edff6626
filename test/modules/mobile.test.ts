import { describe, expect, it } from 'vitest';
import { xml } from '../../src/protocol/xml.ts';
import { numberPattern } from '../../src/rules/pattern.ts';
import { api, device, user } from './harness.ts';

const anna = 'tweber@example.org/desk';
const prepare = (attributes: Record<string, string> = {}) =>
  xml('PrepareDial', { device: 'Mobile', target: '370', ...attributes });

/** Anna has a mobile of this number, and the bridge a gateway. */
function withMobile(number = '+49170123456') {
  const it = api({ settings: { mobileGateway: '+4930123459' } });
  const mobile = { ...device('Mobile', 'PJSIP/mobile'), number };
  it.change(user('tweber', '340', 'Thomas Weber', { devices: [device('Desk 340', 'PJSIP/340'), mobile] }));
  it.at(1_000_500);
  return it;
}

describe('PrepareDial', () => {
  it.each([
    [{}, '+49170123456', '370'],
    [{ target: 'mmeyer@example.org' }, '0049170123456', '370'],
    [{ target: '+49 40 999', prefix: 'auto' }, '+49170123456', '00049' + '40999'],
  ])('%j keeps the target for the device’s number %s, for two minutes', async (attributes, number, exten) => {
    const { ask, actions } = withMobile(number);
    expect(await ask(anna, 'mobile', prepare(attributes))).toBe(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='mobile'><ReadyToDial gateway='+4930123459'/></cmd>",
    );
    expect(actions).toEqual([['dbPut', 'OFFHOOK_MOBILE', '49170123456', `1120,internal,${exten},340`]]);
  });

  it.each([
    [{ device: 'Desk 370' }, "code='no-device'"],
    [{ device: 'Desk 340' }, "code='not-supported'"],
    [{ target: '3,4' }, "code='invalid-target'"],
    [{ target: '0900123' }, "code='not-permitted'"],
    [{ prefix: 'x' }, 'bad-request'],
  ])('refuses %j and keeps nothing', async (attributes, answer) => {
    const { ask, actions, allow } = withMobile();
    const costly = numberPattern('0900.');
    if (costly === undefined) throw new Error('no pattern');
    allow({ dialing: [{ roles: new Set(['xmpp.connect']), allow: [], deny: [costly] }] });
    expect(await ask(anna, 'mobile', prepare(attributes))).toContain(answer);
    expect(actions).toEqual([]);
  });

  it('takes no number that is not international: another’s could be the same', async () => {
    const { ask, actions } = withMobile('0170123456');
    expect(await ask(anna, 'mobile', prepare())).toContain("code='not-supported'");
    expect(actions).toEqual([]);
  });

  it('is off without a gateway', async () => {
    const { ask } = api();
    expect(await ask(anna, 'mobile', prepare({ device: 'Desk 340' }))).toContain("code='not-available'");
  });
});
