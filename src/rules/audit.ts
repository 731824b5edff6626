/** The audit trail: who changed what, and who tried. */

/** One change of the telephone world that somebody asked for. */
export interface AuditEntry {
  /** User name of who asked; empty for a JID that is not in the directory. */
  readonly user: string;
  /** The full JID that the server stamped. */
  readonly jid: string;
  /** `base.Dial`. */
  readonly command: string;
  /** What it was about: channel, target and the like, as asked, numbers masked where the log masks them. */
  readonly on: Readonly<Record<string, string>>;
  /** `ok`, the code of the Failure, or the condition of the error. */
  readonly outcome: string;
  /** The sentence that was answered; empty where it worked. */
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Takes entries in; never throws, never waits. */
export type Audit = (entry: AuditEntry) => void;

/** Attributes of a request that say what it is about. */
const telling = new Set([
  'action',
  'channel',
  'device',
  'digits',
  'direction',
  'event',
  'file',
  'identity',
  'location',
  'lot',
  'mode',
  'prefix',
  'recordId',
  'room',
  'state',
  'target',
  'type',
  'viasetting',
]);

// Digits sent into a call may be a PIN.
const secret = new Set(['digits']);

/** What of a request belongs into the trail. `show` masks numbers. */
export function aboutWhat(
  attributes: ReadonlyMap<string, string>,
  show: (text: string) => string,
): Readonly<Record<string, string>> {
  const about: Record<string, string> = {};
  for (const [name, value] of attributes) {
    if (!telling.has(name) || value === '') continue;
    about[name] = secret.has(name) ? `(${value.length})` : show(value.slice(0, 120));
  }
  return about;
}
