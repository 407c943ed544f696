import { type ScratchHost, scratchHost } from './scratch-host.ts'

/** A host where nginx and PostgreSQL run and nothing was released, with the secrets of a bot `hello` and images of two versions. */
export function switchingHost(): ScratchHost {
  const host = scratchHost()
  const nginx = '/opt/botgarden/nginx'
  for (const each of [
    '/run/botgarden/nginx',
    `${nginx}/conf/bots`,
    `${nginx}/generations`,
    '/var/lib/botgarden/bots',
    '/opt/botgarden/bots',
  ])
    host.folder(each)
  host.write(`${nginx}/conf/nginx.conf`, 'include bots/*.conf;\n')
  for (const name of ['token', 'webhook-secret']) host.write(`/etc/botgarden/secrets/bots/hello/${name}`, `the-${name}`)
  for (const name of ['nginx', 'postgres']) host.container(`botgarden-${name}`)
  for (const image of ['hello:1', 'hello:2']) host.note(`images/${image}`, '')
  return host
}
