// The command `npm run migrate`: one-shot, before a new version starts. The old version still runs meanwhile, so a
// migration adds what the new one needs, and takes away only what no version in use needs any more.
import { readDatabaseConfig } from './config.ts'
import { openForMigrations } from './database.ts'
import { createLog } from './log.ts'
import { migrate } from './migrations.ts'

try {
  const db = await openForMigrations(readDatabaseConfig(process.env), createLog({ level: 'silent', secrets: [] }))
  const names = await migrate(db)
  for (const name of names) process.stdout.write(`migrated: ${name}\n`)
  if (names.length === 0) process.stdout.write('nothing to migrate\n')
  await db.destroy()
} catch (error) {
  process.stderr.write(`hello-bot: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
