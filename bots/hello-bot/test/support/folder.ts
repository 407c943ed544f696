import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterwards } from './cleanup.ts'

/** An empty folder, gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hello-bot-'))
  afterwards(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
