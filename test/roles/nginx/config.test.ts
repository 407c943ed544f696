// What nginx is told, read as it reads it. That it does so is seen on the sandbox.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { locationText } from '../../../roles/bot/release/nginx-route.ts'
import { configText } from '../../../roles/nginx/config.ts'
import { blocks, type Directive, directivesOf, plain } from '../../support/nginx-config.ts'

const edge = { name: 'b.example.org', port: 443, ipv6: true, telegram: ['149.154.160.0/20', '91.108.4.0/22'] }
const whole = (more: Partial<typeof edge> = {}) => directivesOf(configText({ ...edge, ...more }))
const one = (directives: readonly Directive[], ...words: string[]) => {
  const [found, ...more] = blocks(directives, ...words)
  if (found === undefined || more.length > 0) throw new Error(`not one ${words.join(' ')}`)
  return found
}
const http = (more = {}) => one(whole(more), 'http')
const servers = (more = {}) => blocks(http(more), 'server')
const shown = (block: readonly Directive[]): unknown[] =>
  block.map(({ words, block }) => (block === undefined ? words.join(' ') : [words.join(' '), ...shown(block)]))

test('as a whole: workers of its own user, and nothing written beside /tmp', () => {
  assert.equal(plain(whole()), [
    'user nginx',
    'worker_processes auto',
    'worker_shutdown_timeout 60s',
    'pid /tmp/nginx.pid',
    'error_log /dev/stderr warn',
  ])
  assert.equal(plain(one(whole(), 'events')), ['worker_connections 2048'])
  for (const [name, folder] of plain(http()).flatMap((line) => (/_temp_path /.test(line) ? [line.split(' ')] : [])))
    assert.match(folder ?? '', /^\/tmp\//, name)
  assert.is(plain(http()).filter((line) => /_temp_path /.test(line)).length, 5)
})

test('the servers of bots are read only where a bot has a domain, and a name may be as long as DNS allows', () => {
  const more = plain(http({ sites: true })).filter((line) => !plain(http()).includes(line))
  assert.equal(more, ['server_names_hash_bucket_size 512', 'include sites/*.conf'])
  assert.is(servers({ sites: true }).length, servers().length)
})

test('the log has no query, no header and no body', () => {
  const [format = ''] = plain(http()).filter((line) => line.startsWith('log_format'))
  assert.match(format, /^log_format json escape=json /)
  const [, , , ...parts] = format.split(/(?<=json) /)
  assert.equal(
    [...format.matchAll(/"(\w+)":"?\$(\w+)/g)].map(([, key, name]) => [key, name]),
    [
      ['time', 'time_iso8601'],
      ['remote', 'remote_addr'],
      ['host', 'host'],
      ['method', 'request_method'],
      ['uri', 'uri'],
      ['bot', 'bot'],
      ['status', 'status'],
      ['bytes', 'body_bytes_sent'],
      ['seconds', 'request_time'],
      ['upstreamStatus', 'upstream_status'],
      ['upstreamSeconds', 'upstream_response_time'],
    ],
  )
  assert.equal(parts, [])
  assert.ok(plain(http()).includes('access_log /dev/stdout json'))
  assert.equal(shown(one(http(), 'map', '$uri', '$bot')), ['~^/tg/(?<name>[a-z0-9-]+)$ $name', 'default '])
})

test('strangers are limited, Telegram’s networks are not', () => {
  assert.equal(shown(one(http(), 'geo', '$stranger_by_address')), [
    'default 1',
    '149.154.160.0/20 0',
    '91.108.4.0/22 0',
  ])
  assert.equal(shown(one(http(), 'map', '$stranger_by_address', '$stranger')), ['0 ', '1 $binary_remote_addr'])
  assert.equal(
    plain(http()).filter((line) => line.startsWith('limit_')),
    [
      'limit_req_zone $stranger zone=strangers:2m rate=5r/s',
      'limit_req_status 429',
      'limit_conn_zone $stranger zone=strangers_connections:2m',
      'limit_conn_status 429',
      'limit_req zone=strangers burst=20 nodelay',
      'limit_conn strangers_connections 20',
    ],
  )
})

test('bodies and times have an end', () => {
  assert.equal(
    plain(http()).filter((line) => /^(client_(max|body_b|body_timeout|header)|send_|keepalive)/.test(line)),
    [
      'client_max_body_size 1m',
      'client_body_buffer_size 128k',
      'client_header_timeout 10s',
      'client_body_timeout 10s',
      'send_timeout 10s',
      'keepalive_timeout 75s',
    ],
  )
})

test('TLS by Mozilla’s intermediate guideline', () => {
  const tls = plain(http()).filter((line) => line.startsWith('ssl_'))
  assert.equal(
    tls.filter((line) => !line.startsWith('ssl_ciphers')),
    [
      'ssl_protocols TLSv1.2 TLSv1.3',
      'ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1:secp384r1',
      'ssl_prefer_server_ciphers on',
      'ssl_conf_command Options PrioritizeChaCha',
      'ssl_session_timeout 1d',
      'ssl_session_cache shared:tls:2m',
      'ssl_session_tickets off',
    ],
  )
  const ciphers =
    tls
      .find((line) => line.startsWith('ssl_ciphers'))
      ?.split(' ')[1]
      ?.split(':') ?? []
  assert.is(ciphers.length, 6)
  for (const cipher of ciphers)
    assert.match(cipher, /^ECDHE-(ECDSA|RSA)-(AES128-GCM-SHA256|AES256-GCM-SHA384|CHACHA20-POLY1305)$/)
})

test('what a bot is told of whoever comes, and how long it is waited for', () => {
  assert.equal(
    plain(http()).filter((line) => /^proxy_(?!temp)/.test(line)),
    [
      'proxy_http_version 1.1',
      'proxy_set_header Host $host',
      'proxy_set_header Connection ',
      'proxy_set_header X-Forwarded-For $remote_addr',
      'proxy_set_header X-Forwarded-Proto https',
      'proxy_connect_timeout 2s',
      'proxy_read_timeout 50s',
      'proxy_next_upstream off',
    ],
  )
  assert.equal(
    plain(http()).filter((line) => /^(server_tokens|default_type)/.test(line)),
    ['server_tokens off', 'default_type application/octet-stream'],
  )
})

const challenge = ['location /.well-known/acme-challenge/', 'root /var/lib/botgarden/acme', 'default_type text/plain']

test('a domain: itself, the way to it, and nothing for anybody else', () => {
  assert.equal(servers().map(shown), [
    [
      'listen unix:/run/botgarden/nginx/status.sock',
      'access_log off',
      'limit_req_dry_run on',
      'limit_conn_dry_run on',
      ['location = /config', 'include checksum.conf'],
      ['location /', 'return 404'],
    ],
    [
      'listen 80 default_server',
      'listen [::]:80 default_server',
      'server_name _',
      challenge,
      ['location /', 'return 444'],
    ],
    [
      'listen 80',
      'listen [::]:80',
      'server_name b.example.org',
      challenge,
      ['location /', 'return 301 https://b.example.org$request_uri'],
    ],
    ['listen 443 ssl default_server', 'listen [::]:443 ssl default_server', 'server_name _', 'ssl_reject_handshake on'],
    [
      'listen 443 ssl',
      'listen [::]:443 ssl',
      'http2 on',
      'server_name b.example.org',
      'ssl_certificate /etc/botgarden/tls/b.example.org/current/fullchain.pem',
      'ssl_certificate_key /etc/botgarden/tls/b.example.org/current/privkey.pem',
      `add_header Content-Security-Policy default-src 'none'; frame-ancestors 'none' always`,
      'add_header X-Content-Type-Options nosniff always',
      'add_header Strict-Transport-Security max-age=63072000 always',
      'error_page 502 504 = @away',
      ['location @away', 'internal', 'add_header Retry-After 2 always', 'return 503'],
      ['location /', 'root /var/empty', 'try_files /none =404'],
      'include bots/*.conf',
      'include own/*.conf',
    ],
  ])
})

const names = (more: Partial<typeof edge>) =>
  servers(more).map((server) =>
    plain(server)
      .filter((line) => /^(listen|server_name)/.test(line))
      .join(', '),
  )

test('a bare address answers everybody, and asks for no name in browsers', () => {
  const bare = { name: '192.0.2.1', ipv6: false }
  assert.equal(names(bare).slice(1), [
    'listen 80 default_server, server_name _',
    'listen 443 ssl default_server, server_name _',
  ])
  assert.not.ok(plain(servers(bare).at(-1) ?? []).some((line) => line.includes('Strict-Transport-Security')))
  assert.ok(
    plain(servers(bare).at(-1) ?? []).includes('ssl_certificate /etc/botgarden/tls/192.0.2.1/current/fullchain.pem'),
  )
})

test('HTTPS on another port, and on that of HTTP', () => {
  assert.equal(names({ port: 8443, ipv6: false }).slice(1), [
    'listen 80 default_server, server_name _',
    'listen 80, server_name b.example.org',
    'listen 8443 ssl default_server, server_name _',
    'listen 8443 ssl, server_name b.example.org',
  ])
  assert.match(configText({ ...edge, port: 8443 }), 'return 301 https://b.example.org:8443$request_uri;')
  assert.equal(names({ port: 80, ipv6: false }).slice(1), [
    'listen 80 ssl default_server, server_name _',
    'listen 80 ssl, server_name b.example.org',
  ])
})

test('what Telegram posts to a bot’s path goes to its container, and nothing else does', () => {
  assert.equal(shown(directivesOf(locationText('hello', '10.210.1.2', 8080, '/hook'))), [
    ['location = /tg/hello', ['limit_except POST', 'deny all'], 'proxy_pass http://10.210.1.2:8080/hook'],
  ])
})

test.run()
