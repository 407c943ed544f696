import { readFileSync } from 'node:fs'
import { secretsDir, stateDir } from '../../../lib/model/host-layout.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import {
  archiveContainer,
  archiveProgram,
  archiveService,
  archiveState,
  archiveTimer,
  archiveUnitFile,
  baseService,
  slotBoundMB,
} from '../../../lib/platform/archive/wal-archive.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { file } from '../../../lib/resources/file.ts'
import { generatedFile } from '../../../lib/resources/generated-secret.ts'
import { unit, unitIsRead } from '../../../lib/resources/unit.ts'
import { lines, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import type { BackupSettings, Continuous } from '../backup-settings.ts'
import { programDir, signingKey } from '../paths.ts'

const header = '# Written by botgarden; changes made here are overwritten.'

/** The key by which a host sends its archive away. */
export const archiveIdentity = `${secretsDir}/archive-identity`

/** The program that stores, signs and sends what the archiver receives, and the units that run it. */
export function program({ minFree }: BackupSettings, { days, to }: Continuous, host: string): Resource[] {
  const port = to?.port ?? 22
  const { text } = lines([
    { text: `#!/bin/sh\n${header}`, shown: header },
    sh`set -u; umask 077; export LC_ALL=C`,
    sh`host=${host} days=${days} min_free=${minFree} bound=${slotBoundMB} to=${to?.ssh ?? ''} port=${port}
      home=${archiveProgram} state=${archiveState} run=/run/botgarden/archive base_unit=${baseService}
      server=${postgresContainer} clusters=${`${stateDir}/postgres`} archiver=${archiveContainer} recipients=${`${programDir}/recipients`} signing_key=${signingKey} identity=${archiveIdentity}`,
    ...['chains', 'archiver', 'store', 'base', 'leaving', 'record', 'main'].map((name) =>
      shellFile(new URL(`program/${name}.sh`, import.meta.url)),
    ),
    sh`archive_main "$@"`,
  ])
  return [
    ...(to === undefined
      ? []
      : [
          generatedFile(archiveIdentity, identityKey),
          file(`${archiveProgram}/known_hosts`, {
            content: `${to.port === undefined || to.port === 22 ? hostOf(to.ssh) : `[${hostOf(to.ssh)}]:${to.port}`} ${to.hostKey}\n`,
          }),
        ]),
    file(`${archiveProgram}/retention.awk`, {
      content: readFileSync(new URL('retention.awk', import.meta.url), 'utf8'),
    }),
    file(`${archiveProgram}/archive`, {
      content: `${text}\n`,
      mode: '0700',
      validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
    }),
    ...units(),
  ]
}

function hostOf(ssh: string): string {
  return ssh.slice(ssh.indexOf('@') + 1)
}

const identityKey = {
  write: sh`
    rm -f "$candidate.pub"
    ssh-keygen -q -t ed25519 -N '' -C botgarden-archive -f "$candidate" </dev/null
    rm -f "$candidate.pub"`,
}

const service = (description: string, argument: string, more: string) => `${header}
[Unit]
Description=botgarden: ${description}
After=docker.service

[Service]
Type=oneshot
ExecStart=${archiveProgram}/archive${argument}
Nice=5
NoNewPrivileges=yes
${more}`

const timer = `${header}
[Unit]
Description=botgarden: when WAL is archived

[Timer]
OnCalendar=*:*:0/30
AccuracySec=1s

[Install]
WantedBy=timers.target
`

function units(): Resource[] {
  const unitFile = (name: string, content: string, afterwards = sh`systemctl daemon-reload`) =>
    file(archiveUnitFile(name), { content, afterwards, predicts: [unitIsRead(archiveTimer)] })
  return [
    // Not a line each half minute in the journal.
    unitFile(
      archiveService,
      service('stores what is archived of WAL', '', 'TimeoutStartSec=300\nLogLevelMax=notice\nSyslogLevel=warning\n'),
    ),
    unitFile(
      baseService,
      service(
        'copies the cluster as the base of an archive',
        ' base',
        'TimeoutStartSec=8000\nIOSchedulingClass=idle\n',
      ),
    ),
    unitFile(archiveTimer, timer, sh`systemctl daemon-reload; systemctl try-restart ${archiveTimer}`),
    unit(archiveTimer, 'running'),
  ]
}
