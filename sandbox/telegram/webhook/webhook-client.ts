import { X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import { isIP } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type ConnectionOptions, connect, type PeerCertificate } from 'node:tls'
import type { Webhook } from '../state/state.ts'

export interface Reply {
  readonly status: number
  readonly reason: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

/** Where to connect to, and the root certificates to trust there. */
export interface Peer {
  readonly url: URL
  readonly ip: string
  readonly ca: readonly string[]
  readonly certificate: string | null
}

export function peerOf({ url, ip, certificate }: Webhook, ca: readonly string[]): Peer {
  const full = new URL(/^https:/i.test(url) ? url : `https://${url}`)
  return { url: full, ip, certificate, ca: certificate === null ? ca : [certificate] }
}

/** What keeps the connections to a webhook. */
export function agentFor(webhook: Webhook): Agent {
  // The check of the name belongs here: one that comes with a request makes Node open a connection for each. A resumed
  // session would look at no certificate at all.
  return new Agent({ keepAlive: true, maxCachedSessions: 0, checkServerIdentity: nameCheck(peerOf(webhook, [])) })
}

/** Sends an update to a webhook. What goes wrong on the way is an error in Telegram's words. */
export async function post(peer: Peer, { agent, secret, body, seconds, signal }: PostOptions): Promise<Reply> {
  const { url } = peer
  const late = AbortSignal.timeout(Math.ceil(seconds * 1000))
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const sent = request({
        ...tlsOptions(peer),
        agent,
        method: 'POST',
        path: `${url.pathname}${url.search}`,
        auth: url.username === '' ? undefined : decodeURIComponent(`${url.username}:${url.password}`),
        headers: {
          host: url.host,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          ...(secret !== '' && { 'x-telegram-bot-api-secret-token': secret }),
        },
        signal: AbortSignal.any([signal, late]),
      })
      sent.on('error', reject)
      sent.on('response', (response) => {
        const { statusCode: status = 0, statusMessage: reason = '', headers } = response
        buffer(response).then((whole) => resolve({ status, reason, headers, body: whole }), reject)
      })
      sent.end(body)
    })
  } catch (error) {
    throw new Error(late.aborted ? 'Read timeout expired' : wordsOf(error as NodeJS.ErrnoException), { cause: error })
  }
}

interface PostOptions {
  readonly agent: Agent
  readonly secret: string
  readonly body: string
  readonly seconds: number
  readonly signal: AbortSignal
}

/** Connects as for an update and hangs up: the error that an update would meet, or undefined. */
export function probe(peer: Peer, seconds: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { ...tlsOptions(peer), checkServerIdentity: nameCheck(peer) }
    const socket = connect(options, () => done(undefined))
    const done = (error: string | undefined) => {
      socket.destroy()
      resolve(error)
    }
    socket.setTimeout(seconds * 1000, () => done('Connection timed out'))
    socket.on('error', (error) => done(wordsOf(error)))
  })
}

function tlsOptions({ url, ip, ca }: Peer) {
  return {
    host: ip,
    port: Number(url.port || 443),
    // For an address no name is sent: nginx shows what its default server has.
    servername: isIP(url.hostname) ? '' : url.hostname,
    ca: [...ca],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  } satisfies ConnectionOptions
}

/** With an uploaded certificate the host is a name even if it is an address: it has to be in CN or as DNS:…, not as IP:…. */
function nameCheck({ url: { hostname }, certificate: uploaded }: Peer) {
  return (_: string, { raw }: PeerCertificate): Error | undefined => {
    const certificate = new X509Certificate(raw)
    const matches =
      isIP(hostname) && uploaded === null ? certificate.checkIP(hostname) : certificate.checkHost(hostname)
    if (matches !== undefined) return undefined
    return Object.assign(new Error(`the certificate is not for ${hostname}`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  }
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ETIMEDOUT: 'Connection timed out',
  ECONNRESET: 'Connection reset by peer',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  EPIPE: 'Broken pipe',
}

function wordsOf({ code = '', message }: NodeJS.ErrnoException): string {
  const known = words[code]
  if (known !== undefined) return known
  const ssl = /error:[0-9A-F]{8}:[^:]*:[^:]*:[^:\n]*/i.exec(message)?.[0]
  if (ssl !== undefined) return `SSL error {${ssl}}`
  // What OpenSSL finds wrong with a certificate Node tells by codes of its own; Telegram has one text for all of them.
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED|CRL|HOSTNAME|INVALID_CA|INVALID_PURPOSE/.test(code))
    return 'SSL error {error:0A000086:SSL routines::certificate verify failed}'
  return code === '' ? message : `${message} (${code})`
}
