import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { domainServer, nothingHere } from '../../../lib/platform/domain-server.ts'
import { blocks, directivesOf, plain } from '../../support/nginx-config.ts'

const domain = 'shop.example.org'
const wanted = { domain, httpsPort: 443, ipv6: false, inner: nothingHere }
const servers = (more: object = {}) => blocks(directivesOf(domainServer({ ...wanted, ...more })), 'server')

test('a domain has its own certificate on 443, and port 80 answers the authority and leads there', () => {
  const [http = [], https = [], ...others] = servers()
  assert.is(others.length, 0)
  assert.equal(plain(http), ['listen 80', `server_name ${domain}`])
  assert.equal(blocks(http, 'location', '/.well-known/acme-challenge/').map(plain), [
    ['root /var/lib/botgarden/acme', 'default_type text/plain'],
  ])
  assert.equal(blocks(http, 'location', '/').map(plain), [[`return 301 https://${domain}$request_uri`]])
  assert.equal(plain(https), [
    'listen 443 ssl',
    'http2 on',
    `server_name ${domain}`,
    `ssl_certificate /etc/botgarden/tls/${domain}/current/fullchain.pem`,
    `ssl_certificate_key /etc/botgarden/tls/${domain}/current/privkey.pem`,
    'add_header Strict-Transport-Security max-age=63072000 always',
    "add_header Content-Security-Policy default-src 'none'; frame-ancestors 'none' always",
    'add_header X-Content-Type-Options nosniff always',
  ])
  assert.equal(blocks(https, 'location', '/').map(plain), [['return 404']])
})

test('another port is named where it leads to, and IPv6 is listened to where the host has it', () => {
  const [http = [], https = []] = servers({ httpsPort: 8443, ipv6: true })
  assert.equal(plain(http).slice(0, 2), ['listen 80', 'listen [::]:80'])
  assert.equal(blocks(http, 'location', '/').map(plain), [[`return 301 https://${domain}:8443$request_uri`]])
  assert.equal(plain(https).slice(0, 2), ['listen 8443 ssl', 'listen [::]:8443 ssl'])
})

test('HTTPS on port 80 leaves no plain HTTP', () => {
  assert.equal(
    servers({ httpsPort: 80 }).map((each) => plain(each)[0]),
    ['listen 80 ssl'],
  )
})

test('what is served is within the server of HTTPS', () => {
  const [, https = []] = servers({ inner: 'location /a {\n    return 204;\n}\n' })
  assert.equal(blocks(https, 'location', '/a').map(plain), [['return 204']])
})

test.run()
