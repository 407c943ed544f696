import * as v from 'valibot'
import { fromReading, refuseWhen } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { etcDir, optDir, runDir, stateDir } from '../../lib/model/host-layout.ts'
import { becomes, type Prediction, type Read, type Resource } from '../../lib/model/resource.ts'
import { type HostEntry, type Role, role } from '../../lib/model/role.ts'
import { selfSigned, tlsFolder } from '../../lib/platform/certificate.ts'
import { allDomains, domainFolder, domainsOf } from '../../lib/platform/domains.ts'
import { images } from '../../lib/platform/image-versions.ts'
import {
  acmeWebroot,
  commonState,
  nginxContainer,
  nginxFile,
  nginxFolder,
  nginxReloaded,
  nginxState,
  readsSites,
  withSites,
} from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { type NamesThere, namesThere } from '../../lib/platform/site-file.ts'
import { composeProject, hardened, mount } from '../../lib/resources/compose.ts'
import { directory } from '../../lib/resources/file.ts'
import { pulledImage } from '../../lib/resources/image.ts'
import { runFolder } from '../../lib/resources/runtime-directory.ts'
import { configText } from './config.ts'
import { firstGeneration } from './generation.ts'
import { freePorts } from './ports.ts'
import { served, servedDomains } from './served.ts'

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
  const domains = allDomains(host)
  return [
    directory(optDir),
    directory(etcDir, { mode: '0700' }),
    directory(tlsFolder, { mode: '0700' }),
    directory(`${tlsFolder}/${name}`, { mode: '0700' }),
    selfSigned(name, { placeholder: true }),
    ...domains.flatMap(domainFolder),
    directory(stateDir, { mode: '0700' }),
    directory(acmeWebroot),
    directory(`${acmeWebroot}/.well-known`),
    directory(`${acmeWebroot}/.well-known/acme-challenge`),
    ...runFolder('nginx'),
    directory(nginxFolder),
    ...['conf', 'conf/bots', 'conf/own', 'generations'].map((each) => directory(`${nginxFolder}/${each}`)),
    ...sitesFolder(domains),
    configuration(host, facts, telegram),
    firstGeneration(),
    pulledImage(image),
    freePorts(nginxContainer, [...new Set([80, host.httpsPort])]),
    ...composeProject({ name: nginxContainer, folder: nginxFolder, service: service(image), whenStarted: [started] }),
    nginxReloaded(),
    served(name, host.httpsPort),
    ...domainsServed(domains, host.httpsPort),
  ]
})

/** What nginx needs for the domains of these bots alone, on a host that `nginx` was applied to. */
export function nginxOfDomains(bots: readonly string[]): Role {
  return role('nginx', vars, ({ telegram }, facts, host) => {
    const domains = host.bots.filter(({ name }) => bots.includes(name)).flatMap(domainsOf)
    if (domains.length === 0) return []
    const reason = (read: Read) => {
      if (read(nginxState) === 'absent') return `no nginx is here: ${siteFirst(host)}`
      const taken = servedForAnother(domains, bots, read(namesThere))
      // Its file is of no bot of this run, or of one that has no domain any more.
      return taken && `${taken.domain} is served for ${taken.bot} so far: ${siteFirst(host)}, which moves it`
    }
    return [
      ...domains.flatMap(domainFolder).map((inner) => refuseWhen([nginxState, namesThere], reason, inner)),
      ...sitesFolder(domains),
      configuration(host, facts, telegram),
      ...domainsServed(domains, host.httpsPort),
    ]
  })
}

/** The first of these domains that nginx has a server for in the file of a bot that is none of these. */
function servedForAnother(domains: readonly string[], bots: readonly string[], { sites }: NamesThere) {
  const taken = Object.entries(sites).flatMap(([bot, names]) =>
    bots.includes(bot) ? [] : names.filter((name) => domains.includes(name)).map((domain) => ({ bot, domain })),
  )
  return taken[0]
}

function siteFirst({ name }: HostEntry): string {
  return `run npx zx playbooks/site.ts --limit ${name} first`
}

function configuration(host: HostEntry, facts: Facts, telegram: readonly string[]): Resource {
  const name = publicName(host, facts)
  const sites = allDomains(host).length > 0
  const config = configText({ name, port: host.httpsPort, ipv6: facts.ipv6, telegram, sites })
  return fromReading(commonState, 'absent', (there) =>
    // A bot with routes has had nginx read the files that its locations refer to.
    nginxFile('nginx.conf', (now) => (there !== 'absent' || readsSites(now) ? withSites(config) : config), config),
  )
}

function sitesFolder(domains: readonly string[]): Resource[] {
  return domains.length === 0 ? [] : [directory(`${nginxFolder}/conf/sites`)]
}

function domainsServed(domains: readonly string[], port: number): Resource[] {
  return domains.length === 0 ? [] : [servedDomains(domains, port)]
}

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
