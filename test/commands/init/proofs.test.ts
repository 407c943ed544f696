import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as listen } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { proveDns } from '../../../commands/init/prove-dns.ts'
import { proveReached } from '../../../commands/init/prove-ports.ts'
import { botOfToken } from '../../../commands/init/prove-token.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { errorOf } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { connectionTo, framedConnectionTo, scratchHost } from '../../support/scratch-host.ts'

const token = new Secret(`123456:${'s'.repeat(35)}`)

/** A Bot API that answers so to whatever it is asked. */
async function botApi(status: number, body: string): Promise<{ url: string; asked: string[]; close: () => void }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(status).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close: () => server.close() }
}

test('Telegram tells whose token it is', async () => {
  const api = await botApi(200, '{"ok":true,"result":{"username":"my_bot"}}')
  assert.is(await botOfToken(token, api.url), '@my_bot')
  assert.equal(api.asked, [`/bot${token.reveal()}/getMe`])
  api.close()
})

for (const code of [401, 404])
  test(`a token that Telegram refuses by ${code} is an error without the token in it`, async () => {
    const api = await botApi(code, `{"ok":false,"error_code":${code},"description":"Unauthorized"}`)
    const { message } = await errorOf(botOfToken(token, api.url), HostError)
    assert.match(message, /^Telegram refuses this token/)
    assert.not.match(message, token.reveal())
    api.close()
  })

test('what does not answer as Telegram does proves nothing', async () => {
  for (const [status, body] of [
    [502, '<html>'],
    [200, 'null'],
    [429, '{"ok":false,"error_code":429}'],
  ] as const) {
    const api = await botApi(status, body)
    assert.is(await botOfToken(token, api.url), undefined, body)
    api.close()
  }
  assert.is(await botOfToken(token, 'http://127.0.0.1:9'), undefined)
})

const dns = async (answer: string, reached?: string) =>
  proveDns('bots.invalid', reached, connectionTo(scratchHost({ getent: `printf '%b' '${answer}'` })))

test('a name that leads to the host is right, by its own address or by the one that ssh came to', async () => {
  assert.equal(await dns(`${facts.addresses[0]} STREAM\\n`), { addresses: [facts.addresses[0]] })
  assert.equal(await dns('203.0.113.99 STREAM\\n', '203.0.113.99'), { addresses: ['203.0.113.99'] })
})

test('a name that leads elsewhere, beside it or nowhere is told with the record that it should have', async () => {
  assert.match((await dns('')).fault ?? '', /^bots\.invalid leads nowhere: give it an A record with \d/)
  assert.match((await dns('203.0.113.99 STREAM\\n')).fault ?? '', /not the host's \(A 203\.0\.113\.99\)/)
  const both = await dns(`${facts.addresses[0]} STREAM\\n2001:db8::99 STREAM\\n`)
  assert.match(both.fault ?? '', /\(AAAA 2001:db8::99\)/)
  assert.match((await dns('; rm -rf / STREAM\\n')).fault ?? '', /leads nowhere/)
})

async function freePort(): Promise<number> {
  const server = listen().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('ports are tried from here while the host listens there', async () => {
  const ports = [await freePort(), await freePort()]
  assert.equal(await proveReached('127.0.0.1', ports, framedConnectionTo(scratchHost())), [])
})

test('a port that something listens on already is taken as it is', async () => {
  const server = listen((socket) => socket.destroy()).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.equal(await proveReached('127.0.0.1', [port, await freePort()], framedConnectionTo(scratchHost())), [])
  server.close()
})

test('a port that is not reached is told with who can open it', async () => {
  const deaf = framedConnectionTo(scratchHost({ perl: 'echo ready' }))
  const [fault] = await proveReached('127.0.0.1', [await freePort()], deaf)
  assert.match(fault ?? '', /^port \d+ of 127\.0\.0\.1 cannot be reached from here: open it in the provider's firewall/)
})

test.run()
