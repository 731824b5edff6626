/** Conference rooms (app_confbridge). */

import { Failure } from '../errors.ts';
import type { Acting } from './acting.ts';
import { action, checkedChannel, checkedExtension } from './action.ts';
import { isUnknownAction } from './answer.ts';
import { type Control, text } from './control.ts';
import type { ChannelId, Conference, Pbx } from './pbx.ts';

/** Whether a sentence says that there is no conference: Asterisk answers so with an error, not with an empty list, and without app_confbridge it knows no list. */
export function isNobodyThere(sentence: string): boolean {
  return (
    /^no (active conferences|conference by that name found)/i.test(sentence) || isUnknownAction(sentence)
  );
}

/** Rooms in use with their members. Rejects as `Control.list` does; empty where app_confbridge is not loaded. */
async function readConferences(control: Control): Promise<readonly Conference[]> {
  const rooms = await orNone(control.list(action('ConfbridgeListRooms')));
  return Promise.all(
    rooms.map(async (item) => {
      const room = text(item, 'conference');
      const members = await orNone(control.list(action('ConfbridgeList', { Conference: room })));
      return {
        room,
        locked: isYes(text(item, 'locked')),
        members: members.map((member) => ({
          channel: text(member, 'channel') as ChannelId,
          callerName: text(member, 'calleridname').replace(/^<unknown>$/, ''),
          callerNumber: text(member, 'calleridnum').replace(/^<unknown>$/, ''),
          muted: isYes(text(member, 'muted')),
        })),
      };
    }),
  );
}

/** The value if it can name a room: rooms are named by the dialplan, nearly always with their number. Throws `invalid-target`. */
function checkedRoom(room: string): string {
  return checkedExtension(room);
}

function isYes(text: string): boolean {
  return /^yes$/i.test(text);
}

async function orNone<T>(list: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof Failure && isNobodyThere(error.message)) return [];
    throw error;
  }
}

type Verbs = Pick<Pbx, 'conferences' | 'conferenceKick' | 'conferenceMute' | 'conferenceLock'>;

/** The verbs of conference rooms. */
export function conferenceVerbs({ run, ask }: Acting): Verbs {
  return {
    conferences: () => ask(readConferences),
    async conferenceKick(room, channel) {
      await run(
        action('ConfbridgeKick', { Conference: checkedRoom(room), Channel: checkedChannel(channel) }),
      );
    },
    async conferenceMute(room, channel, muted) {
      const name = muted ? 'ConfbridgeMute' : 'ConfbridgeUnmute';
      await run(action(name, { Conference: checkedRoom(room), Channel: checkedChannel(channel) }));
    },
    async conferenceLock(room, locked) {
      await run(action(locked ? 'ConfbridgeLock' : 'ConfbridgeUnlock', { Conference: checkedRoom(room) }));
    },
  };
}
