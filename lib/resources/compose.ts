import { stringify } from 'yaml'
import { mapChanges } from '../model/combinators.ts'
import { becomes, type Prediction, type Resource, resource } from '../model/resource.ts'
import { type Script, sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { sha256Of } from '../std/sha256.ts'
import { configLabel, containerState } from './container.ts'
import { directory, file } from './file.ts'
import { fileState } from './file-state.ts'
import { imageState } from './image.ts'

/** A compose project of one service, whose container has the project's name. */
export interface Project {
  /** Of the project, the service and the container: `botgarden-nginx`. */
  readonly name: string
  /** The folder of its compose.yaml; the parent must exist. */
  readonly folder: string
  /** The service, as compose(5) has it; it must name an image and set limits. */
  readonly service: Readonly<Record<string, unknown>>
  /** Further top-level keys: networks. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Files that the container reads only once, at its start: it is recreated when one of these checksums changes. */
  readonly startedWith?: readonly string[]
  /** The checksum for the label of the container; by default that of all of the service. */
  readonly checksum?: string
  /** The folder with its data: a container whose data is gone is not started again, which would begin with none. */
  readonly data?: string
  /** What else changes when the container starts. */
  readonly whenStarted?: readonly Prediction[]
}

/** How long a container may take to be healthy, in seconds. */
const composeTimeout = 120

/** The compose file, and the container that runs as the file says. */
export function composeProject(project: Project): Resource[] {
  const { text, checksum } = composeFile(project)
  const path = `${project.folder}/compose.yaml`
  return [directory(project.folder), unlikeContainer(project.name, path, text), container(project, path, checksum)]
}

/** The compose file. After it was edited by hand and applied, the label of the container still has our checksum. */
function unlikeContainer(name: string, path: string, text: string): Resource {
  const validate = { tool: 'docker', script: (candidate: Script) => sh`docker compose -f ${candidate} config --quiet` }
  const inner = file(path, { content: text, validate })
  const sha256 = sha256Of(text)
  const doubted = becomes(containerState(name), (now) => (now === 'absent' ? now : { ...now, config: '' }))
  return mapChanges(inner, (change, read) => {
    const there = read(fileState(path))
    const isEdited = there !== 'absent' && there.sha256 !== sha256
    return isEdited ? { ...change, predicts: [...(change.predicts ?? []), doubted] } : change
  })
}

function container({ name, service, data, whenStarted = [] }: Project, path: string, checksum: string): Resource {
  const now = containerState(name)
  const image = String(service.image)
  const after = becomes(now, (before) => {
    const { networks = undefined, ...kept } = before === 'absent' ? { memoryMB: 0, cpus: 0, restart: 'always' } : before
    const isMadeAnew = before === 'absent' || before.config !== checksum
    // One that is made anew is on the networks of its compose file, and on no other.
    return {
      ...kept,
      ...(networks !== undefined && !isMadeAnew && { networks }),
      ...{ status: 'running', health: service.healthcheck ? 'healthy' : '', config: checksum },
    }
  })
  return resource({
    id: `container:${name}`,
    wants: checksum,
    reads: { now, image: imageState(image) },
    plan: ({ now: state, image: held }) => {
      if (held === 'absent')
        throw new HostError(`container ${name}: there is no image ${image}, and nothing in this playbook provides it`)
      const change = (summary: string, before: Script = sh`:`) => {
        const script = sh`${before}
          ${composeUp(name, path)}`
        return [{ summary, script, long: true, predicts: [after, ...whenStarted] }]
      }
      if (state === 'absent') return change('create')
      const [lost] = state.stale ?? []
      if (data !== undefined && state.stale?.includes(data))
        throw new HostError(
          `container ${name} runs on what was in ${data}, which is gone: move it back, or save what the container still holds, then docker stop ${name}; the next run begins with no data, and restore.ts brings it from a backup`,
        )
      if (state.config !== checksum) return change('recreate, as its compose.yaml says')
      // Compose takes a container that waits for its next restart for a running one.
      const ended = state.status === 'restarting' ? sh`docker stop ${name}` : sh`:`
      if (state.status !== 'running') return change(`start, since it is ${state.status}`, ended)
      if (lost !== undefined)
        return change(`restart, since ${lost} is not the folder that it has mounted`, sh`docker restart ${name}`)
      // Docker itself only reports it.
      if (state.health === 'unhealthy') return change('restart, since it is unhealthy', sh`docker restart ${name}`)
      return []
    },
  })
}

/** Starts a project and waits until it is healthy; where it does not become so, the end of its log is the error. */
export function composeUp(name: string, path: string): Script {
  return sh`
    docker compose -f ${path} up --detach --wait --wait-timeout ${composeTimeout} --remove-orphans --no-build --pull never --quiet-pull 2>&1 || {
      docker container inspect --format 'state {{.State.Status}}, exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}, restarts {{.RestartCount}}' ${name} || :
      docker container inspect --format '{{with .State.Health}}{{range .Log}}{{.Output}}{{end}}{{end}}' ${name} 2>/dev/null | tail -n 5
      docker logs --tail 20 ${name} 2>&1
      exit 1
    }`
}

/** The text of compose.yaml, and the checksum of everything in it that concerns the container. */
export function composeFile(project: Project): { text: string; checksum: string } {
  const { name, service, more = {}, startedWith = [] } = project
  // Not `unless-stopped`: a container that was stopped once, or only sent a signal, would not start at the next boot.
  const plain = { name, ...more, services: { [name]: { container_name: name, restart: 'always', ...service } } }
  const everything = JSON.stringify([plain, startedWith])
  const checksum = project.checksum ?? sha256Of(everything).slice(0, 16)
  const labelled = { ...service, labels: { ...(service.labels as object), [configLabel]: checksum } }
  const whole = { ...plain, services: { [name]: { ...plain.services[name], ...labelled } } }
  return { text: composeText(whole), checksum }
}

/** What compose(5) describes, as a file of ours. */
export function composeText(whole: object): string {
  return `# Written by botgarden; changes made here are overwritten.\n${stringify(whole)}`
}

/** A bind mount of a folder of the host, by default at the same path. The folder must exist: Docker does not create it. */
export function mount(source: string, target = source, { writable = false } = {}): Record<string, unknown> {
  return { type: 'bind', source, target, read_only: !writable, bind: { create_host_path: false } }
}

/** The restrictions of every container of ours: no capabilities, and a read-only root file system. */
export const hardened = {
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
} as const
