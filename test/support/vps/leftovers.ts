import { inVps } from '../../../sandbox/index.ts'

/** What a cut run must not leave for good: candidates beside their files, scripts and outputs of long steps, their units. */
export async function leftovers(host: string): Promise<string[]> {
  const { stdout } = await inVps(
    host,
    `find / -xdev -name '.*.botgarden' 2>/dev/null
     find /run/botgarden/steps -mindepth 1 -maxdepth 1 2>/dev/null
     find /run/botgarden* /tmp -name 'candidate' 2>/dev/null
     # But for the daily report of base, which is there to stay.
     systemctl list-units --all --plain --no-legend 'botgarden-*' | grep -v '^botgarden-changes'`,
  )
  return stdout.split('\n').filter(Boolean)
}
