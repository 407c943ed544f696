// A job each second. It knows of no other scheduler: two at the same time would do each job twice. By `alive` that can be told.
import { hostname } from 'node:os'
import { connection, endWith, queue } from './queue.mjs'

const beat = setInterval(() => connection.xadd('alive', '*', 'who', hostname()), 50)
let timer
const next = () => {
  timer = setTimeout(
    async () => {
      const second = Math.floor(Date.now() / 1000)
      next()
      await queue.add('turn', { second }, { removeOnComplete: true })
    },
    1000 - (Date.now() % 1000) + 5,
  )
}
next()
endWith(async () => {
  clearInterval(beat)
  clearTimeout(timer)
})
