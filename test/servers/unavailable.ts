/** A server cannot be had on this machine. The message is one line and says what to do instead. */
export class ServersUnavailable extends Error {
  override readonly name = 'ServersUnavailable';

  /** @param reason what is missing, without a final stop; @param cause the failure behind it, if any */
  constructor(reason: string, cause?: unknown) {
    super(`${reason}. Run the servers with "docker compose up" instead.`, { cause });
  }
}
