import { configLabel } from '../../../../lib/resources/container.ts'
import { type Script, sh } from '../../../../lib/shell/sh.ts'
import { sha256Of } from '../../../../lib/std/sha256.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { uidOf } from '../../spec/layout.ts'
import type { ContainerLimits } from '../../spec/limits.ts'
import type { Replicas } from '../../spec/replicas/index.ts'
import type { Spec } from '../../spec/spec.ts'
import { containerOf } from '../service.ts'
import { filledVariables } from '../variables.ts'
import { healthCommand } from './health.ts'
import { replicasLayout } from './layout.ts'

/** The label of a replica by which it is told from those of other versions: the host makes it of all of the service. */
export const versionLabel = 'botgarden.version'

export interface ReplicasService {
  /**
   * Shell text that prints the service as the engine's API takes it, but for `@NAME@` and `@id-NAME@`, which the host replaces by the
   * checksum and the id of a secret, and `@version@`.
   */
  readonly body: Script
  readonly checksum: string
  /** Names of the secrets, which are files of the host. */
  readonly secrets: readonly string[]
}

const second = 1e9
const mebibyte = 2 ** 20

/** The service of the replicas: what the container of the bot would be, without anything of its host but the file of authorities. */
export function replicasService(
  instance: BotInstance,
  spec: Spec,
  limits: ContainerLimits,
  settle: number,
): ReplicasService {
  const { bot } = instance
  const { service } = replicasLayout(bot)
  const { secret } = filledVariables(instance, 'blue', spec)
  const secrets = secretNames(spec)
  const own = { image: spec.image, command: spec.command, port: spec.port }
  const { version, startedWith } = containerOf(instance, 'blue', spec, own)
  const task = {
    ContainerSpec: {
      ...containerSpec(instance, spec, version, secrets),
      Env: [...envOf(version.environment, spec), ...secret.map(([name]) => `${name}=${marker(name)}`)],
    },
    Resources: {
      Limits: {
        NanoCPUs: Math.round(limits.cpus * 1e9),
        MemoryBytes: limits.memoryMB * mebibyte,
        Pids: version.pids_limit,
      },
    },
    ...placementOf(instance, spec.replicas ?? { count: 1, hosts: [] }),
  }
  const whole = {
    Name: service,
    TaskTemplate: task,
    Mode: { Replicated: { Replicas: spec.replicas?.count ?? 1 } },
    ...updatesOf(settle),
    // No virtual address: that needs IP_VS, which many kernels lack.
    EndpointSpec: { Mode: 'dnsrr' },
  }
  const checksum = sha256Of(JSON.stringify([whole, startedWith])).slice(0, 16)
  const text = JSON.stringify({ ...whole, Labels: { [configLabel]: checksum, 'botgarden.bot': bot } })
  return { body: bodyOf(text, secret), checksum, secrets }
}

/** The certificate of the database server, which is no secret, but comes the same way. */
export const certificate = 'postgres.crt'

function secretNames({ database, secrets }: Spec): readonly string[] {
  return ['token', 'webhook-secret', ...(database ? ['database-password', 'pgpass', certificate] : []), ...secrets]
}

function containerSpec(
  { number }: BotInstance,
  spec: Spec,
  version: ReturnType<typeof containerOf>['version'],
  secrets: readonly string[],
) {
  const uid = uidOf(number)
  return {
    Image: spec.image,
    Labels: { ...version.labels, [versionLabel]: '@version@' },
    ...(spec.command && { Args: spec.command }),
    User: version.user,
    ...(spec.init && { Init: true }),
    ReadOnly: true,
    CapabilityDrop: ['ALL'],
    Privileges: { NoNewPrivileges: true },
    Mounts: [
      ...version.volumes
        .filter(({ target }) => target !== '/run/secrets' && target !== '/run/postgresql')
        .map(({ source, target }) => ({ Type: 'bind', Source: source, Target: target, ReadOnly: true })),
      ...['/tmp', ...(spec.scratch ?? [])].map((Target) => ({
        ...{ Type: 'tmpfs', Target },
        TmpfsOptions: { SizeBytes: 32 * mebibyte, Mode: 0o1777 },
      })),
    ],
    StopGracePeriod: 20 * second,
    ...(spec.health !== undefined && { Healthcheck: healthcheck(spec.port, spec.health) }),
    Secrets: secrets.map((name) => ({
      ...{ SecretID: `@id-${name}@`, SecretName: `botgarden.@${name}@` },
      File: { Name: name, UID: uid, GID: uid, Mode: 0o400 },
    })),
  }
}

/** As the engine takes them: compose(5) has two dollars for one. */
function envOf(environment: Readonly<Record<string, string>>, { database }: Spec): string[] {
  // libpq then encrypts, and compares the certificate where it is told to.
  const all = { ...environment, ...(database && { PGSSLROOTCERT: `/run/secrets/${certificate}` }) }
  return Object.entries(all).map(([name, value]) => `${name}=${value.replaceAll('$$', '$')}`)
}

function healthcheck(port: number, path: string) {
  return {
    Test: ['CMD-SHELL', healthCommand(port, path)],
    ...{ Interval: 10 * second, Timeout: 6 * second, Retries: 3, StartPeriod: 60 * second, StartInterval: 2 * second },
  }
}

function placementOf({ bot }: BotInstance, { count, hosts }: Replicas) {
  return {
    RestartPolicy: { Condition: 'any', Delay: 2 * second },
    Placement: {
      Constraints: [`node.labels.botgarden.${bot}==on`],
      // When one host is gone the others have room, and for the one more of an update.
      MaxReplicas: Math.ceil(count / Math.max(1, hosts.length - 1)) + 1,
    },
    Networks: [{ Target: replicasLayout(bot).network }],
  }
}

function updatesOf(settle: number) {
  const each = { Parallelism: 1, Order: 'start-first', MaxFailureRatio: 0 }
  return {
    UpdateConfig: { ...each, Monitor: Math.max(5, settle) * second, FailureAction: 'rollback' },
    RollbackConfig: { ...each, Monitor: 5 * second, FailureAction: 'pause' },
  }
}

function marker(name: string): string {
  return `@variable-${name}@`
}

/** Shell text: the variables with secrets are filled in by builtins and pipes, so that no argument has one. */
function bodyOf(text: string, secret: ReturnType<typeof filledVariables>['secret']): Script {
  const parts = secret.reduce(
    (before, [name, value]) =>
      before.flatMap((part) => {
        if (typeof part !== 'string' || !part.includes(marker(name))) return [part]
        const [head = '', tail = ''] = part.split(marker(name))
        return [head, ...value.map((piece) => (typeof piece === 'string' ? jsonText(piece) : piece)), tail]
      }),
    [text] as (string | { readonly file: string })[],
  )
  const scripts = parts.map((part) => (typeof part === 'string' ? sh`printf %s ${part}` : sh`json_text ${part.file}`))
  return scripts.reduce((before, each) => sh`${before} && ${each}`)
}

function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
