import type { Resource } from '../../lib/model/resource.ts'
import { directory, file } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { changeReport } from './aide-report.ts'

const written = '# Written by botgarden; changes made here are overwritten.\n'

/** Makes break-ins harder or visible, at no cost for the operator; docs/security.md says what was left out. */
export function hardening(): Resource[] {
  return [
    // Shows the changes of a held update when it is installed by hand; asks nothing without a terminal.
    aptPackage('apt-listchanges'),
    // Only the provider's console still asks for a password: refuses weak ones.
    aptPackage('libpam-pwquality'),
    // Gives each login its own directory for temporary files, where no other user can create or read one.
    aptPackage('libpam-tmpdir'),
    aptPackage('debsums'),
    aptPackage('aide'),
    ...noCoreDumps(),
    ...noModules(),
    file('/etc/default/debsums', {
      content: `${written}# The files of packages are compared with their checksums; what differs is in the journal, as debsums.\nCRON_CHECK=weekly\n`,
    }),
    file('/etc/login.defs', {
      content: (current) => withSetting(current ?? '', 'SHA_CRYPT_MIN_ROUNDS', '65536'),
      wants: { SHA_CRYPT_MIN_ROUNDS: '65536' },
    }),
    file('/etc/profile.d/botgarden.sh', { content: shells }),
    ...['/etc/issue', '/etc/issue.net'].map((path) => file(path, { content: notice })),
    ...changeReport(),
  ]
}

/** A core dump holds the memory of a process, with tokens and passwords. */
function noCoreDumps(): Resource[] {
  const folder = '/etc/systemd/coredump.conf.d'
  return [
    file('/etc/security/limits.d/botgarden.conf', { content: `${written}* - core 0\nroot - core 0\n` }),
    directory(folder),
    // For hosts that have systemd-coredump.
    file(`${folder}/botgarden.conf`, { content: `${written}[Coredump]\nStorage=none\nProcessSizeMax=0\n` }),
  ]
}

/**
 * Kernel modules that such a host does not use. A process, also in a container, that opens a socket of these protocols would load
 * them: they had vulnerabilities that gave root.
 */
function noModules(): Resource[] {
  const folder = '/etc/modprobe.d'
  const names = ['dccp', 'sctp', 'rds', 'tipc', 'usb-storage', 'firewire-ohci']
  const lines = names.map((name) => `install ${name} /bin/false\n`)
  return [directory(folder), file(`${folder}/botgarden.conf`, { content: `${written}${lines.join('')}` })]
}

const shells = `${written}# A shell that was forgotten at its prompt ends, unless it is kept on purpose.
[ -n "\${TMUX-}\${STY-}" ] || TMOUT=14400
ulimit -c 0
`

const notice = 'This system is private: access is for its owner and those authorised by him. Connections are logged.\n'

/** Sets one `KEY VALUE` in a text, in its old place where it has one; all else stays, byte for byte. */
export function withSetting(text: string, key: string, value: string): string {
  const line = new RegExp(`^[ \\t]*${key}[ \\t].*$`, 'm')
  if (line.test(text)) return text.replace(line, `${key} ${value}`)
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${key} ${value}\n`
}
