/** The order of the test files: those that take minutes begin first, so that none of them runs alone at the end. */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Longest first, as measured; the order of all others is Vitest's own. */
const long = [
  'faults/prosody',
  'packaging',
  'conversations/prosody',
  'conversations/ejabberd',
  'conversations/asterisk',
  'conversations/hostile',
  'conversations/failures',
  'conversations/flood',
  'presence/prosody',
  'presence/ejabberd',
  'faults/ejabberd',
  'program',
  'truth/',
  'delegation.ejabberd',
  'servers/servers',
  'monitor.asterisk',
  'personal.asterisk',
];

/** See `sequence.sequencer` of Vitest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((name) => moduleId.includes(`/test/${name}`));
      return at === -1 ? long.length : at;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
