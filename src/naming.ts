/** Who the other party of a channel is, as far as the directory can say. */

import type { ChannelView } from './calls/changes.ts';
import type { Directory, User } from './directory.ts';

/**
 * The other party where it is one of ours. A caller ID proves nothing: where the other channel is known and belongs to no
 * device of ours (a trunk), a number that looks like an extension is somebody's claim.
 */
export function otherUser(
  view: Pick<ChannelView, 'other' | 'otherDevice' | 'refChannel' | 'service'>,
  directory: Directory,
): User | undefined {
  if (view.otherDevice !== '') return directory.byDevice(view.otherDevice)?.user;
  if (view.refChannel !== '' && !view.refChannel.startsWith('Local/')) return undefined;
  return view.service === '' ? directory.byExtension(view.other.number) : undefined;
}

/** The other party's name as signaled. A service has none of its own on the line: its token in capitals, and the queue's where it is one. */
export function serviceName({
  other,
  service,
  queue,
}: Pick<ChannelView, 'other' | 'service' | 'queue'>): string {
  if (other.name !== '' || service === '') return other.name;
  return service === 'queue' && queue !== '' ? queue : service.charAt(0).toUpperCase() + service.slice(1);
}
