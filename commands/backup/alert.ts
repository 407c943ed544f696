import { local, withInput } from '../../lib/shell/local.ts'
import { shown } from '../../lib/std/output.ts'
import type { BackupSettings } from '../../roles/backups/backup-settings.ts'
import { type BackupResult, faultLines } from './report.ts'

/** Sends an alert for faults that were found by this machine. A failed alert becomes a warning of the result. */
export async function alertHere(result: BackupResult, { alert }: BackupSettings): Promise<void> {
  const lines = faultLines(result)
  if (lines.length === 0) return
  const text = shown(`botgarden: backup of ${result.host}:\n${lines.join('\n')}\n`)
  if (alert.command !== undefined) {
    const { exitCode } = await withInput(local({ nothrow: true, timeout: '60s' })`sh -c ${alert.command}`, text)
    if (exitCode !== 0) result.warnings.push(`the alert command ended with exit code ${exitCode}`)
  }
  if (alert.url !== undefined) {
    const answer = await post(alert.url, text)
    if (answer !== '') result.warnings.push(`the alert could not be sent: ${answer}`)
  }
}

async function post(url: string, body: string): Promise<string> {
  try {
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(30_000) })
    return response.ok ? '' : `HTTP ${response.status}`
  } catch (error) {
    return (error as Error).message
  }
}
