import * as v from 'valibot'
import { role } from '../../lib/role.ts'
import { admin, adminUser } from './admin.ts'
import { sshd } from './sshd.ts'

const value = v.union([v.pipe(v.string(), v.regex(/^[^\r\n]+$/, 'one line')), v.number(), v.boolean()])
const keyword = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z][A-Za-z0-9]*$/, 'a keyword of sshd_config(5)'),
  v.check((word) => !/^(match|include)$/i.test(word), 'not Match or Include: a drop-in of your own can say that'),
)

const vars = v.strictObject({
  sshd: v.optional(
    v.strictObject({
      /** Any keyword of sshd_config(5); it wins over ours. */
      settings: v.optional(v.record(keyword, v.union([value, v.array(value)])), {}),
    }),
    {},
  ),
  /** A user with a key and sudo, besides whoever is there. */
  admin: v.optional(admin),
})

/** What makes a host safe to leave alone: keys only, and a person who can log in. */
export const base = role('base', vars, ({ sshd: { settings }, admin: person }, facts) => [
  ...(person ? adminUser(person, facts) : []),
  ...sshd(settings, facts),
])
