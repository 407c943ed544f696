import type { Prediction, Resource } from '../../lib/model/resource.ts'
import { gatePort, gateProgram, gateTimer } from '../../lib/platform/standby/gate.ts'
import { file } from '../../lib/resources/file.ts'
import { unit, unitIsRead } from '../../lib/resources/unit.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { header } from './program.ts'

const unitsFolder = '/etc/systemd/system'
export const gateUnits = {
  service: 'botgarden-gate.service',
  timer: gateTimer,
  socket: 'botgarden-gate-answer.socket',
  answer: 'botgarden-gate-answer@.service',
}
export const unitFile = (name: string) => `${unitsFolder}/${name}`

const service = `${header}
[Unit]
Description=botgarden: whether this host of a pair may serve
After=docker.service network-online.target wg-quick@mesh0.service
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=${gateProgram}/gate
NoNewPrivileges=yes
TimeoutStartSec=300
# Not a line each time in the journal.
LogLevelMax=notice
SyslogLevel=warning
`

const timer = `${header}
[Unit]
Description=botgarden: when a host of a pair asks whether it may serve

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=15s
AccuracySec=1s

[Install]
WantedBy=timers.target
`

/** It listens on all addresses, since the mesh may come later; the firewall lets in nobody but peers. */
const socket = `${header}
[Unit]
Description=botgarden: where a host of a pair says which is the primary

[Socket]
ListenStream=${gatePort}
Accept=yes
MaxConnections=8
MaxConnectionsPerSource=4
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
`

const answer = `${header}
[Unit]
Description=botgarden: says which host of a pair is the primary
CollectMode=inactive-or-failed

[Service]
ExecStart=${gateProgram}/answer
StandardInput=socket
StandardOutput=socket
StandardError=null
RuntimeMaxSec=5
MemoryMax=16M
TasksMax=16
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateNetwork=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
LogLevelMax=notice
`

export function units(): Resource[] {
  const written = (name: string, content: string, afterwards: Script, predicts: readonly Prediction[]) =>
    file(unitFile(name), { content, afterwards, predicts })
  const reload = sh`systemctl daemon-reload`
  const both = [unitIsRead(gateUnits.timer), unitIsRead(gateUnits.socket)]
  return [
    written(gateUnits.answer, answer, reload, both),
    written(gateUnits.service, service, reload, both),
    written(gateUnits.socket, socket, sh`systemctl daemon-reload; systemctl try-restart ${gateUnits.socket}`, both),
    written(gateUnits.timer, timer, sh`systemctl daemon-reload; systemctl try-restart ${gateUnits.timer}`, both),
    unit(gateUnits.socket, 'running'),
    unit(gateUnits.timer, 'running'),
  ]
}
