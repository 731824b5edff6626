import { Failure } from '../errors.ts';
import type { AmiAction } from './action.ts';
import { isUnknownAction } from './answer.ts';
import type { Control, ManagerMessage } from './control.ts';
import type { Log } from './log.ts';

/**
 * The items of a list action that belongs to a module of Asterisk; none where that module is not loaded. Rejects as
 * `Control.list` does.
 */
export async function listOf(
  control: Control,
  log: Log,
  sent: AmiAction,
): Promise<readonly ManagerMessage[]> {
  try {
    return await control.list(sent);
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'rejected' && isUnknownAction(error.message)))
      throw error;
    log.info({ action: sent.name }, 'Asterisk does not know this list: the module for it is not loaded');
    return [];
  }
}
