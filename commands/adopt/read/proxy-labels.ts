import type { ComposeService } from './compose-service.ts'
import type { Found } from './finding.ts'
import { type Proxied, plainly } from './proxied.ts'

/** What the labels of a service ask Traefik or Caddy for, and its variables nginx-proxy. */
export function proxyLabels(service: ComposeService, variables: (text: string) => string): readonly Proxied[] {
  const labels = service.labels.map(({ value, from }) => {
    const [, name = '', said = ''] = /^([^=]*)=?(.*)$/s.exec(value) ?? []
    return { name: name.trim(), value: said.trim(), from }
  })
  if (labels.some(({ name, value }) => name === 'traefik.enable' && value === 'false')) return []
  return [...ofTraefik(service, labels), ...ofCaddy(service, labels), ...ofNginxProxy(service, variables)].slice(0, 50)
}

interface Label extends Found<string> {
  readonly name: string
}

function ofTraefik({ name: host }: ComposeService, labels: readonly Label[]): Proxied[] {
  const port = portIn(labels, /^traefik\.http\.services\..*\.loadbalancer\.server\.port$/)
  return labels
    .filter(({ name }) => /^traefik\.http\.routers\.[^.]+\.rule$/.test(name))
    .flatMap(({ name, value, from }) => {
      const router = name.split('.')[3]
      const worn = labels.find((each) => each.name === `traefik.http.routers.${router}.middlewares`)?.value ?? ''
      const strange = worn
        .split(',')
        .map((each) => each.trim().replace(/@.*$/, ''))
        .find((each) => each !== '' && !isHarmless(each, labels))
      const strips = worn !== '' && labels.some((each) => /\.stripprefix(regex)?\./i.test(each.name))
      const paths = quotedIn(value, /\bPath(?:Prefix)?\(([^)]*)\)/g)
      return (paths.length === 0 ? ['/'] : paths).map((path) => ({
        ...{ ...plainly, names: quotedIn(value, /\bHost\(([^)]*)\)/g), path: trimmed(path) },
        ...{ target: { host, port }, strips, from },
        guard:
          strange !== undefined
            ? `the middleware "${strange}"`
            : isPlain(value)
              ? undefined
              : `the rule ${value.slice(0, 100)}`,
      }))
    })
}

/** Of a middleware that is defined elsewhere only the name is known. */
function isHarmless(name: string, labels: readonly Label[]): boolean {
  const kinds = labels.flatMap((each) => {
    const [, kind] = /^traefik\.http\.middlewares\.[^.]+\.(\w+)/.exec(each.name) ?? []
    return kind !== undefined && each.name.split('.')[3] === name ? [kind.toLowerCase()] : []
  })
  const harmless =
    /^(redirectscheme|redirectregex|stripprefix(regex)?|addprefix|headers|compress|ratelimit|inflightreq|buffering|retry)$/
  if (kinds.length > 0) return kinds.every((kind) => harmless.test(kind))
  return /redirect|https|compress|gzip|headers?$|strip|cors|rate-?limit/i.test(name)
}

/** Whether a rule says no more than names, and paths of all of them. */
function isPlain(rule: string): boolean {
  const text = rule.replaceAll(/\b(Host|Path)(?:Prefix)?\([^)]*\)/g, '$1').replaceAll(/\s/g, '')
  return /^\(?Host(\|\|Host)*\)?(&&\(?Path(\|\|Path)*\)?)?$|^\(?Path(\|\|Path)*\)?(&&\(?Host(\|\|Host)*\)?)?$/.test(
    text,
  )
}

/** The texts between the quotes of each call. */
function quotedIn(rule: string, call: RegExp): string[] {
  return [...rule.matchAll(call)].flatMap(([, inside = '']) =>
    [...inside.matchAll(/[`"']([^`"']*)[`"']/g)].map(([, text = '']) => text),
  )
}

/** As of caddy-docker-proxy. */
function ofCaddy({ name: host }: ComposeService, labels: readonly Label[]): Proxied[] {
  const guard = labels.some(({ name }) => /^caddy(_\d+)?\..*(basic_?auth|forward_auth|remote_ip)/.test(name))
  return labels
    .filter(({ name }) => /^caddy(_\d+)?$/.test(name))
    .flatMap(({ name, value, from }) => {
      const inner = labels.filter((each) => each.name.startsWith(`${name}.`))
      const passed = inner.find((each) => /reverse_proxy$/.test(each.name))
      const said =
        /^(\/\S*)\s/.exec(passed?.value ?? '')?.[1] ?? inner.find((each) => /\.handle(_path)?$/.test(each.name))?.value
      const port = Number(
        /upstreams\s+(\d+)|:(\d+)/
          .exec(passed?.value ?? '')
          ?.slice(1)
          .find(Boolean) ?? Number.NaN,
      )
      return [
        {
          ...{ ...plainly, names: namesIn(value), path: trimmed(said ?? '/'), from },
          target: { host, port: Number.isNaN(port) ? undefined : port },
          strips: inner.some((each) => /\.handle_path$/.test(each.name)),
          guard: guard ? 'a password, or something like it' : undefined,
        },
      ]
    })
}

function ofNginxProxy({ name: host, environment }: ComposeService, filled: (text: string) => string): Proxied[] {
  const of = (key: string) => environment.find(({ name }) => name === key)
  const named = of('VIRTUAL_HOST') ?? of('LETSENCRYPT_HOST')
  if (named?.value === undefined) return []
  const port = Number(filled(of('VIRTUAL_PORT')?.value ?? '') || Number.NaN)
  const path = filled(of('VIRTUAL_PATH')?.value ?? '/')
  const target = { host, port: Number.isInteger(port) ? port : undefined }
  const strips = path !== '/' && filled(of('VIRTUAL_DEST')?.value ?? '') === '/'
  return [{ ...plainly, names: namesIn(filled(named.value)), path: trimmed(path), target, strips, from: named.from }]
}

function namesIn(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((each) => each.replace(/^https?:\/\//, '').replace(/[:/].*$/, ''))
    .filter(Boolean)
}

function portIn(labels: readonly Label[], test: RegExp): number | undefined {
  const port = Number(labels.find(({ name }) => test.test(name))?.value)
  return port > 0 && port < 65_536 ? port : undefined
}

/** `/api/*` is `/api`. */
function trimmed(path: string): string {
  return path.replace(/\*$/, '').replace(/\/+$/, '') || '/'
}
