import { startApp } from './app.ts'
import { readConfig } from './config.ts'
import { createLog, type Log } from './log.ts'
import { StartError } from './start-error.ts'

/** Docker sends SIGKILL after its grace period: whatever hangs must have ended before, with a code that tells of it. */
const hardLimitMs = 15_000

try {
  const config = readConfig(process.env)
  const log = createLog({ level: config.logLevel, secrets: config.secrets })
  endOnBugs(log)
  const app = await startApp(config, log)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping')
      armHardLimit(log)
      void app.stop()
    })
  }
  await app.ended
  await app.stop()
  log.info('stopped')
  process.exit(0)
} catch (error) {
  if (!(error instanceof StartError)) throw error
  process.stderr.write(`hello-bot: ${error.message}\n`)
  process.exit(1)
}

/** Node would end too, but print the error as it is, with whatever is in it. */
function endOnBugs(log: Log): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error) => {
      log.fatal({ err: error }, event)
      process.exit(1)
    })
  }
}

function armHardLimit(log: Log): void {
  setTimeout(() => {
    log.error('still not stopped: giving up')
    process.exit(1)
  }, hardLimitMs).unref()
}
