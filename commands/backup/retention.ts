import { fileURLToPath } from 'node:url'
import { local } from '../../lib/shell/local.ts'
import { type Name, stampOf } from '../../roles/backups/backup-name.ts'
import { filesIn } from '../../roles/backups/manifest.ts'
import type { Settings } from '../../roles/backups/settings.ts'

const program = fileURLToPath(new URL('../../roles/backups/templates/retention.awk', import.meta.url))

/** A backup, and the text of its manifest where there is one. */
export interface Counted extends Name {
  readonly manifest?: string
}

/** The names that the rule takes away, of every kind of backup by itself; and those that are from the future. */
export async function expired(
  backups: readonly Counted[],
  { daily, weekly, monthly }: Settings['keep'],
  now: number,
): Promise<{ remove: string[]; future: string[] }> {
  const kinds = Map.groupBy(backups, ({ only }) => only)
  const verdicts = await Promise.all(
    [...kinds.values()].map(async (kind) => {
      const sorted = kind.toSorted((one, other) => (one.name < other.name ? 1 : -1))
      const newest = filesIn(sorted.find(({ time }) => time <= now)?.manifest ?? '')
      const parts = [...(newest?.there ?? []), ...(newest?.failed ?? [])]
      // One whose manifest is of no use stands for nothing.
      const lackedBy = (manifest: string | undefined) =>
        manifest === undefined ? [] : (filesIn(manifest)?.failed ?? parts)
      const input = sorted.map(({ name, manifest }) => `${[name, ...lackedBy(manifest)].join(' ')}\n`).join('')
      // The same program that the host runs: there is one rule.
      const { stdout } = await local({ input })`
        LC_ALL=C awk -v parts=${parts.join(' ')} -v now=${stampOf(now)} -v daily=${daily} -v weekly=${weekly} -v monthly=${monthly} -f ${program}`
      return stdout.split('\n').map((line) => line.split(' '))
    }),
  )
  const of = (word: string) => verdicts.flat().flatMap(([verdict, name]) => (verdict === word && name ? [name] : []))
  return { remove: of('remove'), future: of('future') }
}
