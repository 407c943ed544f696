import * as v from 'valibot'

const segment = String.raw`(?!\.\.?(?:/|$))[\w.~-]+`

/** The methods that a route may allow. */
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type Method = (typeof methods)[number]

const networkMessage = 'a network as ADDRESS/BITS, or an address'
const network = v.pipe(
  v.string(),
  v.regex(
    /^(\d{1,3}(\.\d{1,3}){3}(\/([12]?\d|3[0-2]))?|(?=.*:)[\da-f:]+(\/(\d\d?|1[01]\d|12[0-8]))?)$/,
    networkMessage,
  ),
  v.check(
    (text) => (text.split('/')[0] ?? '').split('.').every((part) => part.includes(':') || Number(part) <= 255),
    networkMessage,
  ),
  v.description(networkMessage),
)

/** One path of a bot that the internet may ask for, and what is behind it: the bot itself, a process of it, or files of its image. */
const routeKeys = v.strictObject({
  /** `/api` is also everything below it: `/api/…`. */
  path: v.pipe(
    v.string(),
    v.regex(new RegExp(`^(/|(/${segment})+)$`), 'a path like /app'),
    v.description('a path like /app'),
  ),
  /** The folder in the image whose files are served: absolute, or relative to the WORKDIR of the image. */
  static: v.optional(
    v.pipe(
      v.string(),
      v.regex(new RegExp(`^/?${segment}(/${segment})*$`), 'a folder in the image'),
      v.description('a folder in the image'),
    ),
  ),
  /** The process of the bot that answers. */
  process: v.optional(v.string()),
  /** true: a path that is no file gets index.html, unless it looks like the name of a file. */
  spa: v.optional(v.boolean()),
  methods: v.optional(v.pipe(v.array(v.picklist(methods)), v.minLength(1))),
  /** The largest body of a request. Left out: 1m. */
  body: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}[kmg]$/, 'a size like 10m'), v.description('a size like 10m')),
  ),
  /** Requests a second of one client. Left out: 50. */
  rate: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000), v.description('a number of requests a second')),
  ),
  /** The networks that may ask for it. Left out: all. */
  from: v.optional(v.pipe(v.array(network), v.minLength(1))),
  websocket: v.optional(v.boolean()),
})

export const publicKeys = {
  /** The paths that the internet may ask for, besides the webhook. */
  public: v.optional(v.array(routeKeys)),
  /** true: its pages may be on the name of the host, where they share an origin with those of all its other bots. */
  shareOrigin: v.optional(v.boolean()),
}
