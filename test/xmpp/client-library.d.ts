/** The part of @xmpp/client 0.14 (without types) that the tests and the demo build on. */
declare module '@xmpp/client' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  export interface Element {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly children: (Element | string)[];
    getChild(name: string, ns?: string): Element | undefined;
    getChildElements(): Element[];
    getChildText(name: string): string | null;
  }

  export interface Client extends EventEmitter {
    /** Set while connected. */
    readonly socket: Socket | null;
    readonly reconnect: { stop(): void };
    readonly iqCaller: { request(iq: Element): Promise<Element> };
    start(): Promise<{ toString(): string }>;
    stop(): Promise<unknown>;
    write(text: string): Promise<void>;
  }

  export function client(options: {
    service: string;
    domain: string;
    resource: string;
    username: string;
    password: string;
  }): Client;

  export function xml(
    name: string,
    attrs?: Readonly<Record<string, string>>,
    ...children: readonly (Element | string)[]
  ): Element;
}
