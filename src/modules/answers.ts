/** Answers that several modules give. */

import { element, type Infer, textElement } from '../protocol/codec.ts';
import { text } from '../protocol/value.ts';

/** `base.Success`. */
export const success = {
  module: 'base',
  codec: element(
    'Success',
    { message: textElement(text('Ok'), 'Ok', 'for people') },
    'The command was carried out.',
  ),
};

/** The answer of a command that has nothing to say but that it worked. */
export const ok: Infer<typeof success.codec> = { message: 'Ok' };
