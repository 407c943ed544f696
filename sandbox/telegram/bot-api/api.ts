import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from '../errors.ts'
import { hangUp, sendJson } from '../http.ts'
import { botWith } from '../state/bots.ts'
import type { World } from '../state/world.ts'
import { readArguments } from './arguments.ts'
import { sendContent } from './files.ts'
import { run } from './methods.ts'

/** The Bot API: `/bot<TOKEN>/<method>`, by GET or POST, and `/file/bot<TOKEN>/<path>`. */
export async function handleApi(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const signal = hangUp(response)
  try {
    const path = pathOf(request)
    const [, owner, file] = /^\/file\/bot([^/]+)\/(.+)$/.exec(path) ?? []
    if (owner !== undefined && file !== undefined) return await sendContent(world, owner, file, response)
    const [, token, method] = /^\/bot([^/]+)\/([^/]+)/.exec(path) ?? []
    if (token === undefined || method === undefined) throw new ApiError(404, 'Not Found')
    const { args, files } = await readArguments(request)
    const bot = botWith(world.state, token)
    if (bot === undefined) throw new ApiError(401, 'Unauthorized')
    const { result, description } = await run(method, { world, bot, args, files, signal })
    sendJson(response, 200, { ok: true, result, ...(description !== undefined && { description }) })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    sendError(response, error)
  }
}

function pathOf(request: IncomingMessage): string {
  try {
    return decodeURIComponent((request.url ?? '').replace(/\?.*/s, ''))
  } catch {
    throw new ApiError(404, 'Not Found')
  }
}

function sendError(response: ServerResponse, { code, message, retryAfter }: ApiError): void {
  const parameters = retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } }
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  sendJson(response, code, { ok: false, error_code: code, description: message, ...parameters }, headers)
}
