import { readFileSync } from 'node:fs'
import { upgradeFault } from '../../lib/health/upgrade-fault.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { nginxChecksums } from '../../lib/platform/nginx.ts'
import { file } from '../../lib/resources/file.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { Secret } from '../../lib/std/secret.ts'
import { programDir, tokenFile, watchState } from './paths.ts'
import { defaultThresholds, type WatchVars } from './schema.ts'

const header = '# Written by botgarden; changes made here are overwritten.'
// In this order: the last one begins.
const parts = [
  'found',
  'containers',
  'beside',
  'firewall',
  'host',
  'standby',
  'gate',
  'replicas',
  'server',
  'upkeep',
  'hooks',
  'tell',
  'main',
]

/** What the program must know of its host besides the vars. */
export interface Watched {
  readonly host: string
  /** The names that nginx has certificates for, and its port. */
  readonly names: readonly string[]
  readonly port: number
  /** Where the webhooks of its bots are: `https://bots.example.org`. */
  readonly origin: string
  /** The Bot API. */
  readonly telegram: string
  /** It is a container, and its clock that of the machine below. */
  readonly container: boolean
}

/** The program on the host: one file of shell with its settings, and what jq and awk run for it. */
export function program(wanted: WatchVars, watched: Watched): Resource[] {
  const beside = [
    'bots.jq',
    'engine.jq',
    'hooks.jq',
    'backups.jq',
    'archive.jq',
    'restarts.awk',
    'beside.awk',
    'requests.awk',
    'table.awk',
  ]
  const { text } = lines([
    { text: `#!/bin/sh\n${header}`, shown: header },
    sh`set -u; umask 077; export LC_ALL=C`,
    settings(wanted, watched),
    nginxChecksums,
    upgradeFault,
    ...parts.map((name) => shellFile(new URL(`program/${name}.sh`, import.meta.url))),
  ])
  return [
    ...beside.map((name) =>
      file(`${programDir}/${name}`, {
        content: readFileSync(new URL(`program/${name}`, import.meta.url), 'utf8'),
      }),
    ),
    // It holds URLs that are often secrets by themselves.
    file(`${programDir}/watch`, {
      content: `${text}\n`,
      mode: '0700',
      validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
    }),
  ]
}

function settings(wanted: WatchVars, { host, names, port, origin, telegram, container }: Watched): Script {
  const { chat, url = '', deadman = '', digest = '' } = wanted
  const limits = wanted.thresholds ?? defaultThresholds
  for (const each of [url, deadman]) new Secret(each)
  return sh`
    home=${programDir} state=${watchState} run=/run/botgarden/watch
    host=${host} names=${names.join(' ')} port=${port} origin=${origin} telegram=${telegram} container=${container ? 'yes' : ''}
    sinks=${[...(chat === undefined ? [] : ['chat']), ...(url === '' ? [] : ['url'])].join(' ')}
    chat=${String(chat ?? '')} token_file=${tokenFile} url=${url} deadman=${deadman} digest=${digest}
    disk=${limits.disk} inodes_most=${limits.inodes} certificate_days=${limits.certificateDays} backup_hours=${limits.backupHours}
    pending=${limits.pending} error_percent=${limits.errorPercent} restarts=${limits.restarts} clock_seconds=${limits.clockSeconds}
    tab=$(printf '\t')
    newline=$(printf '\nx') newline=\${newline%x}`
}
