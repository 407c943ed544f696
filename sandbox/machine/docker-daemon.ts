import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { installHere, isInstalled, isOffered } from './apt.ts'
import { docker, here, lastLines, tryDocker } from './docker-cli.ts'
import { checkoutHash, paths } from './paths.ts'
import { end, isAlive, markOf, waitUntil } from './process.ts'
import { type Progress, step } from './progress.ts'

const machineLock = join(paths.machine, 'engine.lock')
const users = join(paths.machine, 'users')
/** Says which daemon is ours to end: a process mark, or the word `systemd`. */
const ours = join(paths.machine, 'dockerd')
const log = join(paths.machine, 'dockerd.log')
const pidFile = '/var/run/docker.pid'

/** Makes sure that a Docker daemon answers: the one that runs, else one that we install and start. */
export async function ensureEngine(progress: Progress): Promise<void> {
  if (process.platform !== 'linux') {
    throw new HostError(
      'this machine: the sandbox needs Linux; run it in a Linux VM, or name a host of your own with -i',
    )
  }
  // First the reference, then the question: else another checkout's `down` could end the daemon in between.
  registerUse()
  if (await answers()) return
  await withLock(machineLock, 600, async () => {
    if (await answers()) return
    if (!(await isInstalled('dockerd'))) await install(progress)
    // Debian's package may have started it itself, by systemd or an init script: then it is ours as well.
    if (await answers()) return recordOurs()
    await step(progress, 'starting the Docker daemon', start)
  })
}

/** Stops the daemon if the sandbox started it and nothing uses it any more. */
export async function releaseEngine(progress: Progress): Promise<void> {
  if (!existsSync(ours)) return
  await withLock(machineLock, 60, async () => {
    rmSync(ownReference(), { force: true })
    const others = othersInUse()
    if (others.length > 0) return progress(`the Docker daemon stays: a run of another checkout uses it`)
    const containers = (await answers()) ? await docker(['ps', '-a', '--format', '{{.Names}}']) : ''
    const names = containers.trim().split(/\s+/).join(' ')
    if (names !== '') return progress(`the Docker daemon stays: it has containers that are not ours: ${names}`)
    await step(progress, 'ending the Docker daemon that we started', stop)
  })
}

export async function answers(): Promise<boolean> {
  const { status } = await tryDocker(['version', '--format', '{{.Server.Version}}'], { seconds: 10 })
  return status === 0
}

async function install(progress: Progress): Promise<void> {
  const client = (await isInstalled('docker')) || !(await isOffered('docker-cli')) ? [] : ['docker-cli']
  await installHere(['docker.io', 'iptables', ...client], 'no Docker daemon', progress)
}

async function start(): Promise<void> {
  const systemd = existsSync('/run/systemd/system')
  if (process.getuid?.() !== 0) {
    const by = systemd ? 'sudo systemctl start docker' : 'sudo dockerd &'
    throw new HostError(
      `this machine: no Docker daemon answers you; run: ${by}, and be in its group: sudo usermod -aG docker $USER`,
    )
  }
  if (systemd) return startBySystemd()
  if (await runsAlready()) {
    const ready = await waitUntil(30, answers)
    if (!ready) throw new HostError(`this machine: a dockerd runs (process ${dockerdPid()}) but does not answer`)
    return
  }
  // Left by a daemon that was killed: a new process may have its id by now, and dockerd would refuse to start.
  rmSync(pidFile, { force: true })
  await startOurselves()
}

async function startBySystemd(): Promise<void> {
  const { exitCode, stderr } = await here`timeout 90 systemctl start docker`
  if (exitCode !== 0 || !(await waitUntil(30, answers))) {
    throw new HostError(`this machine: docker does not start: ${stderr.trim()}; see: journalctl -u docker`)
  }
  recordOurs()
}

async function startOurselves(): Promise<void> {
  const output = openSync(log, 'w', 0o600)
  const path = `${process.env.PATH}:/usr/sbin:/sbin`
  const daemon = spawn('dockerd', [], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', output, output],
    env: { ...process.env, PATH: path },
  })
  daemon.on('error', () => {})
  daemon.unref()
  const failed = () => daemon.exitCode !== null || daemon.pid === undefined
  await waitUntil(60, async () => failed() || (await answers()))
  const mark = markOf(daemon.pid ?? 0)
  if (failed() || mark === undefined || !(await answers())) {
    throw new HostError(`this machine: dockerd does not start\n${await lastLines(log)}\nthe whole log: ${log}`)
  }
  writeFileSync(ours, mark)
}

async function stop(): Promise<void> {
  const mark = readFileSync(ours, 'utf8')
  if (mark === 'systemd') {
    await here`timeout 90 systemctl stop docker.socket docker`
  } else if (!(await end(mark, 45))) {
    throw new HostError(`this machine: dockerd (process ${Number.parseInt(mark, 10)}) does not end; its log: ${log}`)
  }
  rmSync(ours)
  // The one thing that a daemon leaves standing; the next one makes it again.
  await here`ip link delete docker0`
}

function recordOurs(): void {
  const mark = existsSync('/run/systemd/system') ? 'systemd' : markOf(dockerdPid() ?? 0)
  if (mark !== undefined) writeFileSync(ours, mark)
}

async function runsAlready(): Promise<boolean> {
  const pid = dockerdPid()
  return pid !== undefined && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'dockerd'
}

/** The process that dockerd's own file names, if there is such a process. */
function dockerdPid(): number | undefined {
  if (!existsSync(pidFile)) return undefined
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
  return markOf(pid) === undefined ? undefined : pid
}

/** A file per running process of a checkout: containers are seen anyway, but a run that has none yet is not. */
function registerUse(): void {
  mkdirSync(users, { recursive: true, mode: 0o700 })
  writeFileSync(ownReference(), '')
}

function ownReference(): string {
  return join(users, `${checkoutHash}.${markOf(process.pid)}`)
}

function othersInUse(): string[] {
  const stale = readdirSync(users).filter((name) => !isAlive(name.split('.')[1] ?? ''))
  for (const name of stale) rmSync(join(users, name), { force: true })
  return readdirSync(users)
}
