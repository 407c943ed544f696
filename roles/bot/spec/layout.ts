import { incoming } from '../../../lib/platform/leftovers.ts'

export type Colour = 'blue' | 'green'

/** Where the files of a bot lie, and what it is called there. */
export function placesOf(bot: string) {
  return {
    state: `/var/lib/botgarden/bots/${bot}`,
    current: `/var/lib/botgarden/bots/${bot}/current.json`,
    compose: `/opt/botgarden/bots/${bot}`,
    secrets: `/etc/botgarden/secrets/bots/${bot}`,
    network: `botgarden-${bot}`,
    container: (colour: Colour) => `botgarden-${bot}-${colour}`,
  }
}

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
