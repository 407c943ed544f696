import { dirname } from 'node:path'
import { etcDir, optDir, stateDir } from '../../lib/model/host-layout.ts'
import { becomes } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { cron, noCron } from '../../lib/resources/cron.ts'
import { directory } from '../../lib/resources/file.ts'
import { generatedFile } from '../../lib/resources/generated-secret.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { runningUnit, unit, unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { program } from './host-program.ts'
import { toldBackups, toldNone } from './last-backup.ts'
import { backupDir, programDir, signingKey } from './paths.ts'
import { vars } from './schema.ts'
import { missingRecipients, settingsOf } from './settings.ts'

/** Every night all databases, secrets and certificates, proved and encrypted: the host itself cannot read them any more. */
export const backups = role(
  'backups',
  vars,
  (wanted, _facts, { name }) => {
    if (wanted.recipients === undefined) return [noCron('backups'), toldNone()]
    const { schedule } = settingsOf(wanted)
    return [
      ...['age', 'jq', ...(wanted.alert?.url === undefined ? [] : ['curl'])].map((each) => aptPackage(each)),
      aptPackage('cron', [becomes(unitState('cron.service'), runningUnit)]),
      unit('cron.service', 'running'),
      ...[optDir, programDir].map((each) => directory(each)),
      directory(stateDir, { mode: '0700' }),
      directory(backupDir, { mode: '0700' }),
      ...[etcDir, dirname(signingKey)].map((each) => directory(each, { mode: '0700' })),
      generatedFile(signingKey, keyPair),
      ...program(settingsOf(wanted), name, wanted.recipients),
      cron('backups', { schedule, command: `${programDir}/backup 2>&1 | logger -t botgarden-backup` }),
      toldBackups(schedule),
    ]
  },
  (wanted) => (Object.keys(wanted).length > 0 && wanted.recipients === undefined ? [missingRecipients] : []),
)

/** A key by which backups are signed; its public half can be had from it at any time. */
const keyPair = {
  write: sh`
    rm -f "$candidate.pub"
    ssh-keygen -q -t ed25519 -N '' -C botgarden-backup -f "$candidate" </dev/null
    rm -f "$candidate.pub"`,
}
