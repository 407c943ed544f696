import type { IncomingMessage } from 'node:http'
import { ApiError, badRequest } from '../errors.ts'
import { bodyOf } from '../http.ts'

/** The arguments of a call, all as text, from any of the ways to pass them. */
export interface Arguments {
  readonly args: ReadonlyMap<string, string>
  /** Uploads, by the name of their form field. */
  readonly files: ReadonlyMap<string, string>
}

/** The parameters in the query and the body of a request: JSON, urlencoded or multipart. */
export async function readArguments(request: IncomingMessage): Promise<Arguments> {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const body = await bodyOf(request)
  if (body === undefined) throw new ApiError(413, 'Request Entity Too Large')
  const inBody = await parseBody(request.headers['content-type'] ?? '', body)
  return { args: new Map([...searchParams, ...inBody.args]), files: inBody.files }
}

/** The arguments in a body alone: a webhook may answer with one. */
export async function parseBody(type: string, body: Buffer): Promise<Arguments> {
  if (body.length === 0) return { args: new Map(), files: new Map() }
  if (type.startsWith('application/json')) return { args: parseJson(body.toString()), files: new Map() }
  if (/^(multipart\/form-data|application\/x-www-form-urlencoded)/.test(type)) return parseForm(type, body)
  return { args: new Map(), files: new Map() }
}

/** A whole number within limits, or the standard one if it is none: Telegram does not mind. */
export function integer(
  args: ReadonlyMap<string, string>,
  name: string,
  standard: number,
  [least, most] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
): number {
  const text = args.get(name) ?? ''
  return Math.min(most, Math.max(least, /^-?\d+$/.test(text) ? Number(text) : standard))
}

export function isTrue(text: string | undefined): boolean {
  return ['true', 'yes', '1'].includes(text?.toLowerCase() ?? '')
}

/** The JSON in an argument; undefined when there is none. */
export function json(args: ReadonlyMap<string, string>, name: string, complaint: string): unknown {
  const text = args.get(name)
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest(complaint)
  }
}

function parseJson(text: string): Map<string, string> {
  try {
    return new Map(
      Object.entries(JSON.parse(text))
        .filter(([, value]) => value !== null)
        .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    )
  } catch {
    throw badRequest("can't parse JSON object")
  }
}

async function parseForm(type: string, body: Buffer): Promise<Arguments> {
  const args = new Map<string, string>()
  const files = new Map<string, string>()
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } })
    .formData()
    .catch(() => undefined)
  if (form === undefined) throw badRequest("can't parse the form")
  for (const [name, value] of form) {
    if (typeof value === 'string') args.set(name, value)
    else files.set(name, await value.text())
  }
  return { args, files }
}
