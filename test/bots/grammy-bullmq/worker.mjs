// Does the jobs: it answers messages, and notes each turn of the scheduler. CRASH_AFTER has it end by itself, as a test wants it.
import { Worker } from 'bullmq'
import { Bot } from 'grammy'
import { connection, endWith, queueName } from './queue.mjs'

const bot = new Bot(process.env.BOT_TOKEN)
const jobs = {
  answer: ({ chat, text }) => bot.api.sendMessage(chat, `worker: ${text}`),
  turn: ({ second }) => connection.hincrby('turns', second, 1),
}
const worker = new Worker(queueName, ({ name, data }) => jobs[name](data), { connection: connection.duplicate() })
endWith(() => worker.close())

const seconds = Number(process.env.CRASH_AFTER)
if (seconds > 0)
  setTimeout(() => {
    process.stderr.write('worker: out of luck\n')
    process.exit(7)
  }, seconds * 1000)
