/** Stories of telephones in the contact list of a standard client, told over every XMPP server and telephone system alike. */

import { describe, expect, it } from 'vitest';
import { type StandardClient, slixmpp } from '../clients/slixmpp.ts';
import { until } from '../servers/index.ts';
import { COMPONENT, type Office } from './office.ts';
import { people } from './people.ts';

const { anna, bernd, carla } = people;
const byName = `${bernd.name}@${COMPONENT}`;
const byExtension = `${bernd.extension}@${COMPONENT}`;

const FREE = { show: '', status: '' };
const RINGING = { show: 'away', status: 'Ringing' };
const TALKING = { show: 'dnd', status: 'On the phone' };
const UNKNOWN = { show: 'xa', status: 'Telephone state unknown' };

/** Seconds. The bridge waits some before it calls a lost telephone system lost, and Asterisk some before it serves. */
const PATIENCE = 30;

/** What the owner of slixmpp, who knows nothing of the bridge, sees of a colleague's telephone. */
export function contactStories(office: () => Office): void {
  describe('contacts', () => {
    /** Waits until the contact list shows the telephone so. */
    function shows(client: StandardClient, contact: string, expected: typeof FREE): Promise<unknown> {
      const shown = () => client.contact(contact)?.resources.phone;
      return until(
        `${contact} is shown as ${expected.show || 'free'}`,
        () => shown()?.show === expected.show && shown()?.status === expected.status,
        PATIENCE,
      );
    }

    /** Every state of the telephone that the client was told, in order. */
    const told = (client: StandardClient, contact: string) =>
      client.presences.filter(({ sender }) => sender === `${contact}/phone`).map(({ type }) => type);

    it('Anna adds Bernd’s telephone and watches a call of his, from free to free', async () => {
      const client = await slixmpp(office().xmpp, office().account(anna));
      const contacts = [byName, byExtension];
      for (const contact of contacts) await client.add(contact);
      for (const contact of contacts) {
        await shows(client, contact, FREE);
        await until('the subscription is in force', () => client.contact(contact)?.subscription === 'to');
      }
      await office().phone(carla).dial(bernd.extension);
      for (const contact of contacts) await shows(client, contact, RINGING);
      await office().phone(bernd).answer();
      for (const contact of contacts) await shows(client, contact, TALKING);
      await office().phone(carla).hangUp();
      for (const contact of contacts) {
        await shows(client, contact, FREE);
        expect(told(client, contact)).toEqual(['available', 'away', 'dnd', 'available']);
        await client.remove(contact);
      }
    });

    it('Anna sees that nobody knows while the telephone system is away, and the truth when it is back', async () => {
      const client = await slixmpp(office().xmpp, office().account(anna));
      await client.add(byName);
      await shows(client, byName, FREE);
      const before = told(client, byName).length;
      await office().telephones.die();
      await shows(client, byName, UNKNOWN);
      expect(told(client, byName).slice(before)).toEqual(['xa']);
      await office().telephones.comeBack();
      await shows(client, byName, FREE);
      await office().phone(bernd).dial(carla.extension);
      await shows(client, byName, TALKING);
      await office().phone(bernd).hangUp();
      await shows(client, byName, FREE);
      await client.remove(byName);
    });
  });
}
