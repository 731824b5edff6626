/** Which AMI actions each verb needs, and which of them Asterisk offers to the control account. */

import { action } from './action.ts';
import type { AmiMessage } from './message.ts';
import type { Abilities, Verb } from './pbx.ts';
import type { AmiSession } from './session.ts';

/** The actions of each verb; docs/ami-rights.md says which classes they need. */
export const actionsOf: Readonly<Record<Verb, readonly string[]>> = {
  originate: ['Originate'],
  hangup: ['Hangup'],
  blindTransfer: ['Getvar', 'BlindTransfer'],
  redirect: ['Getvar', 'Redirect'],
  pickup: ['Originate', 'Hangup'],
  listen: ['Originate'],
  announce: ['Originate'],
  attendedTransfer: ['Getvar', 'Atxfer'],
  consults: ['Status', 'BridgeInfo', 'Getvar'],
  cancelTransfer: ['CancelAtxfer'],
  join: ['Bridge'],
  park: ['Park', 'ParkedCalls', 'Hangup'],
  parkedCalls: ['ParkedCalls'],
  sendDigits: ['PlayDTMF'],
  mute: ['MuteAudio'],
  notify: ['PJSIPNotify'],
  conferences: ['ConfbridgeListRooms', 'ConfbridgeList'],
  conferenceKick: ['ConfbridgeKick'],
  conferenceMute: ['ConfbridgeMute', 'ConfbridgeUnmute'],
  conferenceLock: ['ConfbridgeLock', 'ConfbridgeUnlock'],
  userEvent: ['UserEvent'],
  endpoints: ['PJSIPShowEndpoints', 'ExtensionStateList'],
  mailboxes: ['VoicemailUsersList'],
  dbGet: ['DBGet'],
  dbFamily: ['DBGetTree'],
  dbPut: ['DBPut'],
  dbDel: ['DBDel'],
  setDeviceState: ['Setvar'],
  queueMembers: ['QueueStatus'],
  queuePause: ['QueuePause'],
  queueAdd: ['QueueAdd'],
  queueRemove: ['QueueRemove'],
  queueCounters: ['QueueStatus'],
  // On the connection that listens, whose account needs no right for it.
  tellQueues: [],
  record: ['MixMonitor'],
  stopRecording: ['StopMixMonitor'],
  muteRecording: ['MixMonitorMute'],
};

/** An action that every account may use: a list without it is none. */
const always = 'Ping';

/**
 * The actions that are registered and that the account may use: ListCommands shows no others (manager.c action_listcommands).
 * Undefined where nothing was said. Never rejects.
 */
export async function readActions(
  session: Pick<AmiSession, 'exchange'>,
): Promise<ReadonlySet<string> | undefined> {
  const answer: AmiMessage | undefined = await session
    .exchange(action('ListCommands'))
    .catch(() => undefined);
  const names = new Set([...(answer?.entries() ?? [])].map(([name]) => name));
  return names.has(always) ? names : undefined;
}

/** Abilities by what was read last. */
export function createAbilities(offered: () => ReadonlySet<string> | undefined): Abilities {
  return {
    get known() {
      return offered() !== undefined;
    },
    lacks(verb) {
      const names = offered();
      return names === undefined ? [] : actionsOf[verb].filter((name) => !names.has(name));
    },
  };
}
