/** Waits for all of them, also where one fails: then nothing goes on behind the error. */
export async function together<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks)
  return Promise.all(tasks)
}
