import type { Progress } from '../machine/progress.ts'

/** Something that takes its time, and may be there already. */
export interface Build {
  readonly name: string
  readonly isThere: () => Promise<boolean>
  readonly make: () => Promise<void>
}

/**
 * Builds that run side by side. One that several ask for at the same time is made once. All of them are asked for at the
 * beginning, those that others wait for as well, so the count of what is missing says how far they are.
 */
export function sideBySide(): (build: Build, progress: Progress) => Promise<void> {
  const underWay = new Map<string, Promise<void>>()
  let [begun, done] = [0, 0]
  const ensure = async ({ name, isThere, make }: Build, progress: Progress) => {
    if (await isThere()) return
    begun++
    await make()
    progress(countLine(++done, begun, name))
  }
  const forget = (name: string) => {
    underWay.delete(name)
    if (underWay.size === 0) [begun, done] = [0, 0]
  }
  return (build, progress) => {
    const asked = underWay.get(build.name) ?? ensure(build, progress).finally(() => forget(build.name))
    underWay.set(build.name, asked)
    return asked
  }
}

/** `[###-----] 3 of 8 images: nginx`. */
function countLine(done: number, all: number, name: string): string {
  return `[${'#'.repeat(done)}${'-'.repeat(all - done)}] ${done} of ${all} images: ${name}`
}
