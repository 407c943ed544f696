import { readFile } from 'node:fs/promises'
import { HostError } from '../../lib/std/errors.ts'
import { here, logged } from './docker-cli.ts'
import { type Progress, step } from './progress.ts'

/** Installs Debian packages on this machine, or says what the operator has to run. */
export async function installHere(packages: readonly string[], why: string, progress: Progress): Promise<void> {
  const command = `apt-get install ${packages.join(' ')}`
  if (!(await isDebianLike()))
    throw new HostError(`this machine: ${why}; it is no Debian or Ubuntu: install it by hand`)
  if (process.getuid?.() !== 0) throw new HostError(`this machine: ${why}; run: sudo ${command}`)
  await step(progress, `installing ${packages.join(', ')} on this machine`, async () => {
    const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120']
    await logged('apt-update', 180, [...apt, 'update'])
    // Not bound to us: an installation that is cut leaves a package manager that refuses everything.
    const install = [...apt, 'install', '-y', '--no-install-recommends', ...packages]
    await logged('apt-install', 600, install, { bound: false })
  })
}

/** True when this machine's apt offers the package. */
export async function isOffered(name: string): Promise<boolean> {
  const { stdout } = await here`apt-cache policy ${name}`
  return /Candidate: [^(]/.test(stdout)
}

export async function isInstalled(program: string): Promise<boolean> {
  const { exitCode } = await here`PATH="$PATH:/usr/sbin:/sbin" command -v ${program}`
  return exitCode === 0
}

async function isDebianLike(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)
}
