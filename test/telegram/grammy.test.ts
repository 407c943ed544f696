import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, pixel, telegram, until } from './support.ts'

test.after.each(endAll)

interface Context {
  readonly message: { readonly text: string }
  reply(text: string, options?: object): Promise<unknown>
  answerCallbackQuery(text: string): Promise<unknown>
  editMessageText(text: string): Promise<unknown>
  replyWithPhoto(file: object, options: object): Promise<unknown>
  replyWithMediaGroup(media: object[]): Promise<unknown>
}
interface Bot {
  command(name: string, run: (context: Context) => unknown): void
  on(kind: string, run: (context: Context) => unknown): void
  start(): Promise<void>
  stop(): Promise<void>
}
interface Grammy {
  readonly Bot: new (token: string, options: object) => Bot
  readonly InputFile: new (content: Buffer, name: string) => object
}

// The bots bring it along; by a name that is no literal, since the types need not be there.
const name = 'grammy'
const grammy: Grammy | undefined = await import(name).catch(() => undefined)
const when = grammy === undefined ? test.skip : test

when('a bot made with grammY polls, answers, and takes presses', async () => {
  const { client, token, apiRoot } = await telegram()
  if (grammy === undefined) return
  const bot = new grammy.Bot(token, { client: { apiRoot } })
  const buttons = { reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] } }
  bot.command('start', (context) => context.reply('hello', buttons))
  bot.on('callback_query:data', async (context) => {
    await context.answerCallbackQuery('noted')
    await context.editMessageText('you said yes')
  })
  const running = bot.start()
  await client.act('hello-bot', { chat: 7, text: '/start' })
  const texts = async () => (await client.chat('hello-bot', 7)).map(({ text }) => text)
  await until(async () => (await texts()).includes('hello'))
  await client.act('hello-bot', { chat: 7, data: 'yes' })
  await until(async () => (await texts()).includes('you said yes'))
  assert.ok((await texts()).includes('noted'))
  await bot.stop()
  await running
})

when('a bot made with grammY uploads a photo and an album', async () => {
  const { client, token, apiRoot } = await telegram()
  if (grammy === undefined) return
  const { Bot, InputFile } = grammy
  const bot = new Bot(token, { client: { apiRoot } })
  bot.command('photo', (context) => context.replyWithPhoto(new InputFile(pixel, 'a.png'), { caption: 'one' }))
  bot.command('album', (context) =>
    context.replyWithMediaGroup(['1', '2'].map((name) => ({ type: 'photo', media: new InputFile(pixel, name) }))),
  )
  const running = bot.start()
  await client.actAll('hello-bot', [
    { chat: 7, text: '/photo' },
    { chat: 7, text: '/album' },
  ])
  const photos = async () => (await client.chat('hello-bot', 7)).filter(({ content }) => content?.photo)
  await until(async () => (await photos()).length === 3)
  assert.is((await photos())[0]?.text, 'one')
  await bot.stop()
  await running
})

test.run()
