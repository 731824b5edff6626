/** The library's XML parser, kept from throwing, growing and deciding on its own. */

import type { LtxElement, Parser } from '@xmpp/component';
import { STREAM_NS } from './namespaces.ts';

/** What the guarded parser tells besides what the library hears. */
export interface ParserEvents {
  /** The server ended the stream with an error (RFC 6120 §4.9). */
  onStreamError(error: LtxElement): void;
  /** What came in is no XML, or more of it than one stanza may have. The stream cannot go on. */
  onBroken(error: Error): void;
}

/**
 * Derives from the library's parser one that
 * - reports broken XML instead of throwing it through the socket's listener, and parses nothing after it;
 * - ends a stream whose stanza has more than `maxChars` characters, before it fills the memory;
 * - keeps stream errors from the library, which would follow `see-other-host` to any address.
 */
export function guardParser(
  Base: new () => Parser,
  maxChars: number,
  events: ParserEvents,
): new () => Parser {
  return class Guarded extends Base {
    #chars = 0;
    #broken = false;

    override write(text: string): void {
      if (this.#broken) return;
      this.#chars += text.length;
      try {
        super.write(text);
        if (this.#chars > maxChars) throw new Error(`a stanza has more than ${maxChars} characters`);
      } catch (error) {
        this.#fail(error);
      }
    }

    override emit(event: string, ...args: unknown[]): boolean {
      if (this.#broken) return false;
      if (event === 'error') {
        this.#fail(args[0]);
        return true;
      }
      if (event !== 'element') return super.emit(event, ...args);
      this.#chars = 0;
      // White space between stanzas (RFC 6120 §4.6.1) would gather in the root for as long as the stream lives.
      if (this.root !== null) this.root.children.length = 0;
      const [element] = args as [LtxElement];
      if (!isStreamError(element)) return super.emit(event, ...args);
      this.#broken = true;
      events.onStreamError(element);
      return true;
    }

    #fail(error: unknown): void {
      if (this.#broken) return;
      this.#broken = true;
      events.onBroken(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function isStreamError({ name, parent }: LtxElement): boolean {
  const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
  const declared = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
  return local === 'error' && parent?.attrs[declared] === STREAM_NS;
}
