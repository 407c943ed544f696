import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { local } from '../../lib/shell/local.ts'

/** What a real `sh` makes of a script, with these programs, by name, in the place of those of this machine. */
export async function withPrograms(programs: Readonly<Record<string, string>>, script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'programs-'))
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
  try {
    const { exitCode, stdout } = await local({ env, quiet: true, nothrow: true })`sh -e -c ${`exec 2>&1\n${script}`}`
    return { code: exitCode, said: stdout }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
