import { isDeepStrictEqual } from 'node:util'
import { HostError } from '../../lib/std/errors.ts'

type Settings = Record<string, unknown>

/** What daemon.json should say; anything else that stands there stays. */
export function daemonSettings(registryMirrors: readonly string[] | undefined): Settings {
  const plain = (registryMirrors ?? []).flatMap((url) => /^http:\/\/([^/]+)/.exec(url)?.[1] ?? [])
  return {
    // json-file, Docker's default, never rotates and fills the disk.
    'log-driver': 'local',
    'log-opts': { 'max-size': '10m', 'max-file': '3' },
    // Containers outlive a restart or an upgrade of the daemon.
    'live-restore': true,
    // What builds leave behind is kept for the next one, up to this.
    builder: { gc: { enabled: true, defaultKeepStorage: '2GB' } },
    // Apart from 10.210.0.0/16, which is the bots'. Docker's own pools give out about 30 networks; these 1024, of 62 addresses.
    'default-address-pools': [{ base: '10.211.0.0/16', size: 26 }],
    ...(registryMirrors && { 'registry-mirrors': registryMirrors }),
    // Pulls go by the URL of a mirror; a build asks for HTTPS unless this says otherwise.
    ...(plain.length > 0 && { 'insecure-registries': plain }),
  }
}

/** The text of a daemon.json with these settings: the very text that is there, where it says all of them already. */
export function mergedDaemonJson(settings: Settings): (current: string | undefined) => string {
  return (current) => {
    const there = parse(current)
    const merged = { ...there, ...settings }
    return current !== undefined && isDeepStrictEqual(there, merged) ? current : `${JSON.stringify(merged, null, 2)}\n`
  }
}

function parse(text: string | undefined): Settings {
  if (text === undefined || text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Settings
    throw new SyntaxError('not an object')
  } catch (error) {
    throw new HostError(`/etc/docker/daemon.json is not JSON: ${(error as Error).message}: mend it, or move it away`)
  }
}
