import { callActions } from './calls.ts';
import { channelLists } from './channels.ts';
import { coreActions } from './core.ts';
import { databaseActions } from './database.ts';
import type { Action } from './define.ts';
import { deviceActions } from './devices.ts';
import { originateAction } from './originate.ts';
import { queueActions } from './queues.ts';
import { sessionActions } from './session.ts';
import { voicemailActions } from './voicemail.ts';

const all: readonly Action[] = [
  ...sessionActions,
  originateAction,
  ...callActions,
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
