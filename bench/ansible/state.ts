// What site.ts states of a machine, as variables of a playbook: from its roles, and for the contents of files from the machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import { readInventory } from '../../lib/inventory/inventory.ts'
import { images } from '../../lib/platform/image-versions.ts'
import { sh } from '../../lib/shell/sh.ts'
import { connect } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { allRoles } from '../../roles/index.ts'
import type { Field } from '../field.ts'

export interface MainJob {
  readonly variables: Readonly<Record<string, unknown>>
  /** How many of its resources the lists have, of all. */
  readonly stated: readonly [number, number]
}

/** The variables of `main-job.yaml` for one host of a field; the contents of its files are put into a folder. */
export async function mainJob(field: Field, name: string, contents: string): Promise<MainJob> {
  const { hosts } = await readInventory(field.inventory, allRoles)
  const host = hosts.find((each) => each.name === name)
  if (host === undefined) throw new Error(`${field.inventory} has no host ${name}`)
  const connection = await connect({ name, ssh: name, sshConfig: field.sshConfig, acceptNew: false })
  try {
    const { resources } = resourcesOf(allRoles, host.vars, connection.facts, host)
    // What only a release decides on is nothing that site.ts states of this host.
    const managed = resources.filter(
      ({ unmanageable, wants }) => unmanageable === undefined && wants !== 'as its release says',
    )
    const of = (kind: string) =>
      managed.flatMap(({ id, wants }) =>
        id.startsWith(`${kind}:`) ? [{ name: id.slice(kind.length + 1), wants }] : [],
      )
    const withPath = (kind: string) =>
      of(kind).map(({ name: path, wants }) => {
        const { mode, owner, group } = wants as { mode: string; owner: string; group: string }
        return { path, mode, owner, group }
      })
    const isThere = ({ mode }: { mode: unknown }) => mode !== undefined
    const lines = async (script: ReturnType<typeof sh>) =>
      (await ask(connection, script)).trim().split('\n').filter(Boolean)
    const stating = withPath('file').filter(isThere)
    // A file that only some bots have is none that is stated of this host.
    const existing = await lines(sh`ls -d -- ${stating.map(({ path }) => path)} 2>/dev/null || :`)
    const files = stating.filter(({ path }) => existing.includes(path))
    for (const { path } of files) {
      const file = join(contents, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, Buffer.from(await ask(connection, sh`base64 --wrap=0 ${path}`), 'base64'))
    }
    const lists = {
      packages: of('package').map((each) => each.name),
      folders: withPath('directory'),
      files,
      absent: withPath('file')
        .filter((each) => !isThere(each))
        .map(({ path }) => path),
      secrets: withPath('secret'),
      sysctls: of('sysctl').map(({ name: key, wants }) => ({ name: key, value: wants, line: `${key} = ${wants}` })),
      units: of('unit').map((each) => each.name),
    }
    const stated = Object.values(lists).reduce((sum, list) => sum + list.length, 0)
    return {
      stated: [stated, managed.length],
      variables: {
        ...lists,
        ...{
          contents,
          domain: host.domain,
          bots: host.bots.map((bot) => bot.name),
          images: [images.nginx, images.postgres],
        },
        projects: (await lines(projects)).map((line) => {
          const [name, folder, file] = line.split(' ')
          return { name, folder, file }
        }),
        records: await lines(
          sh`ls /var/lib/botgarden/allocations /var/lib/botgarden/bots/*/current.json /run/botgarden/*.started-with 2>/dev/null`,
        ),
      },
    }
  } finally {
    await connection.close()
  }
}

/** Of the containers that run: those of a bot's other colour do not. */
const projects = sh`
  docker ps --format '{{.Label "com.docker.compose.project"}} {{.Label "com.docker.compose.project.working_dir"}} {{.Label "com.docker.compose.project.config_files"}}' |
    grep ' /opt/botgarden/' | sort -u`
