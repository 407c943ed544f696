import { optDir, secretsDir, stateDir } from '../../../lib/model/host-layout.ts'
import { incoming } from '../../../lib/platform/leftovers.ts'
import { sh } from '../../../lib/shell/sh.ts'
import type { BuildContext } from './build-context.ts'

export type Colour = 'blue' | 'green'

/** Paths and names of a bot on its host. */
export function layoutOf(bot: string) {
  return {
    state: `${botFolders.state}/${bot}`,
    current: `${botFolders.state}/${bot}/current.json`,
    compose: `${botFolders.compose}/${bot}`,
    secrets: `${botFolders.secrets}/${bot}`,
    network: `botgarden-${bot}`,
    /** With a dot, which no bot has in its name. */
    databaseNetwork: `botgarden-${bot}.db`,
    container: (colour: Colour) => `botgarden-${bot}-${colour}`,
  }
}

/** The folders that hold one folder for each bot. */
export const botFolders = {
  state: `${stateDir}/bots`,
  compose: `${optDir}/bots`,
  secrets: `${secretsDir}/bots`,
  data: `${stateDir}/data`,
}

/** Shell words: for every bot the record of the release that serves. */
export const currentRecords = sh`${botFolders.state}/*/current.json`

export function uidOf(number: number): string {
  return String(20_000 + number)
}

export function addressOf(base: string, number: number, colour: Colour): string {
  return `${base}.${number}.${colour === 'blue' ? 2 : 3}`
}

/** The network of a bot and the database server: `10.213.N.0/28` where those of bots are in 10.210.0.0/16. */
export function databaseSubnet(base: string, number: number): string {
  return `${databaseBase(base)}.${number}.0/28`
}

export function databaseAddressOf(base: string, number: number, who: Colour | 'gateway' | 'server'): string {
  return `${databaseBase(base)}.${number}.${{ gateway: 1, blue: 2, green: 3, server: 4 }[who]}`
}

/** The first two numbers of these networks: behind those of bots, of Docker's own pool, and of the sandbox. */
export function databaseBase(base: string): string {
  return `10.${(Number(base.slice(3)) + 3) % 256}`
}

export function otherColour(colour: Colour): Colour {
  return colour === 'blue' ? 'green' : 'blue'
}

/** The uploaded archive of an image, before Docker loads it: by what it was built from, which several bots may have in common. */
export function imageArchivePath({ checksum }: Pick<BuildContext, 'checksum'>): string {
  return `${incoming}/${checksum.slice(0, 12)}.tar.gz`
}

/** The uploaded dump of a database that a new one is filled from. */
export function uploadedDumpPath(checksum: string): string {
  return `${incoming}/${checksum.slice(0, 12)}.import`
}

/** The uploaded archive of a build context. */
export function contextArchivePath({ checksum }: Pick<BuildContext, 'checksum'>): string {
  return `${incoming}/${checksum.slice(0, 12)}.context.tar.gz`
}
