import * as v from 'valibot'
import { becomes, type Prediction, type Resource, resource } from '../../lib/model/resource.ts'
import { type Role, role } from '../../lib/model/role.ts'
import { startedWith } from '../../lib/resources/config-stamp.ts'
import { directory, file, shipsDirectory } from '../../lib/resources/file.ts'
import { type FileState, fileState } from '../../lib/resources/file-state.ts'
import { apt, installing, isInstalled, type PackageState, packageState } from '../../lib/resources/package.ts'
import { runningUnit, unit, unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { daemonSettings, mergedDaemonJson } from './daemon.ts'
import { liveRestore } from './live-restore.ts'

const vars = v.strictObject({
  /** Asked before the public registry, in this order. Unset: daemon.json keeps its own. */
  registryMirrors: v.optional(
    v.array(v.pipe(v.string(), v.regex(/^https?:\/\/[^/\s]+\/?$/), v.description('a URL like http://HOST:PORT'))),
  ),
  /** Any other key of daemon.json except `hosts`: the unit sets that already, and the daemon would not start. */
  daemon: v.optional(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.check((keys) => !('hosts' in keys), 'settings without "hosts", which the unit of the daemon sets'),
    ),
    {},
  ),
})

const daemonJson = '/etc/docker/daemon.json'
const { mark, dropIn, dropInFile } = startedWith('docker.service', 'docker', daemonJson)

/** The engine and Compose v2 from the distribution, or Docker's own packages where those are installed already. */
export const docker = dockerRole()

/** The same for a host that runs replicas: Swarm refuses an engine whose containers outlive it. */
export function dockerRole({ swarm = false } = {}): Role {
  return role('docker', vars, ({ registryMirrors, daemon }, { os, swarm: wasInSwarm }) => [
    ...(os === 'ubuntu' ? ubuntuPackages : debianPackages).map(enginePackage),
    directory('/etc/docker'),
    ...dropIn,
    file(daemonJson, {
      content: mergedDaemonJson({ ...daemonSettings(registryMirrors), ...daemon, ...(swarm && noLiveRestore) }),
      wants: { registryMirrors, daemon, swarm },
      validate: { tool: 'dockerd', script: (path) => sh`dockerd --validate --config-file ${path}` },
    }),
    unit('containerd.service', 'running'),
    unit('docker.service', 'running', {
      whenStarted: [started],
    }),
    // Before the restart, which would stop all containers where they do not outlive the engine.
    ...(swarm || wasInSwarm ? [liveRestore(!swarm, daemonJson, mark)] : []),
    runningConfig(),
  ])
}

const noLiveRestore = { 'live-restore': false }

/** The distribution's package, what Docker calls its own, and the units that its install script starts. */
type EnginePackage = readonly [name: string, upstream: string, units?: readonly string[]]

const debianPackages: readonly EnginePackage[] = [
  ['containerd', 'containerd.io', ['containerd.service']],
  ['docker.io', 'docker-ce', ['docker.service']],
  ['docker-cli', 'docker-ce-cli'],
  ['docker-compose', 'docker-compose-plugin'],
  ['docker-buildx', 'docker-buildx-plugin'],
]

const ubuntuPackages: readonly EnginePackage[] = [
  ['containerd', 'containerd.io', ['containerd.service']],
  ['docker.io', 'docker-ce', ['docker.service']],
  ['docker-compose-v2', 'docker-compose-plugin'],
  ['docker-buildx', 'docker-buildx-plugin'],
]

/** A docker-ce that is installed is kept, and completed from the same source. */
function enginePackage([name, upstream, units = []]: EnginePackage): Resource {
  const reads = { own: packageState(name), theirs: packageState(upstream), engine: packageState('docker-ce') }
  const installed = resource({
    id: `package:${name}`,
    wants: 'installed',
    reads,
    plan: ({ own, theirs, engine }) => {
      const upstreamEngine = engine !== 'absent'
      if (theirs !== 'absent' && !upstreamEngine) throw new HostError(foreign(upstream))
      if (isInstalled(upstreamEngine ? theirs : own)) return []
      const present = becomes<PackageState>(upstreamEngine ? reads.theirs : reads.own, { version: '' })
      return [installing(upstreamEngine ? upstream : name, 'install', [present, ...broughtBy(units)])]
    },
  })
  return { ...installed, joins: apt }
}

function foreign(upstream: string): string {
  return `${upstream} is installed without docker-ce, which would have to go for the distribution's engine: install docker-ce, or remove it`
}

/** A start notes the file that is there then, unless it comes before the drop-in, as that of an install script does. */
const started: Prediction = becomes(mark, (before, read) =>
  read(dropInFile) === 'absent' ? before : checksumOf(read(fileState(daemonJson))),
)

function broughtBy(units: readonly string[]): Prediction[] {
  return [
    ...units.map((name) => becomes(unitState(name), runningUnit)),
    ...(units.includes('docker.service') ? [started, shipsDirectory('/etc/docker')] : []),
  ]
}

/** The daemon runs with the daemon.json on the disk; containers keep running through the restart (live-restore). */
function runningConfig(): Resource {
  return resource({
    id: 'docker:config',
    wants: daemonJson,
    reads: { mark, onDisk: fileState(daemonJson), daemon: unitState('docker.service') },
    plan: ({ mark: running, onDisk, daemon }) => {
      const checksum = checksumOf(onDisk)
      // A daemon that does not run yet is started by its unit, with the file on the disk.
      if (daemon.active !== 'active' || running?.trim() === checksum) return []
      return [
        {
          summary: 'restart the daemon with its new configuration',
          script: sh`systemctl reset-failed docker.service 2>/dev/null || :; systemctl restart docker.service`,
          predicts: [becomes(mark, checksum)],
        },
      ]
    },
  })
}

const checksumOfNothing = sha256Of('')

function checksumOf(state: FileState): string {
  return (state !== 'absent' && state.sha256) || checksumOfNothing
}
