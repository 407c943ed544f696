import { incoming } from '../../../lib/platform/leftovers.ts'

export type Colour = 'blue' | 'green'

/** Paths and names of a bot on its host. */
export function layoutOf(bot: string) {
  return {
    state: `/var/lib/botgarden/bots/${bot}`,
    current: `/var/lib/botgarden/bots/${bot}/current.json`,
    compose: `/opt/botgarden/bots/${bot}`,
    secrets: `/etc/botgarden/secrets/bots/${bot}`,
    network: `botgarden-${bot}`,
    container: (colour: Colour) => `botgarden-${bot}-${colour}`,
  }
}

export function uidOf(number: number): string {
  return String(20_000 + number)
}

export function addressOf(base: string, number: number, colour: Colour): string {
  return `${base}.${number}.${colour === 'blue' ? 2 : 3}`
}

export function otherColour(colour: Colour): Colour {
  return colour === 'blue' ? 'green' : 'blue'
}

/** The uploaded archive of an image, before Docker loads it. */
export function imageArchivePath(bot: string): string {
  return `${incoming}/${bot}.tar.gz`
}

/** The uploaded archive of a build context. */
export function contextArchivePath(bot: string): string {
  return `${incoming}/${bot}.context.tar.gz`
}
