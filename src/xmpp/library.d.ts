/** The part of @xmpp/component 0.13 (CommonJS, without types) that `stream.ts` builds on. */
declare module '@xmpp/component' {
  import type { EventEmitter } from 'node:events';

  /** ltx: name and attributes as written, prefixes and `xmlns` included. */
  export interface LtxElement {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly children: (LtxElement | string)[];
    readonly parent: LtxElement | null;
  }

  /**
   * Emits `start`, `element`, `end`, `error`; `root` is the stream's own element once it is open, `cursor` the one that is open
   * now. The three `on…` are called for each token.
   */
  export interface Parser extends EventEmitter {
    readonly root: LtxElement | null;
    readonly cursor: LtxElement | null;
    write(text: string): void;
    onStartElement(name: string, attrs: Readonly<Record<string, string>>): void;
    onEndElement(name: string): void;
    onText(text: string): void;
  }

  /** What the library calls on its socket; it listens to `connect`, `data`, `error`, `close`. */
  export interface Transport extends EventEmitter {
    connect(parameters: unknown): void;
    write(text: string, done?: (error?: Error | null) => void): boolean;
    end(): void;
  }

  export interface Component extends EventEmitter {
    /** Milliseconds for each step of opening the stream. */
    timeout: number;
    /** Override points: what the library instantiates per connection. */
    Socket: new () => Transport;
    Parser: new () => Parser;
    socketParameters(service: string): unknown;
    readonly reconnect: { stop(): void };
    /** Resolves when the socket is connected. */
    connect(service: string): Promise<unknown>;
    /** Resolves when the server has opened its stream; the library then sends the handshake by itself. */
    open(options: { domain: string }): Promise<unknown>;
  }

  export function component(options: { service: string; domain: string; password: string }): Component;
}
