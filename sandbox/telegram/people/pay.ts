import { badRequest } from '../errors.ts'
import { startPayment } from '../state/payments.ts'
import type { Bot, Order } from '../state/state.ts'
import type { World } from '../state/world.ts'

/** What is paid: an invoice by its link, or without one the message with a pay button. */
export interface PayOrder {
  readonly link?: string
}

export function pay(
  world: World,
  bot: Bot,
  chat: number,
  { link }: PayOrder,
  messageId: number | undefined,
): number | undefined {
  const order =
    link === undefined ? orderShown(bot, chat, messageId) : bot.invoiceLinks[/\$([\w-]+)$/.exec(link)?.[1] ?? '']
  if (order === undefined) throw badRequest(link === undefined ? `chat ${chat} shows no invoice` : `no invoice ${link}`)
  return startPayment(world, bot, chat, order)
}

function orderShown(bot: Bot, chat: number, messageId: number | undefined): Order | undefined {
  return bot.log.findLast(
    ({ kind, order, ...each }) =>
      kind === 'message' && order && each.chat === chat && (messageId ?? each.message_id) === each.message_id,
  )?.order
}
