import { fileURLToPath } from 'node:url'
import { local } from '../../lib/shell/local.ts'
import { type BackupName, timestampOf } from '../../roles/backups/backup-name.ts'
import type { BackupSettings } from '../../roles/backups/backup-settings.ts'
import { partFiles } from '../../roles/backups/manifest.ts'

const program = fileURLToPath(new URL('../../roles/backups/templates/retention.awk', import.meta.url))

/** A backup, with the text of its manifest where it is known. */
export interface RetentionEntry extends BackupName {
  readonly manifest?: string
}

/** The names of backups to remove, for each database and the whole host separately, and of those dated in the future. */
export async function expired(
  backups: readonly RetentionEntry[],
  { daily, weekly, monthly }: BackupSettings['keep'],
  now: number,
): Promise<{ remove: string[]; future: string[] }> {
  const kinds = Map.groupBy(backups, ({ only }) => only)
  const verdicts = await Promise.all(
    [...kinds.values()].map(async (kind) => {
      const sorted = kind.toSorted((one, other) => (one.name < other.name ? 1 : -1))
      const newest = partFiles(sorted.find(({ time }) => time <= now)?.manifest ?? '')
      const parts = [...(newest?.there ?? []), ...(newest?.failed ?? [])]
      // A backup without a valid manifest counts as one that lacks every part.
      const lackedBy = (manifest: string | undefined) =>
        manifest === undefined ? [] : (partFiles(manifest)?.failed ?? parts)
      const input = sorted.map(({ name, manifest }) => `${[name, ...lackedBy(manifest)].join(' ')}\n`).join('')
      // The program that the host runs as well, so that there is one rule.
      const { stdout } = await local({ input })`
        LC_ALL=C awk -v parts=${parts.join(' ')} -v now=${timestampOf(now)} -v daily=${daily} -v weekly=${weekly} -v monthly=${monthly} -f ${program}`
      return stdout.split('\n').map((line) => line.split(' '))
    }),
  )
  const of = (word: string) => verdicts.flat().flatMap(([verdict, name]) => (verdict === word && name ? [name] : []))
  return { remove: of('remove'), future: of('future') }
}
