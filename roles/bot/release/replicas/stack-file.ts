import { stringify } from 'yaml'
import { configLabel } from '../../../../lib/resources/container.ts'
import { sha256Of } from '../../../../lib/std/sha256.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { uidOf } from '../../spec/layout.ts'
import type { ContainerLimits } from '../../spec/limits.ts'
import type { Replicas } from '../../spec/replicas.ts'
import type { Spec } from '../../spec/spec.ts'
import { containerOf } from '../service.ts'
import { healthCommand } from './health.ts'
import { replicasLayout } from './layout.ts'

/** The label of a replica by which it is told from those of other versions: the host makes it of the whole file. */
export const versionLabel = 'botgarden.version'

export interface StackFile {
  /** As docker stack takes it, but for `@NAME@`, which the host replaces by the checksum of a secret, and `@version@`. */
  readonly text: string
  readonly checksum: string
  /** Names of the secrets, which are files of the host. */
  readonly secrets: readonly string[]
}

/** The service of the replicas: what the container of the bot would be, without anything of the host. */
export function stackFile(instance: BotInstance, spec: Spec, limits: ContainerLimits, settle: number): StackFile {
  const { bot, number } = instance
  const { stack, network, variables } = replicasLayout(bot)
  const { image, ...own } = { image: spec.image, command: spec.command, port: spec.port }
  const { version, startedWith } = containerOf(instance, 'blue', spec, { image, ...own })
  const secrets = secretNames(spec)
  const uid = uidOf(number)
  const service = {
    image,
    user: version.user,
    read_only: true,
    cap_drop: ['ALL'],
    ...(spec.init && { init: true }),
    ...('command' in version && { command: version.command }),
    environment: {
      ...version.environment,
      // libpq then encrypts, and compares the certificate where it is told to.
      ...(spec.database && { PGSSLROOTCERT: `/run/secrets/${certificate}` }),
    },
    ...(version.env_file !== undefined && { env_file: [variables] }),
    volumes: [
      ...version.volumes.filter(({ target }) => target !== '/run/secrets' && target !== '/run/postgresql'),
      ...['/tmp', ...(spec.scratch ?? [])].map((target) => ({ type: 'tmpfs', target, tmpfs: { size: 32 * 2 ** 20 } })),
    ].map(({ bind: _, ...each }: Record<string, unknown>) => each),
    networks: { replicas: {} },
    secrets: secrets.map((name) => ({ source: name, target: name, uid, gid: uid, mode: 0o400 })),
    stop_grace_period: version.stop_grace_period,
    labels: { ...version.labels, [versionLabel]: '@version@' },
    ...(spec.health !== undefined && { healthcheck: healthcheck(spec.port, spec.health) }),
    deploy: deployOf(bot, spec.replicas ?? { count: 1, hosts: [] }, limits, settle),
  }
  const file = {
    version: '3.12',
    networks: { replicas: { name: network, external: true } },
    secrets: Object.fromEntries(
      secrets.map((name) => [name, { name: `${stack}.${name}.@${name}@`, external: true }] as const),
    ),
  }
  const checksum = sha256Of(JSON.stringify([file, service, startedWith])).slice(0, 16)
  const deploy = { ...service.deploy, labels: { [configLabel]: checksum, 'botgarden.bot': bot } }
  const header = '# Written by botgarden; changes made here are overwritten.\n'
  return {
    text: `${header}${stringify({ ...file, services: { bot: { ...service, deploy } } })}`,
    checksum,
    secrets,
  }
}

/** The certificate of the database server, which is no secret, but comes the same way. */
export const certificate = 'postgres.crt'

function secretNames({ database, secrets }: Spec): readonly string[] {
  return [...['token', 'webhook-secret'], ...(database ? ['database-password', 'pgpass', certificate] : []), ...secrets]
}

function healthcheck(port: number, path: string) {
  return {
    test: ['CMD-SHELL', healthCommand(port, path)],
    interval: '10s',
    timeout: '6s',
    retries: 3,
    start_period: '60s',
    start_interval: '2s',
  }
}

function deployOf(bot: string, { count, hosts }: Replicas, { memoryMB, cpus }: ContainerLimits, settle: number) {
  const monitor = `${Math.max(5, settle)}s`
  return {
    mode: 'replicated',
    replicas: count,
    // No virtual address: that needs IP_VS, which many kernels lack.
    endpoint_mode: 'dnsrr',
    placement: {
      constraints: [`node.labels.botgarden.${bot} == on`],
      // When one host is gone the others have room, and for the one more of an update.
      max_replicas_per_node: Math.ceil(count / Math.max(1, hosts.length - 1)) + 1,
    },
    resources: { limits: { memory: `${memoryMB}M`, cpus: String(cpus), pids: 100 } },
    restart_policy: { condition: 'any', delay: '2s' },
    update_config: {
      ...{ parallelism: 1, order: 'start-first', failure_action: 'rollback', monitor, max_failure_ratio: 0 },
    },
    rollback_config: { parallelism: 1, order: 'start-first', failure_action: 'pause', monitor: '5s' },
  }
}
