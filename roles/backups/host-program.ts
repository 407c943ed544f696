import { readFileSync } from 'node:fs'
import type { Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { lines, sh } from '../../lib/shell/sh.ts'
import { Secret } from '../../lib/std/secret.ts'
import { programDir } from './paths.ts'
import { recipientsOf } from './recipients.ts'
import type { Settings } from './settings.ts'

const written = '# Written by botgarden; changes made here are overwritten.'

/** What cron runs on the host, the settings that it reads, and whom it encrypts for. */
export function program(settings: Settings, host: string, recipients: readonly string[]): Resource[] {
  return [
    file(`${programDir}/recipients`, {
      content: `${[written, ...recipientsOf(recipients)].join('\n')}\n`,
      validate: { tool: 'age', script: (path) => sh`age --encrypt --recipients-file ${path} </dev/null >/dev/null` },
    }),
    file(`${programDir}/settings`, { content: `${settingsText(settings, host)}\n`, mode: '0600' }),
    ...['rows.awk', 'retention.awk'].map((name) => file(`${programDir}/${name}`, { content: textOf(name) })),
    file(`${programDir}/parts.sh`, {
      content: textOf('parts.sh'),
      validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
    }),
    file(`${programDir}/backup`, {
      content: textOf('backup.sh'),
      mode: '0755',
      validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
    }),
  ]
}

function settingsText({ keep, minFree, timeLimit, alert }: Settings, host: string): string {
  const { command = '', url = '' } = alert
  // What alerts is often a secret by itself: known as one, it is hidden wherever this file is shown.
  for (const each of [command, url]) new Secret(each)
  return lines([
    { text: written, shown: written },
    sh`host=${host}`,
    sh`daily=${keep.daily} weekly=${keep.weekly} monthly=${keep.monthly}`,
    sh`min_free=${minFree} limit=${timeLimit}`,
    sh`alert_command=${command}`,
    sh`alert_url=${url}`,
  ]).text
}

function textOf(name: string): string {
  return readFileSync(new URL(`templates/${name}`, import.meta.url), 'utf8')
}
