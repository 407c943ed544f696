import * as v from 'valibot'
import type { ContainerHealth } from '../../lib/health/state.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** The containers of botgarden by name; undefined where the engine does not answer. */
export type ContainersReading = ReadonlyMap<string, ContainerHealth> | undefined

// The first two members are read by the shell.
const format =
  '{"id":{{json .ID}},"pid":{{.State.Pid}},"name":{{json .Name}},"status":{{json .State.Status}},' +
  '"health":{{with .State.Health}}{{json .Status}}{{else}}""{{end}},"restarts":{{.RestartCount}},' +
  '"startedAt":{{json .State.StartedAt}},"killed":{{.State.OOMKilled}},"exitCode":{{.State.ExitCode}},"limit":{{.HostConfig.Memory}}}'

const schema = v.object({
  ...{ id: v.string(), name: v.string(), status: v.string(), health: v.string() },
  ...{ restarts: v.number(), startedAt: v.string(), killed: v.boolean(), exitCode: v.number(), limit: v.number() },
})

const script = shellFile(new URL('containers.sh', import.meta.url))

const kind: Kind<ContainersReading> = {
  name: 'containers',
  volatile: true,
  cost: 120,
  script: () => sh`
    format=${format}
    ${script}`,
  parse: oneValue(parseContainers),
}

export const containersReading: Reading<ContainersReading> = reading(kind, 'all')

const mebibyte = 2 ** 20

function parseContainers(output: string): ContainersReading {
  if (!/^engine answers$/m.test(output)) return undefined
  const memory = new Map(
    [...output.matchAll(/^memory ([0-9a-f]+) (\d+) (\d+)$/gm)].map(([, id = '', bytes, kills]) => [
      id,
      { memoryMB: Number(bytes) / mebibyte, kills: Number(kills) },
    ]),
  )
  const killed = new Set([...output.matchAll(/^killed ([0-9a-f]+)$/gm)].map(([, id]) => id))
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  return new Map(
    lines.map((line) => {
      const { id, name, startedAt, limit, killed: last, ...rest } = v.parse(schema, JSON.parse(line))
      const used = memory.get(id)
      return [
        name.replace(/^\//, ''),
        {
          ...rest,
          startedAt: Date.parse(startedAt),
          limitMB: limit / mebibyte,
          ...(used && { memoryMB: used.memoryMB }),
          outOfMemory: last || (used?.kills ?? 0) > 0 || killed.has(id),
        },
      ]
    }),
  )
}
