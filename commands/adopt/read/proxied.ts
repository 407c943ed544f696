/** A path of a name that a proxy has open to the internet, and what is behind it. */
export interface Proxied {
  /** Empty: any name. */
  readonly names: readonly string[]
  /** `/`: the whole name. */
  readonly path: string
  readonly target: ProxyTarget
  /** What is behind sees the path without this beginning. */
  readonly strips: boolean
  readonly websocket: boolean
  /** What is no file gets index.html. */
  readonly spa: boolean
  /** The largest body, as `20m`. */
  readonly body: string | undefined
  /** Networks that may ask. */
  readonly allowed: readonly string[]
  /** Something is asked of who comes, as a password, that is not known here. */
  readonly guard: string | undefined
  readonly from: string
}

export type ProxyTarget =
  | { readonly host: string; readonly port: number | undefined }
  /** A folder of the container of the proxy. */
  | { readonly folder: string }

/** Nothing is behind it: it is closed. */
export const nothing: ProxyTarget = { host: '', port: undefined }

export const plainly = {
  names: [] as readonly string[],
  strips: false,
  websocket: false,
  spa: false,
  body: undefined,
  allowed: [] as readonly string[],
  guard: undefined,
}

/** `http://api:8000/v1`, `api:8000`, `api`. */
export function hostAndPort(text: string): { host: string; port: number | undefined } | undefined {
  const [, host, port] = /^(?:https?:\/\/)?([\w.-]+)(?::(\d{1,5}))?(?:\/.*)?$/.exec(text) ?? []
  const number = Number(port)
  return host === undefined ? undefined : { host, port: number > 0 && number < 65_536 ? number : undefined }
}
