/** The part of ltx 3 that `stanza.ts` uses. */
declare module 'ltx' {
  export interface Element {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly children: readonly (Element | string)[];
    /** The namespace it is in, by the declarations around it. */
    getNS(): string | undefined;
    getText(): string;
  }
  /** Throws where the text is no XML. */
  export function parse(text: string): Element;
}
