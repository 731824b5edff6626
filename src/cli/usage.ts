/** The command line is not as it should be. The message says what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
