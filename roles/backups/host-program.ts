import { readFileSync } from 'node:fs'
import type { Resource } from '../../lib/model/resource.ts'
import { asOwner } from '../../lib/platform/as-owner.ts'
import { file } from '../../lib/resources/file.ts'
import { lines, sh } from '../../lib/shell/sh.ts'
import { Secret } from '../../lib/std/secret.ts'
import type { BackupSettings } from './backup-settings.ts'
import { programDir } from './paths.ts'
import { recipientsOf } from './recipients.ts'

const header = '# Written by botgarden; changes made here are overwritten.'

/** The backup program on the host: what cron runs, its settings, and the recipients that it encrypts for. */
export function program(settings: BackupSettings, host: string, recipients: readonly string[]): Resource[] {
  return [
    file(`${programDir}/recipients`, {
      content: `${[header, ...recipientsOf(recipients)].join('\n')}\n`,
      validate: { tool: 'age', script: (path) => sh`age --encrypt --recipients-file ${path} </dev/null >/dev/null` },
    }),
    file(`${programDir}/settings`, { content: `${settingsText(settings, host)}\n`, mode: '0600' }),
    ...['rows.awk', 'retention.awk', 'data.py'].map((name) =>
      file(`${programDir}/${name}`, { content: templateText(name) }),
    ),
    file(`${programDir}/parts.sh`, {
      content: `${templateText('parts.sh')}\n${asOwner.text}\n`,
      validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
    }),
    file(`${programDir}/backup`, {
      content: templateText('backup.sh'),
      mode: '0755',
      validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
    }),
  ]
}

function settingsText({ keep, minFree, timeLimit, alert }: BackupSettings, host: string): string {
  const { command = '', url = '' } = alert
  // The command or URL of an alert often contains a secret: as a Secret it is masked where this file is shown.
  for (const each of [command, url]) new Secret(each)
  return lines([
    { text: header, shown: header },
    sh`host=${host}`,
    sh`daily=${keep.daily} weekly=${keep.weekly} monthly=${keep.monthly}`,
    sh`min_free=${minFree} limit=${timeLimit}`,
    sh`alert_command=${command}`,
    sh`alert_url=${url}`,
  ]).text
}

/** The Python program that packs and checks lasting files: `python3 -I -c PROGRAM check`. */
export const dataProgram = templateText('data.py')

function templateText(name: string): string {
  return readFileSync(new URL(`templates/${name}`, import.meta.url), 'utf8')
}
