/** Writes what was told as text that a person can read beside what the telephones did: one paragraph per channel. */

import type { CallChange, ChannelChange } from '../../src/calls/changes.ts';

/** Collects changes; {@link text} gives them channel by channel, in the order in which the channels were first told of. */
export interface Transcript {
  add(change: CallChange): void;
  text(): string;
}

/** Makes an empty transcript. Channels are called `340#1`, `340#2`, … by device and order; devices' states are left out. */
export function createTranscript(): Transcript {
  const aliases = new Map<string, string>();
  const perDevice = new Map<string, number>();
  const paragraphs = new Map<string, string[]>();

  function alias(channel: string): string {
    const known = aliases.get(channel);
    if (known !== undefined) return known;
    const device = channel.slice(channel.indexOf('/') + 1, channel.lastIndexOf('-'));
    const count = (perDevice.get(device) ?? 0) + 1;
    perDevice.set(device, count);
    const made = `${device}#${count}`;
    aliases.set(channel, made);
    return made;
  }

  function line({ type, details, view }: ChannelChange): string {
    const other = `${view.other.number || '?'}${view.other.name === '' ? '' : ` "${view.other.name}"`}`;
    return [
      type.padEnd(8),
      details.padEnd(18),
      view.outbound ? '->' : '<-',
      other,
      view.refChannel === '' ? '' : `(${alias(view.refChannel)})`,
      view.otherDevice === '' ? 'outside' : '',
      view.from.number === '' ? '' : `from ${view.from.number} "${view.from.name}"`,
      view.queue === '' ? '' : `queue ${view.queue}`,
    ]
      .filter((part) => part !== '')
      .join(' ')
      .trimEnd();
  }

  function write(heading: string, text: string): void {
    const paragraph = paragraphs.get(heading);
    if (paragraph === undefined) paragraphs.set(heading, [text]);
    else paragraph.push(text);
  }

  return {
    add(change) {
      if (change.kind === 'channel') write(alias(change.view.channel), line(change));
      if (change.kind === 'pickup') {
        const device = change.device.slice(change.device.indexOf('/') + 1);
        write(
          'pickups',
          `${device} ${change.type.padEnd(8)} <- ${change.source.number} "${change.source.name}"`,
        );
      }
      if (change.kind === 'park') {
        const who = `${change.caller.number} by ${change.parker}`;
        const retriever = change.retriever === '' ? '' : ` fetched by ${change.retriever}`;
        write('parking', `${change.type} ${change.lot}/${change.space} ${who}${retriever}`);
      }
    },
    text: () =>
      [...paragraphs.entries()]
        // Whose telephone is told first is a matter of luck; the order of paragraphs is not.
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([heading, lines]) => `${heading}\n${lines.map((text) => `  ${text}\n`).join('')}`)
        .join('\n'),
  };
}
