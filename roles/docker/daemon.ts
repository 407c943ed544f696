import { isDeepStrictEqual } from 'node:util'
import { HostError } from '../../lib/std/errors.ts'

type Settings = Record<string, unknown>

/** The settings that daemon.json must have; other settings in it stay. */
export function daemonSettings(registryMirrors: readonly string[] | undefined): Settings {
  const plain = (registryMirrors ?? []).flatMap((url) => /^http:\/\/([^/]+)/.exec(url)?.[1] ?? [])
  return {
    // Docker's default, json-file, never rotates and fills the disk.
    'log-driver': 'local',
    'log-opts': { 'max-size': '10m', 'max-file': '3' },
    // Containers outlive a restart or an upgrade of the daemon.
    'live-restore': true,
    // Size limit of the build cache.
    builder: { gc: { enabled: true, defaultKeepStorage: '2GB' } },
    // Beside 10.210.0.0/16, which is for bots. Docker's default pools have about 30 networks; this one has 1024 of 62 addresses.
    'default-address-pools': [{ base: '10.211.0.0/16', size: 26 }],
    ...(registryMirrors && { 'registry-mirrors': registryMirrors }),
    // Pulls use the URL of the mirror; builds need this to use HTTP.
    ...(plain.length > 0 && { 'insecure-registries': plain }),
  }
}

/** The text of a daemon.json with these settings: the current text, unchanged, where it has all of them already. */
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
    throw new HostError(`/etc/docker/daemon.json is not JSON: ${(error as Error).message}: correct it, or move it away`)
  }
}
