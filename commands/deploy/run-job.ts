import { onInterrupt } from '../../lib/cli/main.ts'
import type { Session } from '../../lib/cli/session.ts'
import { noteEvent } from '../../lib/engine/events.ts'
import { lockRequestOf } from '../../lib/engine/host-lock.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { runDir } from '../../lib/model/host-layout.ts'
import { stripControl } from '../../lib/report/status-lines.ts'
import { waiting } from '../../lib/shell/deadline.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { stream } from '../../lib/ssh/exec.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { writeOut } from '../../lib/std/output.ts'
import { jobLayout } from '../../roles/bot/jobs/layout.ts'
import { byLine } from './by-line.ts'
import { jobsOnHost, refuseUnknown } from './jobs.ts'

const functions = shellFile(new URL('run-job.sh', import.meta.url))

/** Runs a job of a bot now, and shows what it prints. Returns 0, or 3 where it failed; throws a `HostError` where it runs already. */
export async function runJob(session: Session, host: InventoryHost, bot: string, job: string): Promise<number> {
  if (session.options.check)
    throw new UsageError('--run starts the job, and --check changes nothing: leave one of them out')
  return session.connected(host, async (connection) => {
    refuseUnknown(bot, job, await jobsOnHost(bot, connection))
    const done = onInterrupt(
      () => `${host.name}: the job ${job} of ${bot} goes on there: npx zx playbooks/bot.ts --name ${bot} --jobs`,
    )
    const lines = byLine((line) => writeOut(stripControl(line)))
    try {
      const status = await stream(connection, runScript(bot, job), lines.take)
      lines.end()
      if (status === 9)
        throw new HostError(`${host.name}: the job ${job} of ${bot} runs already, and a second one is not started`)
      return status === 0 ? 0 : 3
    } finally {
      done()
    }
  })
}

/** Shell text: runs a job, as its timer does. */
export function runScript(bot: string, job: string): Script {
  return sh`
    scratch=${runDir}/tmp
    ${waiting}
    ${functions}
    ${noteEvent(lockRequestOf('bot', false), `job:${bot}/${job}`, 'run by hand')}
    run_job ${jobLayout(bot, job).unit}`
}
