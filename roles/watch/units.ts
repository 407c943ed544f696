import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { unit, unitIsRead } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import {
  programDir,
  serviceFile,
  standbyServiceFile,
  standbyTimer,
  standbyTimerFile,
  timerFile,
  timerUnit,
} from './paths.ts'

const header = '# Written by botgarden; changes made here are overwritten.\n'

const service = `${header}[Unit]
Description=botgarden: watches this host

[Service]
Type=oneshot
ExecStart=${programDir}/watch
Nice=10
MemoryMax=128M
TasksMax=64
NoNewPrivileges=yes
TimeoutStartSec=300
# Not a line each minute; what it says itself is a warning.
LogLevelMax=notice
SyslogLevel=warning
`

const timer = `${header}[Unit]
Description=botgarden: when this host is watched

[Timer]
OnCalendar=minutely
AccuracySec=1s

[Install]
WantedBy=timers.target
`

const standbyService = `${header}[Unit]
Description=botgarden: whether the standby is there for which commits wait

[Service]
Type=oneshot
ExecStart=${programDir}/watch --standby
Nice=5
MemoryMax=64M
TasksMax=32
NoNewPrivileges=yes
TimeoutStartSec=30
LogLevelMax=notice
SyslogLevel=warning
`

const standbyTimerText = `${header}[Unit]
Description=botgarden: when the standby is looked for

[Timer]
OnCalendar=*:*:0/10
AccuracySec=1s

[Install]
WantedBy=timers.target
`

/** While commits wait for a standby, a lost one is no matter of the next minute: it is told within 30 s. */
export function standbyUnits(): Resource[] {
  return [
    file(standbyServiceFile, {
      content: standbyService,
      afterwards: sh`systemctl daemon-reload`,
      predicts: [unitIsRead(standbyTimer)],
    }),
    file(standbyTimerFile, {
      content: standbyTimerText,
      afterwards: sh`systemctl daemon-reload; systemctl try-restart ${standbyTimer}`,
      predicts: [unitIsRead(standbyTimer)],
    }),
    unit(standbyTimer, 'running'),
  ]
}

/** The same on a host where nobody waits any more. The file of the timer goes last, so that a removal that was cut is made again. */
export function noStandbyUnits(): Resource {
  const now = fileState(standbyTimerFile)
  return resource({
    id: 'watch:standby-absent',
    wants: 'absent',
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent') return []
      const script = sh`
        systemctl disable --now --quiet ${standbyTimer} 2>/dev/null || :
        rm -f ${standbyServiceFile} ${standbyTimerFile}
        systemctl daemon-reload`
      return [{ summary: 'look no more each ten seconds', script, predicts: [becomes(now, 'absent' as const)] }]
    },
  })
}

/** A timer that starts the program each minute. A run that is under way is not doubled. */
export function units(): Resource[] {
  return [
    file(serviceFile, { content: service, afterwards: sh`systemctl daemon-reload`, predicts: [unitIsRead(timerUnit)] }),
    file(timerFile, {
      content: timer,
      afterwards: sh`systemctl daemon-reload; systemctl try-restart ${timerUnit}`,
      predicts: [unitIsRead(timerUnit)],
    }),
    unit(timerUnit, 'running'),
  ]
}
