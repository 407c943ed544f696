/** What the operator, not the code, must mend: printed as a message, without a stack, and the exit code is 1. */
export class StartError extends Error {
  override name = 'StartError'
}
