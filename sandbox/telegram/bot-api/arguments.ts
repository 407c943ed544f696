import type { IncomingMessage } from 'node:http'
import { ApiError, badRequest } from '../errors.ts'
import type { Upload } from '../files/upload.ts'
import { bodyOf } from '../http.ts'

/** The arguments of a call, all as text, from any of the ways to pass them. */
export interface Arguments {
  readonly args: ReadonlyMap<string, string>
  /** Uploads, by the name of their form field. */
  readonly files: ReadonlyMap<string, Upload>
}

/** Bytes of a whole request: a file of 50 MB, and some words around it. */
const longest = 51 * 2 ** 20

/** The parameters in the query and the body of a request: JSON, urlencoded or multipart. */
export async function readArguments(request: IncomingMessage): Promise<Arguments> {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const body = await bodyOf(request, longest)
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

/** The members of an object as arguments: what is no text is JSON. */
export function argumentsIn(value: object): Map<string, string> {
  return new Map(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== undefined)
      .map(([name, each]) => [name, typeof each === 'string' ? each : JSON.stringify(each)]),
  )
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

/** The list in an argument; empty when there is none. */
export function list(args: ReadonlyMap<string, string>, name: string): unknown[] {
  const value = json(args, name, `can't parse ${name} JSON object`) ?? []
  if (!Array.isArray(value)) throw badRequest(`expected an Array in ${name}`)
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(text: string): Map<string, string> {
  try {
    // `null` is what some clients send where there are no arguments.
    return argumentsIn(JSON.parse(text) ?? {})
  } catch {
    throw badRequest("can't parse JSON object")
  }
}

async function parseForm(type: string, body: Buffer): Promise<Arguments> {
  const args = new Map<string, string>()
  const files = new Map<string, Upload>()
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } })
    .formData()
    .catch(() => undefined)
  if (form === undefined) throw badRequest("can't parse the form")
  for (const [name, value] of form) {
    if (typeof value === 'string') args.set(name, value)
    else files.set(name, { name: value.name, type: value.type, content: Buffer.from(await value.arrayBuffer()) })
  }
  return { args, files }
}
