import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

export interface WebRequest {
  readonly address: string
  readonly port: number
  /** The name that is asked for. */
  readonly name: string
  readonly path: string
  readonly secure?: boolean
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What a server answers: a status and where it leads to; `closed`: it hung up. */
export type WebAnswer = { readonly status: number; readonly location?: string } | 'closed'

/** One request to an address, under a name. Strangers are limited to a few requests a second: then it comes again. */
export async function webAnswer(asked: WebRequest): Promise<WebAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = await once(asked)
    if (answer === 'closed' || answer.status !== 429 || tries === 8) return answer
    await pause(400)
  }
}

function once({
  address,
  port,
  name,
  path,
  secure = false,
  method = 'GET',
  headers,
  body,
}: WebRequest): Promise<WebAnswer> {
  return new Promise((resolve) => {
    const isDefault = port === (secure ? 443 : 80)
    const options = {
      ...{ host: address, port, path, method, agent: false, timeout: 8000 },
      ...{ headers: { host: isDefault ? name : `${name}:${port}`, ...headers } },
    }
    const isName = !/^[\d.]+$|:/.test(name)
    const sent = secure
      ? secureRequest({ ...options, rejectUnauthorized: false, ...(isName && { servername: name }) })
      : plainRequest(options)
    sent.once('timeout', () => sent.destroy(new Error('no answer')))
    sent.once('error', () => resolve('closed'))
    sent.once('response', (response) => {
      const { statusCode: status = 0, headers: got } = response
      response.destroy()
      resolve({ status, ...(got.location !== undefined && { location: got.location }) })
    })
    sent.end(body)
  })
}
