import { optDir, secretsDir, stateDir } from '../../../lib/model/host-layout.ts'
import { incoming } from '../../../lib/platform/leftovers.ts'
import { sh } from '../../../lib/shell/sh.ts'

export type Colour = 'blue' | 'green'

/** Where the files of a bot lie, and what it is called there. */
export function placesOf(bot: string) {
  return {
    state: `${botFolders.state}/${bot}`,
    current: `${botFolders.state}/${bot}/current.json`,
    compose: `${botFolders.compose}/${bot}`,
    secrets: `${botFolders.secrets}/${bot}`,
    network: `botgarden-${bot}`,
    container: (colour: Colour) => `botgarden-${bot}-${colour}`,
  }
}

/** The folders that hold one folder for each bot. */
export const botFolders = { state: `${stateDir}/bots`, compose: `${optDir}/bots`, secrets: `${secretsDir}/bots` }

/** Shell words: for every bot the record of the release that serves. */
export const currentRecords = sh`${botFolders.state}/*/current.json`

export function userOf(number: number): string {
  return String(20_000 + number)
}

export function addressOf(base: string, number: number, colour: Colour): string {
  return `${base}.${number}.${colour === 'blue' ? 2 : 3}`
}

export function otherColour(colour: Colour): Colour {
  return colour === 'blue' ? 'green' : 'blue'
}

/** Where an image lies on the host before its engine takes it in. */
export function archiveOf(bot: string): string {
  return `${incoming}/${bot}.tar.gz`
}

/** Where what an image is built from lies on the host. */
export function contextPath(bot: string): string {
  return `${incoming}/${bot}.context.tar.gz`
}
