/** What telephones show: the truth that clients are compared with. */
import type { Phone } from './phone.ts';

/** What the displays of an extension's phones show, Who is still dialing shows nothing. */
export function shownByPhones(phones: readonly Phone[], extension: string): string[] {
  return phones
    .filter((phone) => phone.extension === extension)
    .flatMap(({ calls }) => calls)
    .flatMap(({ state, remote, held }) => {
      if (state === 'ringing') return [`ringing ${remote.number}`];
      if (state === 'connected') return [`busy ${remote.number}${held ? ' held' : ''}`];
      return [];
    })
    .sort();
}
