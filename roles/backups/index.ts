import { dirname } from 'node:path'
import { etcDir, optDir, stateDir } from '../../lib/model/host-layout.ts'
import { becomes, type Resource } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { notArchived } from '../../lib/platform/archive/absent.ts'
import { archiveTimer, isArchived } from '../../lib/platform/archive/wal-archive.ts'
import { cron, noCron } from '../../lib/resources/cron.ts'
import { directory } from '../../lib/resources/file.ts'
import { generatedFile } from '../../lib/resources/generated-secret.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { runningUnit, unit, unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { missingRecipients, settingsOf } from './backup-settings.ts'
import { continuousArchive, settingFaults } from './continuous/index.ts'
import { program } from './host-program.ts'
import { lastBackup, noBackups } from './last-backup.ts'
import { backupDir, programDir, signingKey } from './paths.ts'
import { vars } from './schema.ts'

/** A nightly backup of all databases, secrets and certificates: verified, signed, and encrypted so that the host cannot read it. */
export const backups = role(
  'backups',
  vars,
  (wanted, { timers }, host) => {
    if (wanted.recipients === undefined) return [noCron('backups'), noBackups(), ...unarchived(timers)]
    const settings = settingsOf(wanted)
    const { schedule, continuous } = settings
    return [
      ...['age', 'jq', ...(wanted.alert?.url === undefined ? [] : ['curl'])].map((each) => aptPackage(each)),
      aptPackage('cron', [becomes(unitState('cron.service'), runningUnit)]),
      unit('cron.service', 'running'),
      ...[optDir, programDir].map((each) => directory(each)),
      directory(stateDir, { mode: '0700' }),
      directory(backupDir, { mode: '0700' }),
      ...[etcDir, dirname(signingKey)].map((each) => directory(each, { mode: '0700' })),
      generatedFile(signingKey, keyPair),
      ...program(settings, host.name, wanted.recipients),
      cron('backups', { schedule, command: `${programDir}/backup 2>&1 | logger -t botgarden-backup` }),
      lastBackup(schedule),
      ...(continuous === undefined ? unarchived(timers) : continuousArchive(settings, continuous, host)),
    ]
  },
  (wanted, host) => [
    ...(Object.keys(wanted).length > 0 && wanted.recipients === undefined ? [missingRecipients] : []),
    ...(isArchived(host) ? settingFaults(host) : []),
  ],
)

/** What a host never had is not looked for there. */
function unarchived(timers: readonly string[]): Resource[] {
  return timers.includes(archiveTimer) ? [notArchived()] : []
}

/** Generates the key that signs backups. Its public half can be derived from it. */
const keyPair = {
  write: sh`
    rm -f "$candidate.pub"
    ssh-keygen -q -t ed25519 -N '' -C botgarden-backup -f "$candidate" </dev/null
    rm -f "$candidate.pub"`,
}
