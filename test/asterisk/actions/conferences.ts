import { snapshot } from '../pbx/channel.ts';
import { lockedRooms, muteMember, rooms } from '../pbx/conference.ts';
import { lines } from '../pbx/event.ts';
import { hangup } from '../pbx/talk.ts';
import type { Action, ActionContext } from './define.ts';

/** Actions of app_confbridge. */
export const conferenceActions: readonly Action[] = [
  {
    name: 'ConfbridgeListRooms',
    synopsis: 'List active conferences.',
    privilege: ['reporting'],
    run({ pbx, list, error }) {
      const names = [...new Set([...rooms(pbx).values()].map(({ room }) => room))];
      if (names.length === 0) {
        error('No active conferences.');
        return;
      }
      const items = names.map((room) => ({
        event: 'ConfbridgeListRooms',
        body: lines([
          ['Conference', room],
          ['Parties', membersOf(pbx, room).length],
          ['Marked', 0],
          ['Locked', lockedRooms(pbx).has(room) ? 'Yes' : 'No'],
          ['Muted', 'No'],
        ]),
      }));
      list('Confbridge conferences will follow', 'ConfbridgeListRoomsComplete', items);
    },
  },
  {
    name: 'ConfbridgeList',
    synopsis: 'List participants in a conference.',
    privilege: ['reporting'],
    run: (context) =>
      inRoom(context, (room) => {
        const items = membersOf(context.pbx, room).map(([channel, { muted }]) => ({
          event: 'ConfbridgeList',
          body:
            lines([
              ['Conference', room],
              ['Admin', 'No'],
              ['Muted', muted ? 'Yes' : 'No'],
            ]) + snapshot(channel),
        }));
        context.list('Confbridge user list will follow', 'ConfbridgeListComplete', items);
      }),
  },
  onMember('ConfbridgeMute', 'Mute a Confbridge user.', 'User muted', ({ pbx }, channel) =>
    muteMember(pbx, channel, true),
  ),
  onMember('ConfbridgeUnmute', 'Unmute a Confbridge user.', 'User unmuted', ({ pbx }, channel) =>
    muteMember(pbx, channel, false),
  ),
  onMember('ConfbridgeKick', 'Kick a Confbridge user.', 'User kicked', ({ pbx }, channel) =>
    hangup(pbx, channel, 'manager'),
  ),
  onRoom('ConfbridgeLock', 'Lock a Confbridge conference.', 'Conference locked', ({ pbx }, room) => {
    lockedRooms(pbx).add(room);
  }),
  onRoom('ConfbridgeUnlock', 'Unlock a Confbridge conference.', 'Conference unlocked', ({ pbx }, room) => {
    lockedRooms(pbx).delete(room);
  }),
];

function membersOf(pbx: ActionContext['pbx'], room: string) {
  return [...rooms(pbx)].filter(([, member]) => member.room === room);
}

function inRoom(context: ActionContext, work: (room: string) => void): void {
  const room = context.header('Conference');
  if (room === '') context.error('No Conference name provided.');
  else if (membersOf(context.pbx, room).length === 0) context.error('No Conference by that name found.');
  else work(room);
}

function onRoom(
  name: string,
  synopsis: string,
  said: string,
  work: (context: ActionContext, room: string) => void,
): Action {
  return {
    name,
    synopsis,
    privilege: ['call'],
    run: (context) =>
      inRoom(context, (room) => {
        work(context, room);
        context.ok(said);
      }),
  };
}

function onMember(
  name: string,
  synopsis: string,
  said: string,
  work: (context: ActionContext, channel: ReturnType<typeof membersOf>[number][0]) => void,
): Action {
  return {
    name,
    synopsis,
    privilege: ['call'],
    run: (context) =>
      inRoom(context, (room) => {
        const member = membersOf(context.pbx, room).find(([{ name }]) => name === context.header('Channel'));
        if (member === undefined) context.error('No Channel by that name found in Conference.');
        else {
          context.ok(said);
          work(context, member[0]);
        }
      }),
  };
}
