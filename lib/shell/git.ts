import { local } from './local.ts'

/** What is wrong with the address of a repository, to be said behind its place; undefined: it is one that git may be given. */
export function addressFault(address: string): string | undefined {
  if (!/^(https|ssh):\/\/[^\s-][^\s]*$|^[\w.][\w.-]*@[\w.][\w.-]*:[^\s]+$/.test(address))
    return `should be https://…, ssh://… or git@HOST:PATH, found "${shownAddress(address)}"`
  if (/^https:\/\/[^/]*@|^ssh:\/\/[^/]*:[^/]*@/.test(address))
    return 'has a user or a password in the URL, which every process here could read: use ssh, or a credential helper of git'
  return undefined
}

/** An address as it may be shown: a password may stand in it. */
export function shownAddress(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//***@')
}

/**
 * git for what a stranger has made: it asks nobody for a password, knows no other protocol than https and ssh, runs no hook and no
 * filter of Git LFS, and knows nothing of the repository that it is called in. `index`: a file for what is laid out; then git goes
 * by no settings of the operator's either, which may name further filters.
 */
export function git({ seconds, index }: { seconds: number; index?: string }) {
  return local({ env: environment(index), nothrow: true, quiet: true, timeout: seconds * 1000 })
}

/** Settings that every call begins with: no hook, and no connection that has fallen silent. */
export const gitSettings = [
  ...['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'],
  ...['-c', 'http.lowSpeedLimit=1000', '-c', 'http.lowSpeedTime=60'],
]

function environment(index: string | undefined): NodeJS.ProcessEnv {
  const around = Object.entries(process.env).filter(
    ([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|NAMESPACE)$/.test(name),
  )
  const own = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'https:ssh',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_TEMPLATE_DIR: '',
    ...(index !== undefined && { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_INDEX_FILE: index }),
  }
  return { ...Object.fromEntries(around), ...own }
}
