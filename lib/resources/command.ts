import { lineEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import type { Script } from '../shell/sh.ts'

/** Whether a script ends with 0. It must write nothing: a check runs it too. */
export function testPasses(test: Script): Reading<boolean> {
  return reading(tests, test.text)
}

export interface CommandOptions {
  /** Ends with 0 where nothing is left to do. It must write nothing: a check runs it too. */
  readonly unless: Script
  readonly script: Script
  /** What the command does, in a few words. */
  readonly summary: string
  /** It takes long, and must not be stopped by a lost connection. */
  readonly long?: boolean
}

/** A command for what no other kind covers, with a test whether it is still needed. */
export function command(name: string, { unless, script, summary, long = false }: CommandOptions): Resource {
  const done = testPasses(unless)
  return resource({
    id: `command:${name}`,
    wants: { unless: unless.text, script: script.text },
    reads: { done },
    plan: ({ done: already }) => (already ? [] : [{ summary, script, long, predicts: [becomes(done, true)] }]),
  })
}

const tests: Kind<boolean> = {
  name: 'test',
  script: (texts) => {
    const each = texts.map((text) => `if (\n${text}\n) >/dev/null 2>&1 </dev/null; then echo yes; else echo no; fi`)
    return { text: each.join('\n'), shown: texts.join('\n') }
  },
  parse: lineEach((line) => line === 'yes'),
}
