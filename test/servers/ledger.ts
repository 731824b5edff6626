/** What became of requests on a line: which the server said, which the client answered, and which of these never arrived. */

/** A line's accounts. The server asks, the client answers; both name a request by an id. */
export interface LineLedger {
  /** A connection that begins. */
  open(): ConnectionLedger;
  /** Requests that the server has said, whether or not anybody heard. */
  readonly said: ReadonlySet<string>;
  /**
   * Those of them that were said on connections that are over or dead, and to which no answer went back on any connection; or one that the server
   * may not have read, for it ended the connection at that moment.
   */
  readonly lost: ReadonlySet<string>;
  /** How many connections are over. */
  readonly ends: number;
  /** Requests that the client answered more than once, whether or not the answers arrived. */
  readonly answeredAgain: readonly string[];
}

/** One connection's. */
export interface ConnectionLedger {
  /** The server says this, heard or not. */
  asks(bytes: Buffer): void;
  /** The client says this; `carried`: it goes on to the server. */
  answers(bytes: Buffer, carried: boolean): void;
  /** It carries nothing any more; `byServer`: the server ended it. */
  over(byServer?: boolean): void;
}

/** An answer that came so shortly before the server ended a connection may not have been read, milliseconds. */
const unreadMs = 1000;

/** Begins to keep accounts of requests with ids like this. */
export function createLineLedger(id: string): LineLedger {
  const said = new Set<string>();
  const lost = new Set<string>();
  const answered = new Map<string, number>();
  let ends = 0;
  /** The connections of requests that may still be answered. */
  const open = new Map<string, ConnectionLedger>();

  /** Finds ids in a stream, wherever it is cut. */
  function finder(): (bytes: Buffer) => string[] {
    const pattern = new RegExp(`\\bid=["'](${id})["']`, 'g');
    let tail = '';
    return (bytes) => {
      const text = tail + bytes.toString('latin1');
      const before = tail.length;
      tail = text.slice(-100);
      // What ends within the tail was found before.
      return [...text.matchAll(pattern)]
        .filter((match) => match.index + match[0].length > before)
        .map(([, found = '']) => found);
    };
  }

  return {
    said,
    lost,
    get ends() {
      return ends;
    },
    get answeredAgain() {
      return [...answered].filter(([, count]) => count > 1).map(([each]) => each);
    },
    open() {
      /** When answers were carried, by request. */
      const carriedAt = new Map<string, number>();
      const [inQuestions, inAnswers] = [finder(), finder()];
      let isOver = false;
      const connection: ConnectionLedger = {
        asks(bytes) {
          for (const each of inQuestions(bytes)) {
            said.add(each);
            if (isOver) lost.add(each);
            else open.set(each, connection);
          }
        },
        answers(bytes, carried) {
          for (const each of inAnswers(bytes)) {
            answered.set(each, (answered.get(each) ?? 0) + 1);
            if (!carried || isOver) continue;
            // Who was asked on a connection that is over may answer on the next one.
            const [isOpen, isLate] = [open.delete(each), lost.delete(each)];
            if (isOpen || isLate) carriedAt.set(each, performance.now());
          }
        },
        over(byServer = false) {
          if (isOver) return;
          isOver = true;
          ends += 1;
          for (const [each, where] of open) {
            if (where === connection && open.delete(each)) lost.add(each);
          }
          // What it was told last, it may not have read.
          const unread = byServer ? performance.now() - unreadMs : Number.POSITIVE_INFINITY;
          for (const [each, at] of carriedAt) if (at > unread) lost.add(each);
          carriedAt.clear();
        },
      };
      return connection;
    },
  };
}
