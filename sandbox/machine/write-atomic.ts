import { renameSync, writeFileSync } from 'node:fs'

export function writeAtomic(file: string, content: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, content, { mode: 0o600 })
  renameSync(draft, file)
}
