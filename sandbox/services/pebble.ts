import { HostError } from '../../lib/std/errors.ts'
import { imageOf } from '../images/image.ts'
import { pebble } from '../images/index.ts'
import { docker } from '../machine/docker-cli.ts'
import { paths } from '../machine/paths.ts'
import type { Progress } from '../machine/progress.ts'
import { writeAtomic } from '../machine/write-atomic.ts'
import { inPart, type Part } from './service.ts'

/** The certificate authority: ACME at https://pebble.sandbox:14000/dir, its management at port 15000. */
export function pebblePart(nameServer: string): Part {
  return {
    name: 'pebble',
    image: (progress) => imageOf(pebble, progress),
    command: ['pebble', '-config', 'config.json', '-dnsserver', `${nameServer}:53`],
  }
}

/** Writes the root certificate of Pebble's own HTTPS. The certificates that it issues have another root: see `acmeRoots`. */
export async function writeAuthority(progress: Progress): Promise<void> {
  const image = await imageOf(pebble, progress)
  writeAtomic(paths.acmeCa, `${await docker(['run', '--rm', image, 'cat', 'ca.pem'])}\n`)
}

/** The root of what Pebble issues, as PEM: another one after every start, when it has also forgotten all accounts. */
export async function acmeRoots(): Promise<string> {
  const url = 'https://pebble.sandbox:15000/roots/0'
  const { status, stdout, stderr } = await inPart('pebble', `curl -sS --fail --max-time 10 --cacert ca.pem ${url}`)
  if (status !== 0) throw new HostError(`this machine: the sandbox's certificate authority does not answer: ${stderr}`)
  return stdout
}
