import { isInside } from './rules.ts'

/** A rule of the operator, as ufw stores it in its files. */
interface Tuple {
  readonly route: boolean
  /** `allow`, `deny`, `reject`, `limit`. */
  readonly action: string
  readonly log: string | undefined
  readonly protocol: string
  readonly to: End
  readonly from: End
  readonly direction: string
  readonly interfaces: readonly string[]
}

interface End {
  readonly address: string
  readonly port: string
  readonly app: string | undefined
}

/** The arguments of `ufw` that delete this rule, for its own address family only. */
export function deleting(text: string): string[] {
  const { route, action, log, protocol, to, from, direction, interfaces } = parseTuple(text)
  const app = to.app ?? from.app
  return [
    ...(route ? ['route', 'delete', action] : ['delete', action]),
    ...(interfaces.length > 0 ? interfaces : route ? [] : [direction]),
    ...(log === undefined ? [] : [log]),
    ...(protocol === 'any' || app !== undefined ? [] : ['proto', protocol]),
    ...['from', from.address, ...portOf(from)],
    ...['to', to.address, ...portOf(to)],
  ]
}

/** The rule as it is shown to operators: the same for IPv4 and IPv6. */
export function describe(text: string): string {
  const { route, action, log, protocol, to, from, direction, interfaces } = parseTuple(text)
  const everywhere = ({ address }: End) => address === '0.0.0.0/0' || address === '::/0'
  const end = (name: string, each: End) =>
    everywhere(each) && each.port === 'any' && each.app === undefined
      ? []
      : [name, everywhere(each) ? 'any' : each.address, ...portOf(each)]
  const isPort = everywhere(to) && (to.port !== 'any' || to.app !== undefined) && from.port === 'any'
  const isPlain = isPort && !route && direction === 'in' && interfaces.length === 0
  const port = to.app ?? (protocol === 'any' ? to.port : `${to.port}/${protocol}`)
  return [
    ...(route ? ['route', action] : [action]),
    ...(isPlain ? [] : interfaces.length > 0 ? interfaces : [direction]),
    ...(log === undefined ? [] : [log]),
    ...(isPlain ? [port] : [protocol === 'any' ? [] : ['proto', protocol]].flat()),
    ...end('from', from),
    ...(isPlain ? [] : end('to', to)),
  ].join(' ')
}

/** Whether this rule lets in a connection to a port; undefined where it does not match. Where in doubt: no. */
export function verdict(text: string, port: number, client: string): boolean | undefined {
  const { route, action, protocol, to, from, direction, interfaces } = parseTuple(text)
  const isPort = to.port === 'any' || to.port.split(',').some((each) => isWithin(port, each))
  if (route || direction === 'out' || !['any', 'tcp'].includes(protocol) || !isPort) return undefined
  if (!isInside(client, from.address)) return undefined
  const allows = action === 'allow' || action === 'limit'
  const always = interfaces.length === 0 && /^(0\.0\.0\.0|::)\/0$/.test(to.address) && from.port === 'any'
  return allows && !always ? undefined : allows
}

function isWithin(port: number, range: string): boolean {
  const [first = '', last = first] = range.split(':')
  return port >= Number(first) && port <= Number(last)
}

function portOf({ port, app }: End): string[] {
  if (app !== undefined) return ['app', app]
  return port === 'any' ? [] : ['port', port]
}

/** `[route:]ACTION[_LOG] PROTOCOL PORT TO PORT FROM [APP-TO APP-FROM] DIRECTION`. */
function parseTuple(text: string): Tuple {
  const [kind = '', protocol = '', toPort = '', to = '', fromPort = '', from = '', ...rest] = text.split(' ')
  const [toApp, fromApp] =
    rest.length > 1 ? rest.map((name) => (name === '-' ? undefined : decodeURIComponent(name))) : []
  const [action = '', log] = kind.replace(/^route:/, '').split(/_(.*)/)
  const direction = rest.at(-1) ?? ''
  return {
    route: kind.startsWith('route:'),
    action,
    log,
    protocol,
    to: { address: to, port: toPort, app: toApp },
    from: { address: from, port: fromPort, app: fromApp },
    direction: direction.startsWith('out') ? 'out' : 'in',
    interfaces: direction.split('!').flatMap((each) => {
      const [way = '', name] = each.split(/_(.*)/)
      return name === undefined ? [] : [way, 'on', name]
    }),
  }
}
