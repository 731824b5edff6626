/** Tells stories in an office: servers are started once a file, and every receiver is down before the next story begins. */

import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { type Office, type OfficePlan, openOffice } from './office.ts';
import type { Real, Simulated, Telephones } from './telephones.ts';

/** Declares tests; the office is open when they run. */
export type Stories<T extends Telephones = Telephones> = (office: () => Office<T>) => void;

/** Tells these stories in a new office. */
export function inOffice(plan: OfficePlan<'simulator'>, ...stories: readonly Stories<Simulated>[]): void {
  tellIn(`${plan.xmpp}, ${plan.pbx}, ${plan.store}`, () => openOffice(plan), stories);
}

/** {@link inOffice} with a real Asterisk. */
export function inRealOffice(plan: OfficePlan<'asterisk'>, ...stories: readonly Stories<Real>[]): void {
  tellIn(`${plan.xmpp}, ${plan.pbx}, ${plan.store}`, () => openOffice(plan), stories);
}

function tellIn<T extends Telephones>(
  name: string,
  open: () => Promise<Office<T>>,
  stories: readonly Stories<T>[],
): void {
  describe(name, () => {
    let opened: Office<T> | undefined;
    const office = () => {
      if (opened === undefined) throw new Error('the office is not open');
      return opened;
    };
    beforeAll(async () => {
      opened = await open();
    });
    afterEach(() => opened?.quiet());
    afterAll(() => opened?.stop());
    for (const tell of stories) tell(office);
  });
}
