// What the three programs share: the server, and the queue that they hand each other work by.
import { Queue } from 'bullmq'
import IORedis from 'ioredis'

export const connection = new IORedis(process.env.REDIS_URL, { maxRetriesPerRequest: null })
export const queueName = 'work'
export const queue = new Queue(queueName, { connection })

/** Ends the program when it is told to, after what it has begun. */
export function endWith(finish) {
  process.once('SIGTERM', async () => {
    await finish()
    await queue.close()
    connection.disconnect()
    process.exit(0)
  })
}
