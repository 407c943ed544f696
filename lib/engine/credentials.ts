import type { Resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
import type { Connection } from '../ssh/connection.ts'
import { ask } from '../ssh/exec.ts'

/** The files on the host with credentials: their paths, or with `reveal` also their contents, which takes a round trip. */
export async function credentialsOf(
  resources: readonly Resource[],
  connection: Connection,
  { reveal }: { reveal: boolean },
): Promise<{ credentials?: readonly string[] }> {
  const paths = resources.flatMap(({ credential }) => credential ?? [])
  if (paths.length === 0) return {}
  if (!reveal) return { credentials: paths }
  const output = await ask(
    connection,
    sh`for path in ${paths}; do [ -r "$path" ] && head -n 1 "$path" | base64 --wrap=0 || printf -; echo; done`,
  )
  const values = output.split('\n')
  const shown = (value = '-') => (value === '-' ? 'not there yet' : Buffer.from(value, 'base64').toString().trim())
  return { credentials: paths.map((path, i) => `${path} ${shown(values[i])}`) }
}
