import { join } from 'node:path'
import type { HostStatus } from '../commands/status/host-status.ts'
import { mapConcurrent } from '../lib/std/map-concurrent.ts'
import type { Field } from './field.ts'
import { unanswered } from './floor.ts'
import { tokens, zx } from './machines.ts'
import { timed } from './timed.ts'

/** One of those that are compared: it brings all hosts of a field to a state that they have already, or reads it. */
export interface Program {
  readonly name: string
  /** Takes part in fewer rounds, since it takes long. */
  readonly isRival?: boolean
  /** Throws where something changed, or was not looked at. */
  run(field: Field, cold: boolean): Promise<{ seconds: number; megabytes?: number }>
}

/** As long as a round takes, if need be. */
const persist = { BOTGARDEN_CONTROL_PERSIST: '600' }

export const floor: Program = {
  name: 'the floor',
  run: async ({ names, bots, sshConfig, controlPath }, cold) => {
    const started = performance.now()
    const kept = cold ? [] : [controlPath]
    // As many at once as site.ts has.
    const answers = await mapConcurrent(25, names, (name) =>
      timed([join(import.meta.dirname, 'floor.sh'), sshConfig, name, ...kept]),
    )
    const seconds = (performance.now() - started) / 1000
    for (const [i, { stdout }] of answers.entries()) {
      const missing = unanswered(stdout, { bot: i === 0 && bots.length > 0 })
      if (missing.length > 0) throw new Error(`the floor says nothing about ${missing.join(', ')}`)
    }
    return { seconds }
  },
}

/** The whole process, by node alone. */
export const site: Program = {
  name: 'site.ts',
  run: (field) => playbook([process.execPath, zx, 'playbooks/site.ts'], field),
}

/** As it is typed. */
export const typed: Program = {
  name: 'npx zx site.ts',
  run: (field) => playbook(['npx', 'zx', 'playbooks/site.ts'], field),
}

/** A release of one bot that is released already, beside the others. */
export const bot: Program = {
  name: 'bot.ts --name',
  run: async (field) => {
    const argv = [process.execPath, zx, 'playbooks/bot.ts', '--name', 'hello-bot']
    return playbook(argv, field, await tokens(field.bots, field.names[0] ?? ''))
  },
}

/** Reads every host and every bot; that one needs a person is no error. */
export const status: Program = {
  name: 'status.ts',
  run: async ({ inventory, names, bots }) => {
    const argv = [process.execPath, zx, 'playbooks/status.ts', '-i', inventory, '--json']
    const { seconds, megabytes, stdout } = await timed(argv, persist, { good: [0, 3] })
    const { hosts } = JSON.parse(stdout) as { hosts: Record<string, HostStatus> }
    const read = names.flatMap((name) => (hosts[name]?.roundTrips === 1 ? hosts[name].bots : []))
    const running = read.filter(({ container }) => container !== 'absent' && container.status === 'running')
    if (running.length !== bots.length) throw new Error(`status.ts shows ${running.length} of ${bots.length} bots`)
    return { seconds, megabytes }
  },
}

async function playbook(argv: readonly string[], field: Field, env: Record<string, string> = {}) {
  const { seconds, megabytes, stdout } = await timed([...argv, '-i', field.inventory, '--json'], { ...persist, ...env })
  const { hosts } = JSON.parse(stdout) as { hosts: Record<string, { changes: readonly { id: string }[] }> }
  const changes = field.names.flatMap(
    (name) => hosts[name]?.changes.map(({ id }) => `${name} ${id}`) ?? `all of ${name}`,
  )
  if (changes.length > 0) throw new Error(`${argv.join(' ')}: something changed: ${changes.join(', ')}`)
  return { seconds, megabytes }
}
