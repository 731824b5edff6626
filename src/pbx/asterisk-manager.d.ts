/** The part of asterisk-manager 0.2 that is used: it comes without types. */
declare module 'asterisk-manager' {
  /** A message as the library parses it: keys in lower case, an array where a key is repeated. */
  export type ManagerMessage = Readonly<Record<string, string | readonly string[] | object | undefined>>;

  /** One connection of the library. */
  export interface Manager {
    connect(port: number, host: string, callback?: () => void): void;
    login(callback: (error?: unknown) => void): void;
    action(
      action: Record<string, string>,
      callback: (error: ManagerMessage | undefined, answer: ManagerMessage) => void,
    ): string;
    on(event: 'managerevent' | 'rawevent', listener: (message: ManagerMessage) => void): void;
    on(event: 'close' | 'error', listener: () => void): void;
    listeners(event: 'rawevent'): ((message: ManagerMessage) => void)[];
    removeAllListeners(event?: string): void;
  }

  /** `port` null: connects when told to, not at once. */
  function createManager(
    port: null,
    host: string,
    username: string,
    password: string,
    events: boolean,
  ): Manager;

  // biome-ignore lint/style/noDefaultExport: the library's only export
  export default createManager;
}
