import { overlap } from '../../../../roles/bot/spec/routes.ts'
import { caddySites } from '../../read/caddyfile.ts'
import type { ComposeService } from '../../read/compose-service.ts'
import { nginxLocations } from '../../read/nginx-conf.ts'
import { nothing, type Proxied } from '../../read/proxied.ts'
import { proxyLabels } from '../../read/proxy-labels.ts'
import type { Repository } from '../../read/repository.ts'
import { interpolated } from '../interpolate.ts'
import type { Services } from '../services.ts'

const maxFiles = 10
/** More than any bot has; each is compared with the others. */
const maxPaths = 100

/** What proxies in front of the bot have open: by labels and variables of its services, and by their own files. */
export function proxiedPaths(
  { bot, others }: Services,
  { files, text }: Pick<Repository, 'files' | 'text'>,
  known: ReadonlyMap<string, string>,
): readonly Proxied[] {
  const fill = (said: string) => interpolated(said, known)
  const labelled = [...(bot === undefined ? [] : [bot]), ...others].flatMap((service) => proxyLabels(service, fill))
  const inFiles = [
    ...likely(files, isNginx).flatMap((file) => nginxLocations(fillVariables(text(file) ?? '', known), file)),
    ...likely(files, isCaddyfile).flatMap((file) => caddySites(text(file) ?? '', file, known)),
  ]
  return guardedBelow([...labelled, ...inFiles].slice(0, maxPaths)).map((each) => ({
    ...each,
    // Most proxies let every connection be upgraded.
    websocket: each.websocket || /\/(wss?|websockets?|socket\.io)(\/|$)/.test(each.path),
  }))
}

/** A path would open what is below it and leads to the same place: what is closed there must not be. */
function guardedBelow(all: readonly Proxied[]): readonly Proxied[] {
  return all.map((each) => {
    const { path, guard, target } = each
    const closed = all.find(
      (other) =>
        other.path !== path &&
        overlap(path, other.path) &&
        other.path.length > path.length &&
        (other.guard !== undefined || (other.allowed.length > 0 && path !== '/')) &&
        (other.target === nothing || placeOf(other.target) === placeOf(target)),
    )
    return guard !== undefined || closed === undefined
      ? each
      : { ...each, guard: `what closes ${closed.path === '/~' ? 'paths' : closed.path} below it (${closed.from})` }
  })
}

function placeOf(target: Proxied['target']): string {
  return 'folder' in target ? target.folder : target.host
}

/** A template has ${DOMAIN}; what nginx itself knows begins with small letters, and has no braces mostly. */
function fillVariables(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (found, name: string) => known.get(name) ?? found)
}

/** Of those for development none, where there are others. */
function likely(files: readonly string[], is: (path: string) => boolean): readonly string[] {
  const all = files.filter((path) => is(path) && path.split('/').length <= 4)
  const real = all.filter(
    (path) => !/(^|[/._-])(dev|develop|development|local|test|tests|example|sample|old)([/._-]|$)/i.test(path),
  )
  return (real.length > 0 ? real : all).slice(0, maxFiles)
}

function isNginx(path: string): boolean {
  return /(^|\/)([\w.-]*nginx[\w.-]*|default|site)\.conf(\.template)?$|(^|\/)nginx\/.*\.conf(\.template)?$/i.test(path)
}

function isCaddyfile(path: string): boolean {
  return /(^|\/)Caddyfile([.-][\w-]+)?$/.test(path)
}

/** The service that a proxy means by a host name. */
export function serviceNamed(host: string, { bot, others }: Services): ComposeService | undefined {
  return [...(bot === undefined ? [] : [bot]), ...others].find(
    ({ name, container }) => name === host || container === host,
  )
}
