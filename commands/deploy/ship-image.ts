import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { local } from '../../lib/shell/local.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { upload } from '../../lib/ssh/upload.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { contextLabel } from '../../roles/bot/image.ts'
import type { BuildContext } from '../../roles/bot/spec/build-context.ts'
import { contextArchivePath, imageArchivePath } from '../../roles/bot/spec/layout.ts'

/** Uploads a build context, or the image built from it on this machine under the name of one bot. Throws a `UsageError`. */
export async function ship(
  image: string,
  context: BuildContext,
  connection: Connection,
  { buildsHere, progress }: { buildsHere: boolean; progress: (line: string) => void },
): Promise<void> {
  if (buildsHere) return shipImage(image, context, connection, progress)
  await upload(connection, contextArchivePath(context), Readable.from([Buffer.from(context.archive, 'base64')]))
}

async function shipImage(
  image: string,
  context: BuildContext,
  connection: Connection,
  progress: (line: string) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'botgarden-ship-'))
  try {
    const platform = `linux/${connection.facts.architecture}`
    progress(`building ${image} for ${platform} on this machine`)
    const file = join(folder, 'image.tar.gz')
    const quiet = local({ quiet: true, nothrow: true })
    const built = await quiet({
      input: Buffer.from(context.archive, 'base64'),
    })`docker build --platform ${platform} --label ${contextLabel(context)} --tag ${image} ${context.options} - 2>&1`
    if (built.exitCode !== 0)
      throw new UsageError(`--build local: docker build failed on this machine\n${tail(built.stdout)}`)
    const saved = await quiet`docker save --output ${`${file}.tar`} ${image} && gzip --fast <${`${file}.tar`} >${file}`
    if (saved.exitCode !== 0)
      throw new UsageError(`--build local: docker save failed on this machine\n${tail(saved.stderr)}`)
    await upload(connection, imageArchivePath(context), createReadStream(file), (bytes) =>
      progress(`${image}: ${Math.round(bytes / 1e6)} MB uploaded`),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

function tail(output: string): string {
  return output.trim().split('\n').slice(-20).join('\n')
}
