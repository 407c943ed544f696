import * as v from 'valibot'
import { stateDir } from '../../lib/model/host-layout.ts'
import { role } from '../../lib/model/role.ts'
import { directory } from '../../lib/resources/file.ts'
import { admin, adminUser } from './admin.ts'
import { clock, timezone } from './clock.ts'
import { hardening } from './hardening.ts'
import { journal } from './journal.ts'
import { kernel, sysctlName } from './kernel.ts'
import { swap } from './memory.ts'
import { packages } from './packages.ts'
import { sshd } from './sshd.ts'
import { upgrades } from './upgrades.ts'

const value = v.union([v.pipe(v.string(), v.regex(/^[^\r\n]+$/, 'one line')), v.number(), v.boolean()])
const packageName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9+.-]+$/, 'a name of a package'),
  v.description('the name of a package'),
)
const keyword = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z][A-Za-z0-9]*$/, 'a keyword of sshd_config(5)'),
  // Nor AuthorizedKeysFile: a plan could not tell which keys are there.
  v.check(
    (word) => !/^(match|include|authorizedkeysfile)$/i.test(word),
    'not Match, Include or AuthorizedKeysFile: a drop-in of your own can say that',
  ),
)

const vars = v.strictObject({
  sshd: v.optional(
    v.strictObject({
      /** Any keyword of sshd_config(5); it wins over ours. */
      settings: v.optional(v.record(keyword, v.union([value, v.array(value)])), {}),
    }),
    {},
  ),
  /** A user with a key and sudo, besides those that are there. */
  admin: v.optional(admin),
  /** Packages of the distribution, besides those that botgarden needs. */
  packages: v.optional(v.array(packageName), []),
  upgrades: v.optional(
    v.strictObject({
      /** Packages whose security updates wait for the operator, as those of the engine do. */
      hold: v.optional(v.array(packageName), []),
    }),
    {},
  ),
  /** Left out: what the host has stays. */
  timezone: v.optional(timezone),
  /** In MiB; 0: none. Left out: chosen by the memory of the host. */
  swap: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_536), v.description('a size in MiB'))),
  /** Any setting of sysctl(8); it wins over ours. */
  sysctls: v.optional(
    v.record(sysctlName, v.union([v.pipe(v.string(), v.regex(/^[^\r\n]+$/, 'one line')), v.number()])),
    {},
  ),
  journal: v.optional(
    v.strictObject({
      /** How much of the disk the journal may use. */
      maxUse: v.optional(v.pipe(v.string(), v.regex(/^[1-9]\d*[KMG]$/), v.description('a size like 200M')), '200M'),
    }),
    {},
  ),
})

/** Makes a host safe to run unattended: login by key only, an admin user, automatic security updates. */
export const base = role('base', vars, (wanted, facts) => [
  // Holds what must survive a reboot, readable by root only.
  directory(stateDir, { mode: '0700' }),
  // An interface takes its settings from the defaults of the moment when it is made: the engine's package makes one.
  ...kernel(wanted.sysctls, facts),
  ...packages(wanted.packages),
  ...hardening(),
  ...(wanted.admin ? adminUser(wanted.admin, facts) : []),
  ...upgrades(wanted.upgrades.hold, facts),
  ...clock(wanted.timezone, facts),
  ...swap(wanted.swap, facts),
  ...journal(wanted.journal.maxUse),
  ...sshd(wanted.sshd.settings, facts),
])
