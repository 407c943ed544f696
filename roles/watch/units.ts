import { becomes, type Prediction, type Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { unit, unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { programDir, serviceFile, timerFile, timerUnit } from './paths.ts'

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

/** A timer that starts the program each minute. A run that is under way is not doubled. */
export function units(): Resource[] {
  return [
    file(serviceFile, { content: service, afterwards: sh`systemctl daemon-reload`, predicts: [isRead()] }),
    file(timerFile, {
      content: timer,
      afterwards: sh`systemctl daemon-reload; systemctl try-restart ${timerUnit}`,
      predicts: [isRead()],
    }),
    unit(timerUnit, 'running'),
  ]
}

/** The unit is there for systemd, which it was not before its file. */
function isRead(): Prediction {
  return becomes(unitState(timerUnit), (before) => ({
    ...(before.load === 'loaded' ? before : { active: 'inactive', enabled: 'disabled' }),
    load: 'loaded',
    needsReload: false,
  }))
}
