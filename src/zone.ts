/** Times as people in a time zone write them. */

/** A time zone's clock. */
export interface Zone {
  /** `2026-11-26T12:29:05+01:00` */
  write(at: number): string;
  /** `2026-11-26` */
  day(at: number): string;
  /**
   * Epoch milliseconds at which `2026-11-26`, or `2026-11-26 12:29[:05]` (also with `T`, and with `Z` or an offset), begins, and at which it is over; undefined where
   * the text is no such time.
   */
  read(text: string): { readonly begins: number; readonly ends: number } | undefined;
}

const form =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const minute = 60_000;
const quarter = 15 * minute;
/** Offsets that are remembered: ten days of calls. */
const maxOffsets = 1000;

/** Makes it. `name` is one of the IANA's; left out, it is this process's. Throws `RangeError` where there is none of this name. */
export function createZone(name?: string | undefined): Zone {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(name !== undefined && { timeZone: name }),
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });

  /** By the quarter of an hour, in whose middle no clock is set: to ask for it costs more than all the rest. */
  const offsets = new Map<number, number>();
  function offsetAt(at: number): number {
    const slot = Math.floor(at / quarter);
    const known = offsets.get(slot);
    if (known !== undefined) return known;
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const clock = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    const offset = clock - Math.floor(at / 1000) * 1000;
    if (offsets.size >= maxOffsets) offsets.clear();
    offsets.set(slot, offset);
    return offset;
  }

  /** What the clock shows, as if that were UTC. */
  const shown = (at: number) => Math.floor(at / 1000) * 1000 + offsetAt(at);

  /** When the clock shows this; where it never does (summer time begins), what it would have shown. */
  function unshow(clock: number): number {
    const first = clock - offsetAt(clock);
    return clock - offsetAt(first);
  }

  const day = (at: number) => new Date(shown(at)).toISOString().slice(0, 10);
  return {
    day,
    write(at) {
      const offset = offsetAt(at) / minute;
      const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
      const text = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
      return `${new Date(shown(at)).toISOString().slice(0, 19)}${text}`;
    },
    read(text) {
      const match = form.exec(text);
      if (match === null) return undefined;
      const [, year, month, dayOfMonth, hour, minutes, seconds = '0', offset] = match;
      const fields = [year, month, dayOfMonth, hour ?? '0', minutes ?? '0', seconds].map(Number);
      const [y = 0, m = 0, d = 0, h = 0, i = 0, s = 0] = fields;
      const clock = Date.UTC(y, m - 1, d, h, i, s);
      // Date.UTC takes the 31st of February for the 3rd of March.
      const written = new Date(clock).toISOString();
      if (Number.isNaN(clock) || !written.startsWith(`${year}-${month}-${dayOfMonth}`) || h > 23 || i > 59) {
        return undefined;
      }
      if (hour === undefined) return { begins: unshow(clock), ends: unshow(Date.UTC(y, m - 1, d + 1)) };
      const begins = offset === undefined ? unshow(clock) : Date.parse(`${written.slice(0, 19)}${offset}`);
      if (Number.isNaN(begins)) return undefined;
      return { begins, ends: begins + (match[6] === undefined ? minute : 1000) };
    },
  };
}
