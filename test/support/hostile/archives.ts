import { gzipSync } from 'node:zlib'
import type { HostileCopy } from './copies.ts'
import { type Entry, tar } from './marks.ts'

const secrets = 'etc/botgarden/secrets/bots/hello-bot'
const entry = (what: string, says: RegExp, ...entries: Entry[]) => ({ what, says, entries })

/** Archives of files, as `--host` takes them. */
export async function archives(): Promise<HostileCopy[]> {
  const bad = [
    entry('a hard link to etc/shadow as a secret', /is a hard link/, {
      name: `${secrets}/X`,
      type: 'link',
      linkname: 'etc/shadow',
    }),
    entry('a link to /etc/shadow as a secret', /is a link to/, {
      name: `${secrets}/X`,
      type: 'symlink',
      linkname: '/etc/shadow',
    }),
    entry(
      'a link to /etc as a bot’s folder, and a file in it',
      /is a link to/,
      { name: secrets, type: 'symlink', linkname: '/etc' },
      { name: `${secrets}/shadow`, content: 'x' },
    ),
    entry('root’s authorized_keys', /is outside the folders of a backup/, {
      name: 'root/.ssh/authorized_keys',
      content: 'x',
    }),
    entry('a job of cron', /is outside the folders of a backup/, { name: 'etc/cron.d/x', content: 'x' }),
    entry('a path up', /is an unsafe path/, { name: 'etc/botgarden/../shadow', content: 'x' }),
    entry('a path from the root', /is an unsafe path/, { name: '/etc/shadow', content: 'x' }),
    entry('a path up in an extended header', /is an unsafe path/, {
      name: `${secrets}/X`,
      content: 'x',
      pax: { path: 'etc/botgarden/../../root/x' },
    }),
    entry('a link to /etc/shadow in an extended header', /is a link to/, {
      name: `${secrets}/X`,
      type: 'symlink',
      linkname: 'a',
      pax: { linkpath: '/etc/shadow' },
    }),
    entry('a device', /is a block-device/, { name: `${secrets}/X`, type: 'block-device' }),
    entry('a pipe', /is a fifo/, { name: `${secrets}/X`, type: 'fifo' }),
    entry('a secret twice', /occurs twice/, { name: `${secrets}/X` }, { name: `${secrets}/X` }),
    entry('a name with ESC', /has control characters in its name/, { name: `${secrets}/\x1b[2J` }),
    entry('a secret of 2 MB', /more than the limit of/, { name: `${secrets}/X`, content: 'x'.repeat(2 ** 21) }),
    entry('an allocation of a bot called ../../etc', /is not a bot with a unique number/, {
      name: 'var/lib/botgarden/allocations',
      content: '../../etc 1\n',
    }),
    entry('two bots of one number', /is not a bot with a unique number/, {
      name: 'var/lib/botgarden/allocations',
      content: 'hello-bot 1\nb 1\n',
    }),
  ]
  const good = await tar([{ name: `${secrets}/X`, content: 'x'.repeat(4096) }])
  const whole: [string, RegExp, Buffer][] = [
    ['65 MB of files', /is larger than \d+ bytes/, Buffer.alloc(65 * 2 ** 20)],
    ['an archive that is gzipped', /the file archive of the backup is invalid/, gzipSync(good)],
    ['an archive that is cut', /the file archive of the backup is invalid/, good.subarray(0, 2000)],
  ]
  const built = bad.map(async ({ what, says, entries }) => ({ what, says, copy: { files: await tar(entries) } }))
  return [
    ...(await Promise.all(built)),
    ...whole.map(([what, says, files]) => ({ what, says, copy: { files } })),
    { what: 'globals of 2 MB', says: /globals\.sql\.age: is larger than/, copy: { globals: ' '.repeat(2 ** 21) } },
  ]
}
