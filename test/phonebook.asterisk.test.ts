/** Callers on a real Asterisk get their names from the phonebook. */

import { expect, onTestFinished, test } from 'vitest';
import { person, source } from './phonebook/people.ts';
import { startAsterisk, startPhone, until } from './servers/index.ts';
import { openOffice } from './stories/office.ts';

test('who calls from outside is named, and whoever claims to be a colleague is not', {
  timeout: 120_000,
}, async () => {
  const pbx = await startAsterisk();
  onTestFinished(() => pbx.stop());
  const [anna, outside] = [
    await startPhone(pbx, '340', { incoming: 'ring' }),
    await startPhone(pbx, 'trunk'),
  ];
  onTestFinished(async () => {
    await anna.stop();
    await outside.stop();
  });
  const customer = person({ name: 'Ada Kunde', numbers: [['phone', '+49 30 1234567']], labels: ['VIP'] });
  const office = await openOffice(pbx.amiPort, pbx.managers, {
    phonebook: { sources: [source('file', customer)] },
  });
  onTestFinished(() => office.stop());
  await until('the customer is found', async () =>
    (await office.ask('anna', 'phonebook', 'Find', { query: '030 123' })).includes('Ada Kunde'),
  );
  const ringing = () =>
    office.events('anna', 'ChannelEvent').filter((each) => each.includes('<eventType>ringing<'));

  async function rings(number: string, name: string): Promise<string> {
    const before = ringing().length;
    const call = await outside.dial('4930123456340', { number, name });
    const event = await until('anna hears it ring', () => ringing()[before], 20);
    await call.hangup();
    await until('the call is over', () => office.told('anna').at(-1)?.startsWith('hangup') === true, 20);
    return event;
  }

  const known = await rings('0301234567', 'KUNDE A');
  expect(known).toContain('<sourceName>Ada Kunde</sourceName>');
  expect(known).toContain('<sourceCallerIdName>KUNDE A</sourceCallerIdName>');
  expect(known).toContain("<LabelList><Label name='VIP'/></LabelList>");

  const liar = await rings('370', 'Liar');
  expect(liar).toContain('<sourceName>Liar</sourceName>');
  expect(liar).toContain('<internal>false</internal>');
});
