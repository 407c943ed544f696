import { Readable } from 'node:stream'
import { etcDir, stateDir } from '../../lib/model/host-layout.ts'
import { incoming } from '../../lib/platform/leftovers.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { upload } from '../../lib/ssh/upload.ts'
import { type TarEntry, tarOf } from '../../lib/std/tar.ts'
import { signingKey } from '../../roles/backups/paths.ts'
import { allocationsFile } from '../../roles/bot/spec/allocations.ts'
import { botFolders, layoutOf } from '../../roles/bot/spec/layout.ts'
import type { RestorableFiles } from './restorable-files.ts'

const archive = `${incoming}/files.tar`
const stage = `${incoming}/files`

/** Writes the files of a backup to a bare host, with the owners and modes that the roles use. Returns the output of the host. */
export async function writeFiles(connection: Connection, kept: RestorableFiles, ownFolder: string): Promise<string> {
  await upload(connection, archive, Readable.from([await archiveFor(kept)]))
  return ask(connection, writeFilesScript(kept, ownFolder))
}

/** A tar with the files to write. */
export async function archiveFor(kept: RestorableFiles): Promise<Buffer> {
  return Buffer.concat(await tarOf(entriesOf(kept)).toArray())
}

async function* entriesOf(kept: RestorableFiles): AsyncGenerator<TarEntry> {
  const file = (path: string, content: Buffer | string) => ({
    path,
    mode: 0o600,
    link: '',
    content: Buffer.from(content),
  })
  const numbers = [...kept.allocations].map(([bot, number]) => `${bot} ${number}\n`)
  yield file('allocations', numbers.join(''))
  for (const [bot, secrets] of kept.secrets)
    for (const [name, content] of secrets) yield file(`secrets/${bot}/${name}`, content)
  for (const [folder, content] of kept.registries) yield file(`registry/${folder}/config.json`, content)
  for (const [name, content] of kept.own) yield { ...file(`own/${name}`, content), mode: 0o644 }
  if (kept.signingKey) yield { ...file('signing-key', kept.signingKey), mode: 0o400 }
  for (const entry of kept.certificate?.entries ?? []) yield { ...entry, path: `letsencrypt/${entry.path}` }
}

/** Shell text: unpacks in a folder of root's, then moves the files. Allocations come last: with them a host counts as not bare. */
export function writeFilesScript(kept: RestorableFiles, ownFolder: string): Script {
  const bots = [...kept.secrets.keys()]
  const user = (bot: string) => String(20_000 + (kept.allocations.get(bot) ?? 0))
  const placed = (from: string, to: string) => sh`
    rm -rf ${to}
    mv -T ${`${stage}/${from}`} ${to}`
  return sh`
    (
    set -e
    umask 077
    trap 'rm -rf '${archive}' '${stage} EXIT
    rm -rf ${stage}
    mkdir ${stage}
    tar --extract --no-same-owner --preserve-permissions --file ${archive} --directory ${stage}
    sync -f ${stage}
    mkdir -p ${botFolders.secrets} ${etcDir}/registry ${stateDir}
    ${lines(
      bots.map(
        (bot) => sh`
    chown -R ${`${user(bot)}:${user(bot)}`} ${`${stage}/secrets/${bot}`}
    chmod 0400 ${`${stage}/secrets/${bot}`}/*
    chmod 0500 ${`${stage}/secrets/${bot}`}
    ${placed(`secrets/${bot}`, layoutOf(bot).secrets)}`,
      ),
    )}
    ${lines([...kept.registries.keys()].map((folder) => placed(`registry/${folder}`, `${etcDir}/registry/${folder}`)))}
    ${kept.signingKey === undefined ? sh`:` : placed('signing-key', signingKey)}
    ${kept.certificate === undefined ? sh`:` : installCertificate(kept.certificate.entries)}
    ${
      kept.own.size === 0
        ? sh`:`
        : sh`
    (umask 022; mkdir -p ${ownFolder})
    for each in ${`${stage}/own`}/*; do mv -fT "$each" ${ownFolder}/"$(basename "$each")"; done`
    }
    mv -fT ${`${stage}/allocations`} ${allocationsFile}
    sync -f /etc
    sync -f ${stateDir}
    ) 2>&1
    # With && the parentheses would go on after a command that fails.
    status=$?
    [ "$status" != 0 ] || echo unpacked`
}

/** Shell text: installs the files of certbot, unpacked in a folder. The targets of links come before the renewal configuration. */
export function installCertificate(entries: readonly TarEntry[], from = `${stage}/letsencrypt`): Script {
  const folders = [...new Set(entries.map(({ path }) => path.slice(0, path.lastIndexOf('/'))))].filter(
    (path) => path !== 'renewal',
  )
  return lines([
    sh`mkdir -p /etc/letsencrypt/renewal; chmod 0755 /etc/letsencrypt /etc/letsencrypt/renewal`,
    ...folders.map(
      (path) => sh`
    mkdir -p ${`/etc/letsencrypt/${path.slice(0, path.lastIndexOf('/'))}`}
    rm -rf ${`/etc/letsencrypt/${path}`}
    mv -T ${`${from}/${path}`} ${`/etc/letsencrypt/${path}`}`,
    ),
    ...entries
      .filter(({ path }) => path.startsWith('renewal/'))
      .map(({ path }) => sh`mv -fT ${`${from}/${path}`} ${`/etc/letsencrypt/${path}`}`),
  ])
}
