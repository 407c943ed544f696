import * as v from 'valibot'
import type { Facts } from '../../lib/model/facts.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { isNamespaced, sysctl } from '../../lib/resources/sysctl.ts'

export type Sysctls = Readonly<Record<string, string | number>>

export const sysctlName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9_-]+(\.[\w/-]+)+$/i, 'a name of sysctl(8), like vm.swappiness'),
)

/** Settings that Docker needs, such as ip_forward, are left to Docker. Each of these agrees with what ufw sets. */
const defaults: Sysctls = {
  'vm.swappiness': 10,
  // Docker makes the host forward packets; the host is no router all the same.
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.default.send_redirects': 0,
  'net.ipv4.conf.all.accept_redirects': 0,
  'net.ipv4.conf.default.accept_redirects': 0,
  'net.ipv6.conf.all.accept_redirects': 0,
  'net.ipv6.conf.default.accept_redirects': 0,
  'net.ipv4.conf.all.accept_source_route': 0,
  'net.ipv4.conf.default.accept_source_route': 0,
  // Drops packets whose source address is not reached by their interface. An interface that systemd made loose (2) stays so.
  'net.ipv4.conf.all.rp_filter': 1,
  'net.ipv4.conf.default.rp_filter': 1,
  'net.core.bpf_jit_harden': 2,
  'kernel.kptr_restrict': 2,
  'kernel.dmesg_restrict': 1,
  // 1 lasts until the next boot: not even root can reset it.
  'kernel.unprivileged_bpf_disabled': 1,
  'kernel.yama.ptrace_scope': 1,
  // Magic SysRq keys of the console; the provider's panel can reboot as well.
  'kernel.sysrq': 0,
  'dev.tty.ldisc_autoload': 0,
  // Root does not write through files, pipes and links that others planted in /tmp.
  'fs.protected_fifos': 2,
  'fs.protected_regular': 2,
  'fs.protected_hardlinks': 1,
  'fs.protected_symlinks': 1,
  'fs.suid_dumpable': 0,
}

/** Kernel settings, now and at every boot. The last file of sysctl.d wins. */
export function kernel(own: Sysctls, facts: Facts): Resource[] {
  const all = Object.entries({ ...defaults, ...own }).map(
    ([name, value]) => [name, `${value}`.trim().replace(/\s+/g, ' ')] as const,
  )
  const settable = all.filter(([name]) => facts.container === '' || isNamespaced(name))
  // A minus: a kernel without the setting boots without an error.
  const lines = settable.map(([name, value]) => `${name in own ? '' : '-'}${name} = ${value}\n`)
  return [
    file('/etc/sysctl.d/99-botgarden.conf', {
      content: `# Written by botgarden; changes made here are overwritten.\n${lines.join('')}`,
    }),
    ...all.map(([name, value]) => sysctl(name, value, facts, { optional: !(name in own) })),
  ]
}
