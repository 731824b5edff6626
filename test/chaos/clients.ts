/** What the users' clients know by what they were told, kept as a client would, by a few lines that know nothing of the bridge. */

import { find, type Tree, textIn } from '../xmpp/tree.ts';

/** A call as a client shows it. */
export interface Shown {
  readonly state: 'ringing' | 'busy';
  readonly held: boolean;
}

/** All clients together. */
export interface Clients {
  see(stanza: Tree): void;
  /** Calls on the screen of a session, by eventId. */
  shown(session: string): ReadonlyMap<string, Shown>;
  /** How often each IQ was answered, by id. */
  readonly answers: ReadonlyMap<string, number>;
  /** Counts the answers to an IQ no longer. */
  forget(id: string): void;
  /** Event messages so far. */
  readonly told: number;
}

/** Makes clients that have seen nothing. */
export function createClients(): Clients {
  const screens = new Map<string, Map<string, Shown>>();
  const answers = new Map<string, number>();
  let told = 0;

  function event(to: string, channel: Tree): void {
    told += 1;
    const screen = screens.get(to) ?? new Map<string, Shown>();
    screens.set(to, screen);
    const field = (name: string) => textIn(find(channel, name));
    const [id, type] = [field('eventId'), field('eventType')];
    const before = screen.get(id) ?? { state: 'ringing', held: false };
    if (type === 'hangup') screen.delete(id);
    else if (type === 'ringing' || type === 'busy') screen.set(id, { ...before, state: type });
    else if (field('eventDetails') === 'remote') screen.set(id, before);
    else if (type === 'hold' || type === 'unhold') screen.set(id, { ...before, held: type === 'hold' });
  }

  return {
    see(stanza) {
      const { to = '', id = '', type } = stanza.attrs;
      const channel = find(find(stanza, 'cmd'), 'ChannelEvent');
      if (stanza.name === 'message' && channel !== undefined) event(to, channel);
      else if (stanza.name === 'iq' && (type === 'result' || type === 'error'))
        answers.set(id, (answers.get(id) ?? 0) + 1);
    },
    shown: (session) => screens.get(session) ?? new Map(),
    answers,
    forget: (id) => void answers.delete(id),
    get told() {
      return told;
    },
  };
}
