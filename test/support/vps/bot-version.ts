import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The source of a bot in another version, in a folder of this name: the model, with the text in its `version.txt`. */
export function botVersion(model: string, folder: string, text: string): string {
  const source = join(folder, text)
  mkdirSync(source, { recursive: true })
  cpSync(model, source, { recursive: true })
  writeFileSync(join(source, 'version.txt'), `${text}\n`)
  return source
}
