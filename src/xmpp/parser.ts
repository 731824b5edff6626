/** The library's XML parser, kept from throwing, growing and deciding on its own. */

import type { LtxElement, Parser } from '@xmpp/component';
import { STREAM_NS } from './namespaces.ts';

/** What the guarded parser tells besides what the library hears. */
export interface ParserEvents {
  /** The server ended the stream with an error (RFC 6120 §4.9). */
  onStreamError(error: LtxElement): void;
  /** A stanza had more characters than one may have. It is the rest of it: what it held is missing from some point on. */
  onOversized(stanza: LtxElement): void;
  /** What came in is no XML, or more of it than anybody can mean. The stream cannot go on. */
  onBroken(error: Error): void;
}

/** A stanza of so many times the characters that one may have is the server's fault, and costs the stream. */
const hopeless = 64;

/**
 * Derives from the library's parser one that
 * - reports broken XML instead of throwing it through the socket's listener, and parses nothing after it;
 * - drops what a stanza holds beyond `maxChars` characters: servers gather what users wrote, as in a roster, and nobody shall
 *   be able to end the stream that way;
 * - ends the stream where one text or tag is longer than that, before it fills the memory;
 * - keeps stream errors from the library, which would follow `see-other-host` to any address.
 */
export function guardParser(
  Base: new () => Parser,
  maxChars: number,
  events: ParserEvents,
): new () => Parser {
  return class Guarded extends Base {
    /** Characters of the stanza that is open, in chunks: never too many by where a chunk happens to end. */
    #chars = 0;
    #chunk = 0;
    /** Characters of the chunks since the last token: the library keeps them until the token is complete. */
    #token = 0;
    #broken = false;

    override write(text: string): void {
      if (this.#broken) return;
      this.#chunk = text.length;
      this.#token += text.length;
      try {
        super.write(text);
        this.#chars += text.length;
        if (this.#token > maxChars || this.#chars > maxChars * hopeless)
          throw new Error(`a stanza has more than ${maxChars} characters`);
      } catch (error) {
        this.#fail(error);
      }
    }

    override onStartElement(name: string, attrs: Readonly<Record<string, string>>): void {
      this.#token = 0;
      const { cursor, root } = this;
      super.onStartElement(name, attrs);
      if (this.#chars > maxChars && cursor !== null && cursor !== root) cursor.children.pop();
    }

    override onEndElement(name: string): void {
      this.#token = 0;
      super.onEndElement(name);
    }

    override onText(text: string): void {
      this.#token = 0;
      if (this.#chars <= maxChars) super.onText(text);
    }

    override emit(event: string, ...args: unknown[]): boolean {
      if (this.#broken) return false;
      if (event === 'error') {
        this.#fail(args[0]);
        return true;
      }
      if (event !== 'element') return super.emit(event, ...args);
      const isOversized = this.#chars > maxChars;
      // What is left of the chunk is the next one's.
      this.#chars = -this.#chunk;
      // White space between stanzas (RFC 6120 §4.6.1) would gather in the root for as long as the stream lives.
      if (this.root !== null) this.root.children.length = 0;
      const [element] = args as [LtxElement];
      if (isOversized) {
        events.onOversized(element);
        return true;
      }
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
