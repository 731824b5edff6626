/** What of the XMPP library only the naive road of the benchmark uses. */
import type {} from '@xmpp/component';

declare module '@xmpp/component' {
  export function xml(name: string, attrs: Record<string, string>, ...children: unknown[]): unknown;
  interface Component {
    start(): Promise<unknown>;
    stop(): Promise<unknown>;
    send(stanza: unknown): Promise<unknown>;
  }
}
