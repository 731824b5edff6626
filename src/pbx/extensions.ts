/** Whether the dialplan has a number: asked before what would cost somebody the call where it has none. */

import { Failure } from '../errors.ts';
import type { Acting } from './acting.ts';
import { action, checkedContext, checkedExtension } from './action.ts';
import { noSuchExtension } from './answer.ts';
import { text } from './control.ts';

/**
 * Asks the dialplan function DIALPLAN_EXISTS (func_dialplan.c). BlindTransfer and Redirect say Success to a number that there is not,
 * and the call ends. Where the function is not there, nothing is known and nothing refused. Throws `Failure` `invalid-target`, and as `Pbx` says.
 */
export async function demandExtension(
  { ask }: Pick<Acting, 'ask'>,
  context: string,
  exten: string,
): Promise<void> {
  const place = `${checkedContext(context)},${checkedExtension(exten)},1`;
  const query = action('Getvar', { Variable: `DIALPLAN_EXISTS(${place})` });
  const value = await ask((control) => control.run(query)).then(
    (answer) => text(answer, 'value'),
    (error: unknown) => {
      if (error instanceof Failure && error.code === 'rejected') return '';
      throw error;
    },
  );
  if (value === '0') throw noSuchExtension();
}
