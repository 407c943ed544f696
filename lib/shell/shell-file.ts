import { readFileSync } from 'node:fs'
import type { Script } from './sh.ts'

/** A file of shell beside the module that puts it into its scripts; a first line for shellcheck alone is left out. */
export function shellFile(url: URL): Script {
  const text = readFileSync(url, 'utf8')
    .replace(/^# shellcheck .*\n/, '')
    .trimEnd()
  return { text, shown: text }
}
