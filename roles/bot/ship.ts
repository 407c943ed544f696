import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../lib/errors.ts'
import { local } from '../../lib/local.ts'
import { ask } from '../../lib/requests.ts'
import { sh } from '../../lib/sh.ts'
import type { Connection } from '../../lib/ssh.ts'
import { upload } from '../../lib/upload.ts'
import type { Context } from './context.ts'

/** Where an image lies on the host before its engine takes it in. */
export function archiveOf(bot: string): string {
  return `/var/lib/botgarden/incoming/${bot}.tar.gz`
}

/** Builds an image on this machine, for the host's architecture, and lays it on the host, unless it has it already. */
export async function ship(
  bot: string,
  image: string,
  context: Context,
  connection: Connection,
  progress: (line: string) => void,
): Promise<void> {
  const there = await ask(connection, sh`docker image inspect --format there ${image} 2>/dev/null || :`)
  if (there.includes('there')) return
  const folder = await mkdtemp(join(tmpdir(), 'botgarden-ship-'))
  try {
    const platform = `linux/${connection.facts.architecture}`
    progress(`building ${image} for ${platform} on this machine`)
    const file = join(folder, 'image.tar.gz')
    const input = Buffer.from(context.archive, 'base64')
    const quiet = local({ quiet: true, nothrow: true })
    const built = await quiet({
      input,
    })`docker build --platform ${platform} --label ${`botgarden.bot=${bot}`} --tag ${image} - 2>&1`
    if (built.exitCode !== 0)
      throw new UsageError(`--build local: docker build failed on this machine\n${tail(built.stdout)}`)
    const saved = await quiet`docker save --output ${`${file}.tar`} ${image} && gzip --fast <${`${file}.tar`} >${file}`
    if (saved.exitCode !== 0)
      throw new UsageError(`--build local: docker save failed on this machine\n${tail(saved.stderr)}`)
    await upload(connection, archiveOf(bot), createReadStream(file), (bytes) =>
      progress(`${image}: ${Math.round(bytes / 1e6)} MB are on the host`),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

function tail(output: string): string {
  return output.trim().split('\n').slice(-20).join('\n')
}
