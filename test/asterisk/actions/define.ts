import type { Filters } from '../ami/filter.ts';
import type { AmiUser, ReceivedAction } from '../api.ts';
import { type Header, lines } from '../pbx/event.ts';
import type { Pbx } from '../pbx/pbx.ts';

/** What an action may do with the session it came from. */
export interface ActionSession {
  readonly id: number;
  /** The account that has logged in. */
  readonly user: AmiUser | undefined;
  readonly filters: Filters;
  /** Ends the session after what has been sent. */
  close(): void;
  /**
   * Checks a password or, with a challenge given before, its MD5 answer. Returns what sends the events that follow a
   * login, undefined when it is refused.
   */
  login(action: ReceivedAction): (() => void) | undefined;
  /** Makes a challenge for an MD5 login. */
  challenge(): string;
  /** Switches event classes. */
  setMask(mask: readonly string[]): void;
}

/** An action at work. Exactly one of its answers is given, now or later. */
export interface ActionContext {
  readonly pbx: Pbx;
  readonly session: ActionSession;
  readonly action: ReceivedAction;
  /** First value of a header, '' when absent. */
  header(name: string): string;
  ok(message: string | undefined, rest?: readonly Header[]): void;
  error(message: string): void;
  /** Answers a Logoff. */
  goodbye(): void;
  /**
   * A list: the response, the items, the closing event `<name>Complete`.
   * Items are ready-made lines; `ActionID` stands in each where {@link itemId} put it.
   */
  list(message: string, complete: string, items: readonly ListItem[], rest?: string): void;
}

/** One event of a list. */
export interface ListItem {
  readonly event: string;
  /** Lines after the event's name. */
  readonly body: string;
  /** Where the ActionID stands: right after the name, or at the end as the queue's and AstDB's events have it. */
  readonly idLast?: boolean;
}

/** One AMI action. */
export interface Action {
  readonly name: string;
  readonly synopsis: string;
  /** Classes of which the account needs one; none for an action open to all. */
  readonly privilege: readonly string[];
  run(context: ActionContext): void;
}

/** Makes the context of an action. */
export function createContext(
  pbx: Pbx,
  session: ActionSession,
  action: ReceivedAction,
  send: (text: string) => void,
): ActionContext {
  const id = action.header('ActionID');
  const idLine = id === '' ? '' : `ActionID: ${id}\r\n`;
  const respond = (result: string, body: string) => send(`Response: ${result}\r\n${idLine}${body}\r\n`);
  return {
    pbx,
    session,
    action,
    header: (name) => action.header(name),
    ok(message, rest = []) {
      const first = message === undefined ? '' : `Message: ${message}\r\n`;
      respond('Success', first + lines(rest));
    },
    error: (message) => respond('Error', `Message: ${message}\r\n`),
    goodbye: () => respond('Goodbye', 'Message: Thanks for all the fish.\r\n'),
    list(message, complete, items, rest = '') {
      respond('Success', `EventList: start\r\nMessage: ${message}\r\n`);
      for (const item of items) {
        const body = item.idLast === true ? item.body + idLine : idLine + item.body;
        send(`Event: ${item.event}\r\n${body}\r\n`);
      }
      send(`Event: ${complete}\r\n${idLine}EventList: Complete\r\nListItems: ${items.length}\r\n${rest}\r\n`);
    },
  };
}
