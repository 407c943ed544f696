import * as assert from 'uvu/assert'

type Kind<E extends Error> = new (...args: never[]) => E

/** The error of this kind that a promise is rejected with; the test fails where it is fulfilled. */
export async function errorOf<E extends Error = Error>(promise: Promise<unknown>, kind?: Kind<E>): Promise<E> {
  const [error] = await promise.then(
    () => [],
    (reason: E) => [reason],
  )
  return checked(error, kind)
}

/** Fails unless a promise is rejected with this whole message, or one like this. uvu's own `throws` does not wait. */
export async function rejects(promise: Promise<unknown>, message: RegExp | string, kind?: Kind<Error>): Promise<void> {
  const { message: found } = await errorOf(promise, kind)
  if (typeof message === 'string') assert.is(found, message)
  else assert.match(found, message)
}

/** The error of this kind that a function throws; the test fails where it returns. */
export function thrown<E extends Error = Error>(run: () => unknown, kind?: Kind<E>): E {
  let error: E | undefined
  try {
    run()
  } catch (reason) {
    error = reason as E
  }
  return checked(error, kind)
}

function checked<E extends Error>(error: E | undefined, kind: Kind<E> | undefined): E {
  if (error === undefined) throw new Error('there was no error')
  if (kind !== undefined) assert.instance(error, kind, String(error.stack))
  return error
}
