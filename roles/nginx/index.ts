import * as v from 'valibot'
import { etcDir, optDir, runDir, stateDir } from '../../lib/model/host-layout.ts'
import { becomes, type Prediction } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { selfSigned, tlsFolder } from '../../lib/platform/certificate.ts'
import { images } from '../../lib/platform/image-versions.ts'
import {
  acmeWebroot,
  nginxContainer,
  nginxFile,
  nginxFolder,
  nginxReloaded,
  nginxState,
} from '../../lib/platform/nginx.ts'
import { readsSites, withSites } from '../../lib/platform/nginx-sites.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { composeProject, hardened, mount } from '../../lib/resources/compose.ts'
import { directory } from '../../lib/resources/file.ts'
import { pulledImage } from '../../lib/resources/image.ts'
import { runFolder } from '../../lib/resources/runtime-directory.ts'
import { configText } from './config.ts'
import { firstGeneration } from './generation.ts'
import { freePorts } from './ports.ts'
import { served } from './served.ts'

/** The networks that Telegram sends updates from (core.telegram.org/bots/webhooks, 2026-11). */
const telegramNetworks = ['149.154.160.0/20', '91.108.4.0/22']

const network = v.pipe(v.string(), v.regex(/^[\da-f.:]+\/\d+$/), v.description('a network as ADDRESS/BITS'))

const vars = v.strictObject({
  /** Another build of the same version. */
  image: v.optional(
    v.pipe(v.string(), v.regex(/^\S+[:@]\S+$/), v.description('an image with its version')),
    images.nginx,
  ),
  /** Networks without a rate limit: those that Telegram sends updates from. */
  telegram: v.optional(v.array(network), telegramNetworks),
})

/** The only server that the internet reaches: ends TLS for all bots, and routes updates to each. */
export const nginx = role('nginx', vars, ({ image, telegram }, facts, host) => {
  const name = publicName(host, facts)
  const config = configText({ name, port: host.httpsPort, ipv6: facts.ipv6, telegram })
  return [
    directory(optDir),
    directory(etcDir, { mode: '0700' }),
    directory(tlsFolder, { mode: '0700' }),
    directory(`${tlsFolder}/${name}`, { mode: '0700' }),
    selfSigned(name, { placeholder: true }),
    directory(stateDir, { mode: '0700' }),
    directory(acmeWebroot),
    directory(`${acmeWebroot}/.well-known`),
    directory(`${acmeWebroot}/.well-known/acme-challenge`),
    ...runFolder('nginx'),
    directory(nginxFolder),
    ...['conf', 'conf/bots', 'conf/own', 'generations'].map((each) => directory(`${nginxFolder}/${each}`)),
    nginxFile('nginx.conf', (now) => (readsSites(now) ? withSites(config) : config), config),
    firstGeneration(),
    pulledImage(image),
    freePorts(nginxContainer, [...new Set([80, host.httpsPort])]),
    ...composeProject({ name: nginxContainer, folder: nginxFolder, service: service(image), whenStarted: [started] }),
    nginxReloaded(),
    served(name, host.httpsPort),
  ]
})

/** nginx loads the generation that `running` points to. */
const started: Prediction = becomes(nginxState, (now) => (now === 'absent' ? now : { ...now, inForce: now.current }))

/** The folder of its sockets; in the container it has the same path. */
const runtime = `${runDir}/nginx`

function service(image: string): Record<string, unknown> {
  return {
    image,
    ...hardened,
    // To bind ports below 1024 and to change to its own user; nothing else.
    cap_add: ['NET_BIND_SERVICE', 'SETUID', 'SETGID', 'CHOWN'],
    // Published ports would bypass the firewall; on the host's network its rules apply.
    network_mode: 'host',
    entrypoint: ['/bin/sh', '-c'],
    // A socket left by a killed server would keep the next one from starting.
    command: [`rm -f ${runtime}/*.sock; exec nginx -c /etc/nginx/running/nginx.conf -g 'daemon off;'`],
    stop_signal: 'SIGQUIT',
    stop_grace_period: '10s',
    volumes: [
      mount(nginxFolder, '/etc/nginx'),
      mount(tlsFolder),
      mount(acmeWebroot),
      mount(runtime, undefined, { writable: true }),
    ],
    tmpfs: ['/tmp:size=32m,mode=1777'],
    mem_limit: '96m',
    memswap_limit: '96m',
    pids_limit: 64,
    ulimits: { nofile: 8192 },
    healthcheck: {
      test: ['CMD-SHELL', `[ -S ${runtime}/status.sock ]`],
      interval: '10s',
      timeout: '5s',
      retries: 3,
      start_period: '30s',
      start_interval: '1s',
    },
  }
}
