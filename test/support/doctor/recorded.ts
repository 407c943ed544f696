// What a host with one bot has answered.
import { type Container, parseContainers } from '../../../commands/doctor/container-reading.ts'
import type { Serving } from '../../../commands/doctor/targets.ts'
import type { Commands } from '../../../lib/health/finding.ts'
import { quote } from '../../../lib/shell/sh.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'

const bot = {
  ...{ name: '/botgarden-hello-bot-blue', running: true, user: '20001:20001', privileged: false, readOnly: true },
  labels: { 'botgarden.bot': 'hello-bot', 'botgarden.config': '336c2747de75b6da' },
  ...{ memory: 167_772_160, pids: 100, network: 'a46bcf1983cc', pidMode: '', added: null, dropped: ['ALL'] },
  ...{ security: ['no-new-privileges:true'], ports: {} },
  mounts: [
    { Type: 'bind', Source: '/etc/botgarden/secrets/bots/hello-bot', Destination: '/run/secrets', Mode: '', RW: false },
    { Type: 'bind', Source: '/run/botgarden/postgres', Destination: '/run/postgresql', Mode: '', RW: false },
  ],
  networks: { 'botgarden-hello-bot': { Links: null, Gateway: '10.210.1.1', IPAddress: '10.210.1.2', IPPrefixLen: 24 } },
}
const nginx = {
  ...{ name: '/botgarden-nginx', running: true, user: '', privileged: false, readOnly: true, memory: 100_663_296 },
  labels: { 'botgarden.config': '89fecaadf7f96a50' },
  ...{ pids: 64, network: 'host', pidMode: '', added: ['NET_BIND_SERVICE', 'SETUID'], dropped: ['ALL'] },
  ...{ security: ['no-new-privileges:true'], ports: {}, mounts: [], networks: { host: { IPAddress: '' } } },
}
const postgres = {
  ...{ ...nginx, name: '/botgarden-postgres', network: 'none', added: null },
  networks: { none: { IPAddress: '' } },
}

/** The answer, with further containers: each is the one of the bot but for this. */
export function answerWith(...more: readonly object[]): string {
  const all = [bot, nginx, postgres, ...more.map((each) => ({ ...bot, ...each }))]
  return ['engine answers', ...all.map((each) => JSON.stringify(each))].join('\n')
}

export function containersWith(...more: readonly object[]): readonly Container[] {
  return parseContainers(answerWith(...more)) ?? []
}

/** The same container for another bot. */
export function containerOf(name: string, number: number, more: object = {}): object {
  return {
    ...{ name: `/botgarden-${name}-blue`, user: `${20_000 + number}:${20_000 + number}` },
    labels: { 'botgarden.bot': name, 'botgarden.config': 'f' },
    networks: { [`botgarden-${name}`]: { IPAddress: `10.210.${number}.2` } },
    mounts: [],
    ...more,
  }
}

export function servingBot(name = 'hello-bot', number = 1, spec: Partial<Release['spec']> = {}): Serving {
  const release: Release = {
    ...{ id: '20261126-104325-f8770aa74230', colour: 'blue', by: 'ops@laptop', secrets: {} },
    spec: { ...specOf('hello:1', {}, {}), ...spec },
  }
  return { name, number, release }
}

export const commands: Commands = {
  playbook: (name, more = '') => `npx zx playbooks/${name}.ts${more && ` ${more}`}`,
  removal: (bot) => `npx zx playbooks/bot.ts --name ${quote(bot)} --limit vps1 --remove`,
  onHost: (command) => `ssh vps1 '${command}'`,
}
