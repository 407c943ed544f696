import { guarded } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import type { Reading } from '../../lib/model/reading.ts'
import { becomes, type Guard, type Resource, resource } from '../../lib/model/resource.ts'
import { keyFiles } from '../../lib/resources/authorized-keys.ts'
import { startedWith } from '../../lib/resources/config-stamp.ts'
import { directory, file } from '../../lib/resources/file.ts'
import { unitState } from '../../lib/resources/unit.ts'
import { userState } from '../../lib/resources/user.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { template } from '../../lib/std/template.ts'
import { conflicts } from './conflicts.ts'
import { lockouts } from './login.ts'
import { type Setting, type Settings, sshdSettings } from './settings.ts'
import {
  acceptScript,
  checksumOf,
  configFiles,
  dropInPath,
  type SshdConfig,
  sshdConfig,
  withDropIn,
} from './sshd-config.ts'

/** Retries the start: an address to listen on, as of a tunnel, may appear later, and Debian's unit gives up at the first failure. */
const keepTrying = `RestartSec=3
RestartPreventExitStatus=
[Unit]
StartLimitIntervalSec=0
`

const { mark, dropIn } = startedWith('ssh.service', 'sshd', configFiles, { reloads: true, more: keepTrying })
const service = unitState('ssh.service')

/** Guards changes that may lock the operator out: the host reverts them unless a login confirms them. */
export const guard: Guard = {
  name: 'sshd',
  paths: ['/etc/ssh'],
  // Also where sshd failed with the new files, or fails again and again.
  restore: sh`
    ! systemctl is-failed --quiet ssh.socket || systemctl restart ssh.socket
    if [ "$(systemctl is-active ssh.service)" != inactive ]; then
      systemctl reset-failed ssh.service
      systemctl restart ssh.service
    fi`,
}

/** sshd with these settings, which win over those of other drop-ins; refused where the operator could not log in again. */
export function sshd(settings: Settings, facts: Facts): Resource[] {
  const all = sshdSettings(settings)
  const content = template(new URL('templates/sshd.conf.mustache', import.meta.url), { settings: all })
  const config = sshdConfig(content, facts)
  const arrived = becomes(config, (before) => ({ ...before, files: withDropIn(before.files, content) }))
  return [
    directory('/etc/ssh/sshd_config.d'),
    ...dropIn,
    guarded(
      file(dropInPath, { content, validate: { tool: 'sshd', script: acceptScript }, predicts: [arrived] }),
      guard,
    ),
    guarded(runningConfig(config), guard),
    loginCheck(config, all, facts),
  ]
}

/** sshd runs with the configuration on the disk. Where systemd starts one per login, there is none to restart. */
function runningConfig(config: Reading<SshdConfig>): Resource {
  return resource({
    id: 'sshd:config',
    wants: configFiles,
    reads: { mark, config, daemon: service },
    plan: ({ mark: running, config: { files }, daemon }) => {
      const checksum = checksumOf(files)
      const unread = {
        summary: 'reload the unit files of systemd',
        script: sh`systemctl daemon-reload`,
        predicts: [becomes(service, { ...daemon, needsReload: false })],
      }
      const outdated = {
        summary: 'restart sshd with its new configuration',
        // A reload returns before sshd has restarted: the login that is to prove the new configuration could meet the old one.
        // Sessions continue.
        script: sh`systemctl restart ssh.service`,
        predicts: [becomes(mark, `${checksum}\n`)],
      }
      return [
        ...(daemon.needsReload ? [unread] : []),
        ...(daemon.active !== 'active' || running?.trim() === checksum ? [] : [outdated]),
      ]
    },
  })
}

/** Changes nothing: refuses settings that sshd rejects, that would have no effect, or that would lock the operator out. */
function loginCheck(config: Reading<SshdConfig>, settings: readonly Setting[], facts: Facts): Resource {
  const { user, clientAddress: address, sshPort: port } = facts
  const asksForPort = settings.some(({ keyword }) => /^(port|listenaddress)$/i.test(keyword))
  return resource({
    id: 'sshd:login',
    wants: settings,
    reads: { config, account: userState(user), keyFiles: keyFiles(user), service, socket: unitState('ssh.socket') },
    plan: ({ config: { files, alone, whole }, account, keyFiles: found, service: { active }, socket }) => {
      if (typeof alone === 'string' && /privilege separation directory/.test(alone))
        throw new HostError('sshd does not run on this host, and no one could log in again: see systemctl status ssh')
      if (typeof alone === 'string') throw new HostError(`sshd refuses base.sshd.settings: ${said(alone, dropInPath)}`)
      if (typeof whole === 'string')
        throw new HostError(`sshd's configuration is broken: ${said(whole, 'sshd_config')}`)
      if (socket.active !== 'active' && !['active', 'reloading'].includes(active))
        throw new HostError(
          'this login came through an sshd that is not that of ssh.service, so no login would prove that one starts with new ' +
            'settings: see systemctl status ssh, and start it',
        )
      if (socket.active === 'active' && asksForPort)
        throw new HostError(
          "systemd's ssh.socket listens for sshd, and a login would not prove Port and ListenAddress before the next boot: " +
            'systemctl disable --now ssh.socket && systemctl enable --now ssh.service',
        )
      const faults = [
        ...conflicts(settings, { files, alone, whole }),
        ...lockouts(whole, {
          user,
          groups: account === 'absent' ? [] : account.groups,
          address,
          port,
          keyFiles: found,
          portIsSshds: socket.active !== 'active',
        }),
      ]
      if (faults.length > 0) throw new HostError(faults.map((fault) => `sshd: ${fault}`).join('\n'))
      return []
    },
  })
}

function said(complaint: string, file: string): string {
  return complaint.trim().replaceAll('/dev/stdin', file)
}
