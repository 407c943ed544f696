import { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'

/** What a server shows who asks for a name. */
export type Handshake =
  | { readonly refused: string }
  | {
      readonly certificate: X509Certificate
      /** Those behind it, as it has sent them. */
      readonly chain: readonly X509Certificate[]
      /** Why no public authority vouches for it; undefined where one does. */
      readonly untrusted?: string
    }

/** Shakes hands with a server, and believes nothing: what it shows is judged by the caller. */
export function handshake(address: string, port: number, name: string, within = 8000): Promise<Handshake> {
  return new Promise((resolve) => {
    const isAddress = /^[\d.]+$|:/.test(name)
    const socket = connect({
      ...{ host: address, port, rejectUnauthorized: false },
      ...(!isAddress && { servername: name }),
      checkServerIdentity: () => undefined,
    })
    const end = (result: Handshake) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => end({ refused: 'no answer' }), within)
    socket.once('error', (error: NodeJS.ErrnoException) => end({ refused: error.code ?? error.message }))
    socket.once('secureConnect', () => {
      const shown = chainOf(socket.getPeerCertificate(true))
      const [certificate, ...chain] = shown
      if (certificate === undefined) return end({ refused: 'it shows no certificate' })
      const untrusted = socket.authorized ? undefined : String(socket.authorizationError)
      end({ certificate, chain, ...(untrusted !== undefined && { untrusted }) })
    })
  })
}

interface Shown {
  readonly raw?: Buffer
  readonly issuerCertificate?: Shown
}

/** A certificate at the end of a chain is its own issuer. */
function chainOf(first: Shown): X509Certificate[] {
  const found: X509Certificate[] = []
  const seen = new Set<Shown>()
  for (let each: Shown | undefined = first; each?.raw && !seen.has(each); each = each.issuerCertificate) {
    seen.add(each)
    found.push(new X509Certificate(each.raw))
  }
  return found
}
