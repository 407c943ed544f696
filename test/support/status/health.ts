// A host and a bot that are as they should be, for tests of what is found where they are not.
import type { Commands } from '../../../lib/health/finding.ts'
import type { BotHealth, ContainerHealth, HostHealth } from '../../../lib/health/state.ts'
import { quote } from '../../../lib/shell/sh.ts'

export const now = Date.parse('2026-11-26T09:00:00Z')

export const commands: Commands = {
  playbook: (name, more = '') => `npx zx playbooks/${name}.ts ${more}`.trim(),
  removal: (bot) => `npx zx playbooks/bot.ts --name ${quote(bot)} --limit vps1 --remove`,
  onHost: (command) => `ssh vps1 ${command}`,
}

export const container: ContainerHealth = {
  ...{ status: 'running', health: 'healthy', restarts: 0, startedAt: now - 5 * 3_600_000 },
  ...{ memoryMB: 60, limitMB: 160, outOfMemory: false, exitCode: 0 },
}

export const healthyHost: HostHealth = {
  clock: { there: now, here: now, slack: 1000 },
  uptimeSeconds: 86_400,
  cpus: 2,
  load: 0.2,
  memory: { totalMB: 2000, availableMB: 1200 },
  disks: [{ path: '/', sizeMB: 40_000, used: 0.4, inodesUsed: 0.1 }],
  engine: true,
  servers: { 'botgarden-nginx': container, 'botgarden-postgres': container },
  firewall: true,
  failedUnits: [],
  connections: { used: 6, most: 100 },
  nginxInForce: true,
  certificates: [{ name: 'b.example.org', ends: '2027-02-10', issuer: 'R1', wrong: false, signed: true }],
  backups: { there: now - 3_600_000, here: now - 3_600_000 },
  heldUpdates: [],
  pendingReboot: [],
  unknownBots: [],
  lastCheck: { at: now - 7_200_000, differences: [] },
}

export const healthyBot: BotHealth = {
  name: 'hello',
  release: { id: '20261126-060000-abc', at: now - 3 * 3_600_000 },
  mode: 'webhook',
  container,
  processes: {},
  traffic: { minutes: 60, delivered: 120, failed: 0, refused: 2 },
  webhook: { url: 'own', pending: 0 },
  jobs: {},
  domains: [],
}
