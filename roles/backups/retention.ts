import { fileURLToPath } from 'node:url'
import { local } from '../../lib/local.ts'
import { type Name, stampOf } from './names.ts'
import type { Settings } from './settings.ts'

const program = fileURLToPath(new URL('templates/retention.awk', import.meta.url))

/** The names that the rule takes away, of every kind of backup by itself; and those that are from the future. */
export async function retired(
  backups: readonly Name[],
  { daily, weekly, monthly }: Settings['keep'],
  now: number,
): Promise<{ remove: string[]; future: string[] }> {
  const kinds = Map.groupBy(backups, ({ only }) => only)
  const verdicts = await Promise.all(
    [...kinds.values()].map(async (kind) => {
      const input = kind
        .map(({ name }) => `${name}\n`)
        .sort()
        .reverse()
        .join('')
      // The same program that the host runs: there is one rule.
      const { stdout } = await local({ input })`
        LC_ALL=C awk -v now=${stampOf(now)} -v daily=${daily} -v weekly=${weekly} -v monthly=${monthly} -f ${program}`
      return stdout.split('\n').map((line) => line.split(' '))
    }),
  )
  const of = (word: string) => verdicts.flat().flatMap(([verdict, name]) => (verdict === word && name ? [name] : []))
  return { remove: of('remove'), future: of('future') }
}
