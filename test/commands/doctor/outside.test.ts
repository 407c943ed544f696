// What is tried from outside, against servers of this machine: nothing of botgarden is in between.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isPrivate, sshAddress } from '../../../commands/doctor/outside/address.ts'
import { certificateFaults } from '../../../commands/doctor/outside/certificate-promise.ts'
import { type Handshake, handshake } from '../../../commands/doctor/outside/handshake.ts'
import { openPorts, wellKnownPorts } from '../../../commands/doctor/outside/scan.ts'
import { webAnswer } from '../../../commands/doctor/outside/web-request.ts'

const folder = mkdtempSync(join(tmpdir(), 'outside-'))
const servers: Server[] = []
test.after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

const listening = async (server: Server) => {
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']

/** A pair for this name in two files, by itself or by an authority. */
function pair(name: string, days: number, issuer?: string): { key: Buffer; cert: string } {
  const by = issuer === undefined ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  openssl(
    'req',
    '-x509',
    ...curve,
    ...subject,
    ...by,
    '-days',
    String(days),
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  )
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const chain = issuer === undefined ? '' : read(`${issuer}.pem`)
  return { key: readFileSync(join(folder, `${name}.key`)), cert: `${read(`${name}.pem`)}${chain}` }
}

async function shown(server: { key: Buffer; cert: string }, name: string): Promise<Handshake> {
  return handshake('127.0.0.1', await listening(createTlsServer(server)), name)
}

// The certificates are made a moment after it.
const now = Date.now() + 3_600_000
const custom = { server: 'https://pebble.sandbox:14000/dir' }

test('a port is open where something listens, and the known ones are in order', async () => {
  const port = await listening(createServer())
  assert.equal(await openPorts('127.0.0.1', [port, 1]), [port])
  assert.is(new Set(wellKnownPorts).size, wellKnownPorts.length)
  for (const each of [22, 2375, 5432, 6379, 27017]) assert.ok(wellKnownPorts.includes(each))
})

test('a certificate that is good for its name, by an authority whose root nobody here knows', async () => {
  pair('authority.example', 90)
  const good = await shown(pair('b.example.org', 60, 'authority.example'), 'b.example.org')
  assert.equal(certificateFaults('b.example.org', good, custom, now), [])
  assert.match(
    certificateFaults('b.example.org', good, {}, now).join(),
    /^clients refuse the certificate for b\.example\.org/,
  )
  assert.match(
    certificateFaults('c.example.org', good, custom, now).join(),
    /^the certificate for c\.example\.org is for b\.example\.org$/,
  )
  assert.match(certificateFaults('b.example.org', good, custom, now + 55 * 86_400_000).join(), /ends in 4 days/)
  assert.match(certificateFaults('b.example.org', good, custom, now + 70 * 86_400_000).join(), /has ended/)
  assert.match(certificateFaults('b.example.org', good, custom, now - 86_400_000).join(), /not valid yet/)
})

test('one by itself is good where the inventory says so, and one without its issuer is not whole', async () => {
  const self = await shown(pair('s.example.org', 60), 's.example.org')
  assert.equal(certificateFaults('s.example.org', self, { certificate: 'self-signed' }, now), [])
  assert.match(certificateFaults('s.example.org', self, custom, now).join(), /no authority has signed/)
  const { key, cert } = pair('t.example.org', 60, 'authority.example')
  const [leaf = ''] = cert.split(/(?<=-----END CERTIFICATE-----\n)/)
  const alone = await shown({ key, cert: leaf }, 't.example.org')
  assert.match(certificateFaults('t.example.org', alone, custom, now).join(), /without that of its issuer/)
  const other = readFileSync(join(folder, 's.example.org.pem'), 'utf8')
  const wrong = await shown({ key, cert: `${leaf}${other}` }, 't.example.org')
  assert.ok(certificateFaults('t.example.org', wrong, custom, now).length > 0)
})

test('a server that refuses the name, and one that is not there', async () => {
  const tls = createTlsServer({ SNICallback: (_, done) => done(new Error('unknown')) })
  tls.on('tlsClientError', () => {})
  assert.ok('refused' in (await handshake('127.0.0.1', await listening(tls), 'unknown.invalid')))
  assert.equal(await handshake('127.0.0.1', 1, 'x.example'), { refused: 'ECONNREFUSED' })
  const silent = await listening(createServer())
  assert.equal(await handshake('127.0.0.1', silent, 'x.example', 50), { refused: 'no answer' })
})

test('a web server that leads on, hangs up, or wants a stranger to wait', async () => {
  let waits = 2
  const port = await listening(
    createWebServer(({ headers, socket }, response) => {
      if (headers.host?.startsWith('unknown')) return socket.destroy()
      if (headers.host?.startsWith('busy') && waits-- > 0) return response.writeHead(429).end()
      response.writeHead(301, { location: `https://${headers.host}/` }).end()
    }),
  )
  const of = (name: string) => webAnswer({ address: '127.0.0.1', port, name, path: '/' })
  assert.equal(await of('b.example'), { status: 301, location: `https://b.example:${port}/` })
  assert.is(await of('unknown.invalid'), 'closed')
  assert.is(((await of('busy.example')) as { status: number }).status, 301)
})

test('the address of ssh is that of a stranger only where nothing is in between', () => {
  assert.is(sshAddress('user root\nhostname 203.0.113.7\nport 22\n'), '203.0.113.7')
  assert.is(sshAddress('hostname 203.0.113.7\nproxyjump none\n'), '203.0.113.7')
  for (const [own, more] of [
    ['10.0.0.5', 'proxyjump bastion'],
    ['10.0.0.5', 'proxycommand nc %h %p'],
    ['127.0.0.1', 'port 42197'],
    ['localhost', ''],
  ])
    assert.is(sshAddress(`hostname ${own}\n${more}\n`), undefined)
  const privates = ['10.1.2.3', '172.16.0.1', '172.31.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1', 'fe80::1']
  for (const each of privates) assert.ok(isPrivate(each), each)
  for (const each of ['172.32.0.1', '203.0.113.7', '100.128.0.1', '2001:db8::1']) assert.not.ok(isPrivate(each), each)
})

test.run()
