/** The directory without a file: every endpoint of the telephone system that has an extension is a user. */

import { createBackoff } from '../backoff.ts';
import {
  createDirectory,
  type Directory,
  type DirectorySource,
  emptyDirectory,
  type UserRecord,
} from '../directory.ts';
import type { Log } from '../log.ts';
import type { Pbx, PbxEndpoint } from '../pbx/pbx.ts';
import { parseJid } from '../protocol/jid.ts';

/**
 * One user an extension, with `extension@domain` as JID. Endpoints that share an extension are devices of one user. An endpoint
 * without a hint or caller ID counts under its own name where that is a number; trunks and the like are left out.
 */
export function fromEndpoints(endpoints: readonly PbxEndpoint[], domain: string): Directory {
  const users = new Map<string, UserRecord>();
  for (const endpoint of endpoints) {
    const extension = extensionOf(endpoint);
    const jid = parseJid(`${extension}@${domain}`);
    if (extension === '' || jid === undefined) continue;
    const before = users.get(extension);
    const device = {
      name: endpoint.device,
      device: endpoint.device,
      dialString: endpoint.device,
      type: 'hardphone',
      capabilities: new Set(['dial', 'hangup', 'transfer'] as const),
      number: '',
    };
    users.set(extension, {
      name: extension,
      jid: jid.bare,
      fullName: before?.fullName || endpoint.fullName,
      extension,
      devices: [...(before?.devices ?? []), device],
      mailbox: before?.mailbox || endpoint.mailbox,
      faxExtension: '',
      pickupGroups: new Set(),
      callGroups: new Set(),
      groups: new Set(),
      queues: [],
      roles: new Set(['xmpp.connect']),
      ids: {},
      location: extension,
      context: undefined,
      language: '',
    });
  }
  return createDirectory(
    [...users.values()].map((user) => ({ ...user, fullName: user.fullName || user.extension })),
  );
}

function extensionOf({ device, extension }: PbxEndpoint): string {
  if (/^[0-9*#]{1,20}$/.test(extension)) return extension;
  const endpoint = device.slice(device.indexOf('/') + 1);
  return extension === '' && /^[0-9]{1,20}$/.test(endpoint) ? endpoint : '';
}

/** What {@link createDiscoveredDirectory} needs. */
export interface DiscoveredDirectoryOptions {
  readonly pbx: Pick<Pbx, 'state' | 'onState' | 'endpoints'>;
  /** XMPP domain of the users. */
  readonly domain: string;
  readonly log: Log;
  /** Wait after a failed listing, milliseconds; doubles up to a minute. */
  readonly retryMs?: number;
}

/**
 * Lists the endpoints whenever the telephone system becomes reachable, and again after a listing that failed.
 * `start` never rejects: until the telephone system answers, nobody is known.
 */
export function createDiscoveredDirectory(options: DiscoveredDirectoryOptions): DirectorySource {
  const { pbx, domain, log, retryMs = 1000 } = options;
  const listeners = new Set<(directory: Directory, previous: Directory) => void>();
  const backoff = createBackoff({ minMs: retryMs, maxMs: Math.max(retryMs, 60_000) });
  let current = emptyDirectory;
  let reachable = false;
  let timer: NodeJS.Timeout | undefined;
  let listing: Promise<void> | undefined;
  let release = () => {};

  async function list(): Promise<void> {
    try {
      const next = fromEndpoints(await pbx.endpoints(), domain);
      backoff.reset();
      if (next.version === current.version) return;
      const previous = current;
      current = next;
      log.info(
        { users: next.users.length, version: next.version },
        'directory discovered from the telephone system',
      );
      for (const listener of listeners) listener(next, previous);
    } catch (error) {
      const wait = backoff.next();
      log.warn({ err: error, retryMs: wait }, 'directory could not be discovered from the telephone system');
      timer = setTimeout(refresh, wait);
      timer.unref();
    }
  }

  function refresh(): void {
    clearTimeout(timer);
    if (!reachable || listing !== undefined) return;
    listing = list().finally(() => {
      listing = undefined;
    });
  }

  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      release = pbx.onState((state) => {
        const returned = state.control && !reachable;
        reachable = state.control;
        if (returned) refresh();
      });
      reachable = pbx.state.control;
      refresh();
      await listing;
    },
    async stop() {
      release();
      reachable = false;
      clearTimeout(timer);
      await listing;
      clearTimeout(timer);
      listeners.clear();
    },
  };
}
