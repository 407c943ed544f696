import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { rootCertificates } from 'node:tls'
import { badRequest } from '../errors.ts'
import type { Upload } from './upload.ts'

/** Fetches a file from a URL, as Telegram does where a bot sends one: through redirects, within 10 s. */
export async function download(url: string, authorities: readonly string[], redirects = 5): Promise<Upload> {
  const { status, headers, content } = await get(url, authorities).catch(() => {
    throw badRequest('failed to get HTTP URL content')
  })
  if (status >= 300 && status < 400 && headers.location !== undefined && redirects > 0)
    return download(new URL(headers.location, url).href, authorities, redirects - 1)
  if (status !== 200 || content.length === 0) throw badRequest('failed to get HTTP URL content')
  const type = headers['content-type']?.split(';')[0] ?? 'application/octet-stream'
  if (type === 'text/html') throw badRequest('wrong type of the web page content')
  return { name: decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? ''), type, content }
}

interface Got {
  readonly status: number
  readonly headers: { readonly location?: string | undefined; readonly 'content-type'?: string | undefined }
  readonly content: Buffer
}

function get(url: string, authorities: readonly string[]): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    const options = { ca: [...rootCertificates, ...authorities], signal: AbortSignal.timeout(10_000) }
    request(url, options, (response) => {
      const { statusCode: status = 0, headers } = response
      buffer(response).then((content) => resolve({ status, headers, content }), reject)
    })
      .on('error', reject)
      .end()
  })
}
