import { badRequest } from '../errors.ts'
import { messageIn, messageOf, rewrite } from '../state/chats.ts'
import type { Entry } from '../state/state.ts'
import { integer, json } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { parseKeyboard } from './keyboard.ts'
import { mediaIn } from './media.ts'
import { chatOf } from './send.ts'
import { captionOf, textOf } from './text.ts'

type Now = Pick<Entry, 'text' | 'entities' | 'content'>

export async function editMessageText(call: Call): Promise<Answer> {
  const now = textOf(call.args)
  return edit(call, ({ content }) => {
    if (content !== undefined) throw badRequest('there is no text in the message to edit')
    return now
  })
}

export async function editMessageCaption(call: Call): Promise<Answer> {
  const now = captionOf(call.args)
  return edit(call, ({ content }) => {
    if (content === undefined || !hasCaption(content)) throw badRequest('there is no caption in the message to edit')
    return { ...now, content }
  })
}

export async function editMessageMedia(call: Call): Promise<Answer> {
  const media = json(call.args, 'media', "can't parse input media JSON object")
  const { text, entities, content } = await mediaIn(call, media)
  return edit(call, (old) => {
    if (old.content !== undefined && !hasCaption(old.content)) throw badRequest("message can't be edited")
    return { text, entities, content }
  })
}

export async function editMessageReplyMarkup(call: Call): Promise<Answer> {
  return edit(call, ({ text, entities, content }) => ({
    ...{ text, ...(entities && { entities }) },
    ...(content && { content }),
  }))
}

/** The message that a call is about: by its chat and id, or by the id of a message that came by inline mode. */
function edit(call: Call, change: (old: Entry) => Now): Answer {
  const { world, bot, args } = call
  const keyboard = parseKeyboard(args)
  const old = editable(call)
  const now = change(old)
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
  const said = ({ text, content }: Now) => ({ text, content })
  if (
    isSame(said(old), said(now)) &&
    isSame(old.entities ?? [], now.entities ?? []) &&
    isSame(old.keyboard, keyboard)
  ) {
    const same = 'specified new message content and reply markup are exactly the same as a current content'
    throw badRequest(`message is not modified: ${same} and reply markup of the message`)
  }
  const { keyboard: _, entities: __, content: ___, ...kept } = old
  const entry = rewrite(world, bot, old, { ...kept, ...now, ...(keyboard && { keyboard }), editedAt: Date.now() })
  return answer(old.inlineId === undefined ? messageOf(bot, entry) : true)
}

function editable(call: Call): Entry {
  const { bot, args } = call
  const inlineId = args.get('inline_message_id')
  if (inlineId) {
    const found = bot.log.findLast((each) => each.kind === 'message' && each.inlineId === inlineId)
    if (found === undefined) throw badRequest('MESSAGE_ID_INVALID')
    return found
  }
  const found = messageIn(bot, chatOf(call), integer(args, 'message_id', 0))
  if (found === undefined) throw badRequest('message to edit not found')
  if (found.from === 'user') throw badRequest("message can't be edited")
  return found
}

function hasCaption(content: NonNullable<Entry['content']>): boolean {
  return ['photo', 'document', 'video', 'audio', 'voice', 'animation'].some((kind) => kind in content)
}
