import { join } from 'node:path/posix'
import { overlap } from '../../../../roles/bot/spec/routes.ts'
import type { ComposeService } from '../../read/compose-service.ts'
import type { Found, Note } from '../../read/finding.ts'
import { nothing, type Proxied } from '../../read/proxied.ts'
import type { Repository } from '../../read/repository.ts'
import type { Build } from '../build.ts'
import { type Further, processNamed } from '../processes.ts'
import type { Services } from '../services.ts'
import type { Delivery } from '../webhook.ts'
import type { FrontEnd } from './front-end.ts'
import { inImage, isBuilt, mountedAt } from './image-paths.ts'
import { serviceNamed } from './proxied-paths.ts'
import type { FoundRoute } from './routes.ts'

/** What is known of a bot when its routes are looked for. */
export interface Sight {
  readonly repository: Repository
  readonly services: Services
  readonly build: Build
  readonly known: ReadonlyMap<string, string>
  readonly further: readonly Further[]
  readonly delivery: Delivery
  /** Where the bot listens, if that is known already. */
  readonly port: number | undefined
}

/** A route, what is to be said of it or why it is none, and where what it leads to listens: "" is the bot itself. */
export interface Outcome {
  readonly found?: FoundRoute
  readonly note?: Note
  readonly port?: readonly [process: string, port: Found<number>]
}

/** What becomes of a path that a proxy has open. */
export function routeOf(each: Proxied, sight: Sight, pages: readonly FrontEnd[]): Outcome {
  const { path, from, names, guard } = each
  const place = `${from}: ${path}${names.length === 0 ? '' : ` of ${names.join(', ')}`}`
  const limits = {
    ...(each.body !== undefined && { body: each.body }),
    ...(each.websocket && { websocket: true }),
    ...(each.allowed.length > 0 && { from: [...each.allowed] }),
  }
  if ('folder' in each.target) {
    if (guard !== undefined) return { note: guarded(place, guard) }
    if (isWritten(each.target.folder, sight.services))
      return {
        note: `${place} is files that the bot writes (${each.target.folder}): only files of its image are served without it, so have the bot answer there`,
      }
    const folder = staticFolder(each.target.folder, from, sight, pages)
    if (folder === undefined)
      return {
        note: `${place} is files of ${each.target.folder}, and the image of the bot has none that are known as these: have its Dockerfile copy or build them, and list them under "public:" as { path: ${path}, static: FOLDER${each.spa ? ', spa: true' : ''} }`,
      }
    const { from: networks } = limits
    return {
      found: {
        route: { path, static: folder, ...(each.spa && { spa: true }), ...(networks && { from: networks }) },
        names,
        from,
      },
    }
  }
  if (each.target === nothing) return {}
  const { host, port } = each.target
  const { service, port: inside } = serviceFor(host, port, sight.services)
  if (service === undefined && sight.services.bot !== undefined)
    return isBeside(host, sight.services)
      ? {}
      : {
          note: `${place} leads to ${host}${port === undefined ? '' : `:${port}`}, which is no service of the bot: not mapped`,
        }
  const further = service === sight.services.bot ? undefined : processNamed(sight.further, service?.name ?? '')
  if (further === undefined && service !== sight.services.bot)
    return { note: `${place} leads to "${service?.name}", which is not mapped: so nobody reaches it` }
  const name = further?.name ?? ''
  const listens = inside ?? service?.ports[0]?.value.port
  const listening = listens === undefined ? {} : { port: [name, { value: listens, from }] as const }
  if (further === undefined && isForUpdates(path, sight.delivery)) return listening
  if (guard !== undefined) return { note: guarded(place, guard) }
  const known = further === undefined ? sight.port : further.keys.port
  if (inside !== undefined && known !== undefined && inside !== known)
    return {
      note: `${place} leads to port ${inside} of "${service?.name ?? host}", which has one port here, ${known}: not mapped`,
    }
  if (listens === undefined && known === undefined && further !== undefined)
    return {
      note: `${place} leads to "${further?.name}", and where that listens is not said: set its "port:", and list the path under "public:"`,
    }
  const stripped = `the proxy takes ${path} off, and here the whole path comes: have it serve below ${path}`
  return {
    ...listening,
    found: {
      route: { path, ...(further !== undefined && { process: name }), ...limits },
      ...{ names, from: each.strips ? `${from}: ${stripped}` : from },
    },
    ...(each.strips && { note: `${place}: ${stripped}` }),
  }
}

function guarded(place: string, guard: string): Note {
  return `${place} is behind ${guard}, which there is none of here: not mapped, since everybody would reach it`
}

/** Whether a folder of the proxy is one of those that last. */
function isWritten(folder: string, { bot, known }: Services): boolean {
  const volumes = bot?.volumes.filter(({ value: { source = '' } }) => /^\w/.test(source)) ?? []
  const shared = known
    .flatMap(({ service }) => service.volumes)
    .filter(({ value }) => volumes.some((each) => each.value.source === value.source))
  return [...volumes, ...shared].some(({ value: { target } }) => isIn(folder, target.replace(/\/$/, '')))
}

/** The folder of the bot's image that has these files. */
function staticFolder(
  folder: string,
  from: string,
  { services, build, repository }: Sight,
  pages: readonly FrontEnd[],
): string | undefined {
  const mounted = [...services.known, ...services.foreign.map((service) => ({ service }))]
    .map(({ service }) => mountedAt(folder, service))
    .find((each) => each !== undefined)
  const built = pages.find(
    (each) =>
      each.static !== undefined &&
      (mounted === undefined ? from.startsWith(join(each.folder, '/')) : isIn(mounted, each.folder)),
  )
  if (built !== undefined && (mounted === undefined || isBuilt(mounted))) return built.static
  const hasFiles = mounted !== undefined && repository.files.some((file) => file.startsWith(`${mounted}/`))
  if (hasFiles) return inImage(mounted, build)
  // The proxy is in the image of the bot itself.
  const copy = build.image?.copies.find(({ target }) => target.replace(/\/$/, '') === folder && isBuilt(folder))
  const only = pages.filter((each) => each.static !== undefined)
  return copy === undefined ? (mounted === undefined && only.length === 1 ? only[0]?.static : undefined) : folder
}

function isIn(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** The service, and the port in its container. A proxy on the machine itself names the port there. */
function serviceFor(
  host: string,
  port: number | undefined,
  services: Services,
): { service: ComposeService | undefined; port: number | undefined } {
  const named = serviceNamed(host, services)
  if (named !== undefined || !/^(localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker\.internal)$/.test(host))
    return { service: named, port }
  const all = [...(services.bot === undefined ? [] : [services.bot]), ...services.others]
  const [found] = all.flatMap((service) =>
    service.ports.flatMap(({ value }) =>
      (value.onHost ?? value.port) === port ? [{ service, port: value.port }] : [],
    ),
  )
  return found ?? { service: undefined, port }
}

/** Something that is said already. */
function isBeside(host: string, { known, foreign }: Services): boolean {
  return [...known.map(({ service }) => service), ...foreign].some(
    ({ name, container }) => name === host || container === host,
  )
}

/** Telegram's updates have a path of their own, on the name of the host. */
function isForUpdates(path: string, { mode, path: own }: Delivery): boolean {
  if (mode.value !== 'webhook' || path === '/') return false
  return (
    (own !== undefined && overlap(own.value, path)) ||
    /^\/(tg|telegram|bot)?[/_-]?(web)?hooks?([/_-](tg|telegram|bot))?$|^\/(tg|telegram)$/i.test(path)
  )
}
