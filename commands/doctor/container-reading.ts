import * as v from 'valibot'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** A container of a host, as far as it could break a promise. */
export type Container = v.InferOutput<typeof schema>

const format =
  '{"name":{{json .Name}},"labels":{{json .Config.Labels}},"running":{{.State.Running}},"user":{{json .Config.User}},' +
  '"privileged":{{.HostConfig.Privileged}},"readOnly":{{.HostConfig.ReadonlyRootfs}},"memory":{{.HostConfig.Memory}},' +
  '"pids":{{json .HostConfig.PidsLimit}},"network":{{json .HostConfig.NetworkMode}},"pidMode":{{json .HostConfig.PidMode}},' +
  '"added":{{json .HostConfig.CapAdd}},"dropped":{{json .HostConfig.CapDrop}},"security":{{json .HostConfig.SecurityOpt}},' +
  '"ports":{{json .HostConfig.PortBindings}},"mounts":{{json .Mounts}},"networks":{{json .NetworkSettings.Networks}}}'

const bindingKeys = { HostIp: v.nullish(v.string()), HostPort: v.nullish(v.string()) }

const words = v.pipe(
  v.nullable(v.array(v.string())),
  v.transform((value) => value ?? []),
)

const schema = v.object({
  name: v.pipe(
    v.string(),
    v.transform((name) => name.replace(/^\//, '')),
  ),
  labels: v.pipe(
    v.nullable(v.record(v.string(), v.string())),
    v.transform((value) => value ?? {}),
  ),
  ...{ running: v.boolean(), user: v.string(), privileged: v.boolean(), readOnly: v.boolean(), memory: v.number() },
  pids: v.nullable(v.number()),
  /** Read on a host of a pair alone: `always`, `no`. */
  restart: v.optional(v.string()),
  ...{ network: v.string(), pidMode: v.string(), added: words, dropped: words, security: words },
  /** The ports of the host that are published: `8081`, or `10.214.0.1:5432` where it is at one address alone. */
  ports: v.pipe(
    v.nullable(v.record(v.string(), v.nullable(v.array(v.object(bindingKeys))))),
    v.transform((value) =>
      Object.entries(value ?? {}).flatMap(([port, bound]) =>
        (bound ?? []).map(({ HostIp, HostPort }) => {
          if (!HostPort) return `one for ${port}`
          return ['', '0.0.0.0', '::'].includes(HostIp ?? '') ? HostPort : `${HostIp}:${HostPort}`
        }),
      ),
    ),
  ),
  /** What of the host is mounted. */
  mounts: v.pipe(
    v.nullable(v.array(v.object({ Type: v.string(), Source: v.optional(v.string()), RW: v.boolean() }))),
    v.transform((value) =>
      (value ?? []).flatMap(({ Type, Source = '', RW }) => (Type === 'bind' ? [{ source: Source, writable: RW }] : [])),
    ),
  ),
  /** The address in each network, '' where it does not run. */
  networks: v.pipe(
    v.nullable(v.record(v.string(), v.object({ IPAddress: v.optional(v.string()) }))),
    v.transform((value) =>
      Object.fromEntries(Object.entries(value ?? {}).map(([name, { IPAddress = '' }]) => [name, IPAddress])),
    ),
  ),
})

const script = shellFile(new URL('containers.sh', import.meta.url))

const kind: Kind<readonly Container[] | undefined> = {
  name: 'every-container',
  volatile: true,
  cost: 150,
  script: ([what]) => sh`
    format=${what === 'pair' ? `${format.slice(0, -1)},"restart":{{json .HostConfig.RestartPolicy.Name}}}` : format}
    ${script}`,
  parse: oneValue(parseContainers),
}

/** Undefined where the engine does not answer. */
export const everyContainer: Reading<readonly Container[] | undefined> = reading(kind, 'all')

/** The same of a host of a pair: what a boot would start too. */
export const everyContainerOfPair: Reading<readonly Container[] | undefined> = reading(kind, 'pair')

export function parseContainers(output: string): readonly Container[] | undefined {
  if (!/^engine answers$/m.test(output)) return undefined
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => v.parse(schema, JSON.parse(line)))
}
