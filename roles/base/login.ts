import { BlockList, isIP } from 'node:net'
import type { KeyFile } from '../../lib/resources/authorized-keys.ts'
import type { Effective } from './sshd-config.ts'

/** The login of this run: the operator must be able to log in like this again. */
export interface Login {
  readonly user: string
  readonly groups: readonly string[]
  readonly address: string
  readonly port: number
  readonly keyFiles: readonly KeyFile[]
  /** The port is sshd's own, and not that of systemd's ssh.socket. */
  readonly portIsSshds: boolean
}

/** The reasons why a login like this one would fail, one sentence each; empty where it would work. */
export function lockouts(effective: Exclude<Effective, string>, login: Login): string[] {
  const { user, port } = login
  const of = (keyword: string) => effective[keyword] ?? []
  const is = (keyword: string, ...values: string[]) => of(keyword).some((value) => values.includes(value))
  const ports = of('listenaddress').map((address) => Number(address.match(/:(\d+)$/)?.[1]))
  const faults: (string | false)[] = [
    is('pubkeyauthentication', 'no') && 'PubkeyAuthentication no would lock out every key',
    user === 'root' &&
      !is('permitrootlogin', 'yes', 'without-password', 'prohibit-password') &&
      `PermitRootLogin ${of('permitrootlogin')} would lock out root, who is logged in: log in as another user with sudo first`,
    login.portIsSshds &&
      !ports.includes(port) &&
      `sshd would no longer listen on port ${port}, the port of this connection`,
    !of('authenticationmethods').some((value) =>
      value.split(' ').some((each) => each === 'any' || each === 'publickey'),
    ) && `AuthenticationMethods ${of('authenticationmethods')} would ask for more than a key`,
    ...['forcecommand', 'chrootdirectory'].map(
      (keyword) =>
        of(keyword).some((value) => value !== 'none') && `${keyword} ${of(keyword)} would leave no shell to work with`,
    ),
    ...refusedByLists(of, login),
    keysOnly(effective) &&
      !keysFromElsewhere(effective) &&
      !login.keyFiles.some(({ keys }) => keys.some(opensAShell)) &&
      `password login would be off, and ${user} has no key in ${login.keyFiles.map(({ path }) => path).join(' or ')}: ` +
        `log in with a key first: ssh-copy-id ${user}@HOST`,
  ]
  return faults.filter((fault) => fault !== false)
}

/** As sshd decides: a denied user is refused, and so is one who is not allowed, where there is a list of allowed users. */
function refusedByLists(of: (keyword: string) => readonly string[], login: Login): (string | false)[] {
  const { user, groups } = login
  const isUser = (pattern: string) => matchesUser(pattern, login)
  const isGroup = (pattern: string) => groups.some((group) => matches(pattern, group))
  const [denied, allowed] = [of('denyusers'), of('allowusers')]
  const [deniedGroups, allowedGroups] = [of('denygroups'), of('allowgroups')]
  return [
    denied.some(isUser) && `DenyUsers ${denied.join(' ')} would lock out ${user}, who is logged in`,
    allowed.length > 0 &&
      !allowed.some(isUser) &&
      `AllowUsers ${allowed.join(' ')} would lock out ${user}, who is logged in`,
    deniedGroups.some(isGroup) && `DenyGroups ${deniedGroups.join(' ')} would lock out ${user}, who is logged in`,
    allowedGroups.length > 0 &&
      !allowedGroups.some(isGroup) &&
      `AllowGroups ${allowedGroups.join(' ')} would lock out ${user}, who is logged in`,
  ]
}

function matchesUser(pattern: string, { user, address }: Login): boolean {
  const at = pattern.lastIndexOf('@')
  if (at < 0) return matches(pattern, user)
  const hosts = pattern.slice(at + 1).split(',')
  const from = (host: string) => matches(host, address) || isWithin(host, address)
  return (
    matches(pattern.slice(0, at), user) &&
    hosts.some((host) => !host.startsWith('!') && from(host)) &&
    !hosts.some((host) => host.startsWith('!') && from(host.slice(1)))
  )
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[^*?\w]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(text)
}

function isWithin(network: string, address: string): boolean {
  const [base = '', bits] = network.split('/')
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined || isIP(base) === 0 || isIP(base) !== isIP(address)) return false
  const list = new BlockList()
  list.addSubnet(base, Number(bits), family)
  return list.check(address, family)
}

function keysOnly({ passwordauthentication, kbdinteractiveauthentication }: Exclude<Effective, string>): boolean {
  return !passwordauthentication?.includes('yes') && !kbdinteractiveauthentication?.includes('yes')
}

/** Certificates and commands that print keys cannot be read; the guard proves those logins. */
function keysFromElsewhere({
  authorizedkeyscommand,
  trustedusercakeys,
  gssapiauthentication,
}: Exclude<Effective, string>) {
  const isSet = (values: readonly string[] = []) => values.some((value) => value !== 'none')
  return isSet(authorizedkeyscommand) || isSet(trustedusercakeys) || gssapiauthentication?.includes('yes') === true
}

/** Some providers leave root a key that only prints: log in as another user. */
function opensAShell({ options }: { options: string }): boolean {
  return !/\bcommand="/i.test(options)
}
