import { planAll } from '../../lib/engine/plan.ts'
import type { Commands } from '../../lib/health/finding.ts'
import { secretsDir } from '../../lib/model/host-layout.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { nginxContainer } from '../../lib/platform/nginx.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { quote } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { serverNetworkName } from '../../roles/postgres/network/index.ts'
import { some } from './bot-promises.ts'
import type { Container } from './container-reading.ts'
import type { Exposure } from './exposure-reading.ts'
import { foreignNetworks, ownerOf } from './targets.ts'
import { type Fault, judged, type Promised, type Verdict } from './verdict.ts'

/** The firewall as its role plans it: without a change it is on, and the kernel has our rules. */
export function firewallVerdict(
  resources: readonly Resource[],
  state: ReadonlyMap<string, unknown>,
  { playbook }: Commands,
): Verdict {
  const promised = { id: 'firewall', promise: 'the firewall is on, with the rules of the inventory' }
  const mend = playbook('site', '--tags ufw')
  try {
    const plans = planAll(resources, state)
    const changes = plans.flatMap((plan) =>
      plan.status === 'change' ? plan.changes.map(({ summary }) => summary) : [],
    )
    return judged(promised, changes.length === 0 ? [] : [{ what: `to do: ${some(changes)}`, mend }])
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return judged(promised, [{ what: error.message, mend }])
  }
}

/**
 * What the engine's containers are told to do, whoever has made them. `bots`: those of the inventory that run here. `inMesh`: the port
 * that the database server publishes to another host, as `ADDRESS:PORT`.
 */
export function containerVerdicts(
  containers: readonly Container[] | undefined,
  bots: readonly string[],
  { playbook, onHost, removal: removalOf }: Commands,
  inMesh?: string,
): Verdict[] {
  const but = inMesh === undefined ? '' : `, but the database server ${inMesh} in the mesh`
  const published: Promised = { id: 'published', promise: `no container publishes a port${but}` }
  const known: Promised = { id: 'containers', promise: 'every container is of botgarden and of a bot of the inventory' }
  const engine: Promised = { id: 'engine', promise: 'no container holds the engine or the host' }
  const networks: Promised = { id: 'networks', promise: 'nobody else is on the network of a bot' }
  if (containers === undefined)
    return [published, known, engine, networks].map((each) =>
      judged(each, [{ what: 'it could not be tried: Docker does not answer', mend: playbook('site') }]),
    )
  const remove = (name: string) => onHost(`sudo docker rm -f ${quote(name)}`)
  const removal = (each: Container) => (isOurs(each) ? playbook('site') : remove(each.name))
  const others = containers.filter((each) => each.labels['botgarden.doctor'] === undefined)
  const faults = (of: (each: Container) => Fault[]) => others.flatMap(of)
  return [
    judged(
      published,
      faults((each) => {
        const ports = each.ports.filter((port) => !(each.name === postgresContainer && port === inMesh))
        return ports.length === 0 ? [] : [{ what: `${each.name} publishes ${some(ports)}`, mend: removal(each) }]
      }),
    ),
    judged(
      known,
      faults((each) => {
        const bot = ownerOf(each)
        if (bot !== undefined && isOurs(each))
          return bots.includes(bot)
            ? []
            : [
                {
                  what: `${each.name} is of ${bot}, which is not in the inventory`,
                  mend: removalOf(bot),
                },
              ]
        return isOurs(each) ? [] : [{ what: `${each.name} is of nobody`, mend: remove(each.name) }]
      }),
    ),
    judged(
      engine,
      faults((each) => {
        const held = holds(each)
        return held.length === 0 ? [] : [{ what: `${each.name} has ${some(held)}`, mend: removal(each) }]
      }),
    ),
    judged(
      networks,
      faults((each) =>
        strays(each, bots).map(
          (network): Fault => ({
            what: `${each.name} is on the network ${network}`,
            mend: onHost(`sudo docker network disconnect ${quote(network)} ${quote(each.name)}`),
          }),
        ),
      ),
    ),
  ]
}

/** Files with secrets that others than their owner may read. */
export function filesVerdict(exposure: Exposure | undefined, { playbook, onHost }: Commands): Verdict {
  const promised = { id: 'secret-files', promise: 'files with secrets are readable by their owner alone' }
  if (exposure === undefined) return judged(promised, [{ what: 'it could not be tried', mend: playbook('site') }])
  return judged(
    promised,
    exposure.readable.map(({ mode, path }) => ({
      what: `${path} has the mode 0${mode}`,
      mend: onHost(`sudo chmod go= ${quote(path)}`),
    })),
  )
}

/** By name and label: of what somebody else has made the name alone is easily the same. */
function isOurs({ name, labels }: Container): boolean {
  return (
    name.startsWith('botgarden-') && (labels['botgarden.config'] !== undefined || ownerOf({ labels }) !== undefined)
  )
}

/** What of the host, or of its engine, a container has in its hands. */
function holds(each: Container): string[] {
  const { name, mounts, privileged, pidMode, network } = each
  return [
    ...(privileged ? ['all privileges'] : []),
    ...mounts.flatMap(({ source }) => {
      if (/\/(docker|containerd)\.sock$/.test(source)) return [`the socket ${source}`]
      return isOfHost(source) || isOthersSecret(source, each) ? [`${source} of the host`] : []
    }),
    ...(pidMode === 'host' ? ['the processes of the host'] : []),
    ...(network === 'host' && name !== nginxContainer ? ["the host's network"] : []),
  ]
}

/** Folders with which a container has the host. */
function isOfHost(source: string): boolean {
  return /^\/$|^\/(etc|etc\/botgarden|root|proc|sys|dev|boot|usr|run|var|var\/run|var\/lib|var\/lib\/docker)$/.test(
    source,
  )
}

/** Secrets are their bot's alone; the servers have theirs. */
function isOthersSecret(source: string, each: Container): boolean {
  if (source !== secretsDir && !source.startsWith(`${secretsDir}/`)) return false
  const bot = ownerOf(each)
  if (bot === undefined) return !isOurs(each)
  const { secrets } = layoutOf(bot)
  return source !== secrets && !source.startsWith(`${secrets}/`)
}

/** Networks of bots that a container is on, and has no part in. */
function strays(each: Container, bots: readonly string[]): string[] {
  const bot = ownerOf(each)
  const ofBots = (network: string) =>
    network.startsWith('botgarden-') || bots.some((name) => network === `botgarden-${name}`)
  if (bot !== undefined) return foreignNetworks(bot, each)
  if (each.name === postgresContainer)
    return Object.keys(each.networks).filter(
      (name) => ofBots(name) && !name.endsWith('.db') && name !== serverNetworkName,
    )
  return Object.keys(each.networks).filter(ofBots)
}
