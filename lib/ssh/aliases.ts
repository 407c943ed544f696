import { globSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import SSHConfig, { glob, LineType, type Section } from 'ssh-config'
import { suggest } from '../std/suggest.ts'

const ownConfig = '~/.ssh/config'
const systemConfig = '/etc/ssh/ssh_config'
/** How many aliases one message names. */
const most = 20

/**
 * The names in `Host` lines of an ssh_config and of the files that it includes, in their order; patterns are left
 * out, and so are systemd's names for this machine and its containers, `.host` and `machine/…`. Without a file those of the
 * operator and of the system. A file that is missing, or that is no ssh_config, has none.
 */
export function aliasesIn(sshConfig?: string, home = userInfo().homedir): string[] {
  const ssh = resolve(home, '.ssh')
  const files = sshConfig === undefined ? [absolute(ownConfig, ssh, home), systemConfig] : [sshConfig]
  // A relative path in an Include starts where the kind of the file that is read first says.
  const base = (file: string) => (file === systemConfig ? '/etc/ssh' : ssh)
  return [...new Set(files.flatMap((file) => aliasesOf(file, { base: base(file), home, within: [] })))]
}

/** The hint for a name that ssh could not resolve, unless it is an alias, or a full name that is similar to none. */
export function unknownAlias(name: string, sshConfig?: string, home?: string): string | undefined {
  const aliases = aliasesIn(sshConfig, home)
  const nearest = suggest(name, aliases)
  if (aliases.includes(name) || (name.includes('.') && nearest === '')) return undefined
  const file = sshConfig ?? ownConfig
  if (aliases.length === 0) return `"${name}" is not an alias either: ${file} has none`
  const more = aliases.length > most ? `, and ${aliases.length - most} more` : ''
  return `"${name}" is not an alias in ${file}${nearest}; its aliases: ${aliases.slice(0, most).join(', ')}${more}`
}

interface Place {
  readonly base: string
  readonly home: string
  /** The files that include this one. */
  readonly within: readonly string[]
}

function aliasesOf(file: string, place: Place): string[] {
  // ssh itself goes no deeper than 16.
  if (place.within.includes(file) || place.within.length > 16) return []
  return aliasesAmong(parsed(file), { ...place, within: [...place.within, file] })
}

function aliasesAmong(lines: SSHConfig, place: Place): string[] {
  return lines.flatMap((line) => {
    if (line.type !== LineType.DIRECTIVE) return []
    const values = typeof line.value === 'string' ? [line.value] : line.value.map(({ val }) => val)
    if (/^include$/i.test(line.param))
      return values.flatMap((pattern) => included(pattern, place)).flatMap((file) => aliasesOf(file, place))
    if (!('config' in line)) return []
    // What a block includes counts only for hosts that the block is for.
    const inner = aliasesAmong(line.config, place)
    if (!isHost(line)) return inner
    return [...values.filter((name) => !/[*?!]|^\.|\//.test(name)), ...inner.filter((alias) => glob(values, alias))]
  })
}

function isHost({ param }: Section): boolean {
  return /^host$/i.test(param)
}

function included(pattern: string, { base, home }: Place): string[] {
  return globSync(absolute(pattern, base, home)).sort()
}

function absolute(path: string, base: string, home: string): string {
  return resolve(base, path.replace(/^~(?=\/)/, home))
}

function parsed(file: string): SSHConfig {
  try {
    return SSHConfig.parse(readFileSync(file, 'utf8'))
  } catch {
    return new SSHConfig()
  }
}
