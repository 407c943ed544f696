import type { Commands } from '../../../lib/health/finding.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { allDomains } from '../../../lib/platform/domains.ts'
import type { CertbotVars } from '../../../roles/certbot/schema.ts'
import { parseRule } from '../../../roles/ufw/rules.ts'
import { judged, type Promised, skipped, type Verdict } from '../verdict.ts'
import { certificateFaults } from './certificate-promise.ts'
import { handshake } from './handshake.ts'
import { openPorts, wellKnownPorts } from './scan.ts'
import { webAnswer } from './web-request.ts'

/** Where a host is reached from outside, and by which name. */
export interface Outside {
  readonly host: InventoryHost
  readonly name: string
  readonly address: string
}

const reachable: Promised = {
  id: 'ports',
  promise: 'from outside only the ports of ssh, the web and the inventory are open',
}
const database: Promised = { id: 'postgres-outside', promise: 'the database server is not reached from outside' }
const unknown: Promised = { id: 'unknown-name', promise: 'a handshake for an unknown name is refused' }
const certificate: Promised = {
  id: 'certificate',
  promise: 'each name is served with a certificate that is good for it',
}
const redirect: Promised = { id: 'port-80', promise: 'port 80 leads to HTTPS, and tells strangers nothing' }

/** All that is tried from outside, where a host cannot be reached from this machine. */
export function notOutside(why: string): Verdict[] {
  return [reachable, database, unknown, certificate, redirect].map((each) => skipped(each, why))
}

/** The ports that are open to strangers and should not be. `listening`: what the host says it has. */
export async function portVerdicts(
  { host, address }: Outside,
  {
    listening,
    published,
    sshPort,
    all,
  }: { listening: readonly number[]; published: readonly number[]; sshPort: number; all: boolean },
  { playbook, onHost }: Commands,
): Promise<Verdict[]> {
  const ports = all
    ? Array.from({ length: 65_535 }, (_, i) => i + 1)
    : [...new Set([...wellKnownPorts, ...listening, ...published])]
  const open = await openPorts(address, ports)
  const strange = open.filter((port) => port !== sshPort && !isAllowed(host, port))
  return [
    judged(
      reachable,
      strange.map((port) => ({
        what: `port ${port} is open at ${address}`,
        mend: published.includes(port)
          ? onHost(`sudo docker ps --filter publish=${port}`)
          : playbook('site', '--tags ufw'),
      })),
    ),
    judged(
      database,
      open
        .filter((port) => port === 5432 && strange.includes(port))
        .map((port) => ({ what: `port ${port} answers`, mend: onHost('sudo ss -ltnp sport = :5432') })),
    ),
  ]
}

/** The web ports of a host, and whether the inventory opens this one. */
export function webPorts({ vars, httpsPort }: InventoryHost): readonly number[] {
  const { web = [...new Set([80, httpsPort])] } = (vars.ufw ?? {}) as { web?: readonly number[] }
  return web
}

export function isAllowed(host: InventoryHost, port: number): boolean {
  const { allow = [] } = (host.vars.ufw ?? {}) as { allow?: readonly string[] }
  const rules = allow.map(parseRule).filter(({ protocol, on }) => protocol !== 'udp' && on === undefined)
  return (
    webPorts(host).includes(port) ||
    rules.some(({ ports }) => {
      const [first = 0, last = first] = ports.split(':').map(Number)
      return first <= port && port <= last
    })
  )
}

/** How the server shakes hands: for a name that it does not have, and for each that it has. */
export async function tlsVerdicts(
  { host, name, address }: Outside,
  now: number,
  { playbook }: Commands,
): Promise<Verdict[]> {
  const port = host.httpsPort
  const vars = (host.vars.certbot ?? {}) as Partial<CertbotVars>
  const stranger = await handshake(address, port, 'unknown.invalid')
  const faults = await Promise.all(
    [name, ...allDomains(host)].map(async (each) =>
      certificateFaults(each, await handshake(address, port, each), vars, now),
    ),
  )
  const wrong =
    'refused' in stranger ? [] : [`it shows the certificate for ${stranger.certificate.subjectAltName ?? 'no name'}`]
  return [
    host.domain === undefined
      ? skipped(unknown, 'the host has no domain: by its address it answers whoever comes')
      : judged(
          unknown,
          wrong.map((what) => ({ what, mend: playbook('site', '--tags nginx') })),
        ),
    judged(
      certificate,
      faults.flat().map((what) => ({ what, mend: playbook('site', '--tags nginx,certbot') })),
    ),
  ]
}

/** What port 80 answers: to those who know a name, and to those who do not. */
export async function redirectVerdict({ host, address }: Outside, { playbook }: Commands): Promise<Verdict> {
  if (host.httpsPort === 80) return skipped(redirect, 'port 80 is that of HTTPS here')
  const mend = playbook('site', '--tags nginx')
  const names = [...(host.domain === undefined ? [] : [host.domain]), ...allDomains(host)]
  const known = await Promise.all(
    names.map(async (name) => {
      const answer = await webAnswer({ address, port: 80, name, path: '/doctor' })
      const isRight = answer !== 'closed' && answer.status === 301 && answer.location?.startsWith(`https://${name}`)
      return isRight ? [] : [`for ${name} it ${said(answer)}`]
    }),
  )
  const stranger = await webAnswer({ address, port: 80, name: 'unknown.invalid', path: '/' })
  const told = stranger === 'closed' ? [] : [`to a stranger it ${said(stranger)}`]
  return judged(
    redirect,
    [...known.flat(), ...told].map((what) => ({ what, mend })),
  )
}

function said(answer: Awaited<ReturnType<typeof webAnswer>>): string {
  if (answer === 'closed') return 'hangs up'
  return `answers ${answer.status}${answer.location === undefined ? '' : `, to ${answer.location}`}`
}
