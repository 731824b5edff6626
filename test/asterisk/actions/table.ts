import { callActions } from './calls.ts';
import { channelLists } from './channels.ts';
import { conferenceActions } from './conferences.ts';
import { consultActions } from './consult.ts';
import { coreActions } from './core.ts';
import { databaseActions } from './database.ts';
import type { Action } from './define.ts';
import { deviceActions } from './devices.ts';
import { legActions } from './legs.ts';
import { originateAction } from './originate.ts';
import { parkingActions } from './parking.ts';
import { queueActions } from './queues.ts';
import { recordingActions } from './recording.ts';
import { sessionActions } from './session.ts';
import { voicemailActions } from './voicemail.ts';

const all: readonly Action[] = [
  ...sessionActions,
  originateAction,
  ...callActions,
  ...consultActions,
  ...legActions,
  ...parkingActions,
  ...recordingActions,
  ...conferenceActions,
  ...channelLists,
  ...deviceActions,
  ...voicemailActions,
  ...queueActions,
  ...databaseActions,
  ...coreActions(() => all),
];

const byName = new Map(all.map((action) => [action.name.toLowerCase(), action]));

/** The action of a name in any case; undefined when Asterisk would not know it. */
export function actionNamed(name: string): Action | undefined {
  return byName.get(name.toLowerCase());
}
