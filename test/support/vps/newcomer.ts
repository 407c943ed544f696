import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { local } from '../../../lib/shell/local.ts'
import { quote } from '../../../lib/shell/sh.ts'
import { freshVps, sshConfigFor } from '../../../sandbox/index.ts'
import { containerOf } from '../../../sandbox/machine/paths.ts'
import { type Ended, endedIn } from './inside.ts'

const project = resolve(import.meta.dirname, '../../..')

/** A machine of somebody who has never seen a host of ours: this checkout, an ssh key, git, and nothing else. */
export function newcomer(name: string) {
  const at = endedIn(name)
  const checkout = '/root/botgarden'
  const inCheckout = (command: string) => `cd ${checkout} && export PATH="$PWD/node_modules/.bin:$PATH" && ${command}`
  return {
    checkout,
    at,
    begin: async (key: string) => {
      await freshVps(name)
      const packages = 'openssh-client libatomic1 git ca-certificates'
      const { all, status } = await at(
        `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages} && mkdir -p ${checkout}`,
        240,
      )
      if (status !== 0) throw new Error(all)
      const unpack = `docker exec -i ${containerOf(name)} tar x -C ${checkout} --no-same-owner`
      execFileSync('sh', ['-c', `tar c --exclude ./.git --exclude ./.sandbox --exclude ./backups . | ${unpack}`], {
        cwd: project,
      })
      const pair = /IdentityFile "?(.*?)"?$/m.exec(readFileSync(sshConfigFor(key), 'utf8'))?.[1] ?? ''
      await write(name, '/root/.ssh/id_ed25519', readFileSync(pair, 'utf8'))
    },
    write: (path: string, content: string) => write(name, path, content),
    read: async (path: string) => (await at(`cat ${quote(path)}`)).stdout,
    /** Runs a command line as the docs have it: `npx zx playbooks/…`. */
    type: (line: string, seconds = 1200): Promise<Ended> => at(inCheckout(line.replace(/^npx zx/, 'zx')), seconds),
    /** The same on a terminal: types an answer whenever its question is there. Returns what the terminal has shown. */
    talk: (line: string, answers: readonly (readonly [question: string, answer: string])[]) => {
      const command = inCheckout(`stty cols 200 && exec ${line.replace(/^npx zx/, 'zx')}`)
      const child = spawn(
        'docker',
        [
          'exec',
          '-i',
          '-e',
          'TERM=xterm-256color',
          containerOf(name),
          'script',
          '-q',
          '-e',
          '-c',
          command,
          '/dev/null',
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      )
      const left = [...answers]
      let shown = ''
      let answered = 0
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        shown += text
        const [question, answer] = left[0] ?? []
        const at = question === undefined ? -1 : shown.indexOf(question, answered)
        if (question === undefined || answer === undefined || at < 0) return
        answered = at + question.length
        left.shift()
        child.stdin.write(`${answer}\r`)
      })
      return new Promise<{ code: number | null; shown: string; unasked: readonly string[] }>((done, failed) => {
        child.on('error', failed)
        child.on('close', (code) => done({ code, shown, unasked: left.map(([question]) => question) }))
      })
    },
  }
}

function write(name: string, path: string, content: string) {
  const command = `umask 077; mkdir -p ${quote(path.replace(/\/[^/]*$/, ''))}; cat >${quote(path)}`
  return local({ input: content })`docker exec -i ${containerOf(name)} sh -c ${command}`
}
