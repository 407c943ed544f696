import type { ServerResponse } from 'node:http'
import { ApiError, badRequest } from '../errors.ts'
import { botWith } from '../state/bots.ts'
import type { World } from '../state/world.ts'
import { type Answer, answer, type Call } from './call.ts'

/** Bytes of the largest file that a bot can download. */
const most = 20 * 2 ** 20

export async function getFile({ bot, args }: Call): Promise<Answer> {
  const file = bot.files[args.get('file_id') ?? '']
  if (file === undefined) throw badRequest('invalid file_id')
  if (file.size > most) throw badRequest('file is too big')
  const { file_id, file_unique_id, size: file_size, path: file_path } = file
  return answer({ file_id, file_unique_id, file_size, file_path })
}

/** The content of a file at `/file/bot<TOKEN>/<file_path>`. */
export async function sendContent(world: World, token: string, path: string, response: ServerResponse): Promise<void> {
  const bot = botWith(world.state, token)
  if (bot === undefined) throw new ApiError(401, 'Unauthorized')
  const file = Object.values(bot.files).find((each) => each.path === path)
  const content = file && (await world.contents.get(file.file_unique_id))
  if (content === undefined) throw new ApiError(404, 'Not Found')
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length })
  response.end(content)
}
