// A playbook that gives names a role and a database of their own on a host that has the core, as the role `bot` does.
import * as v from 'valibot'
import { play } from '../../../lib/cli/play.ts'
import { role } from '../../../lib/model/role.ts'
import { database, databaseRole } from '../../../lib/platform/postgres.ts'
import { directory } from '../../../lib/resources/file.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'

const folder = '/etc/botgarden/secrets/tenants'
const settings = { statement_timeout: '10s', lock_timeout: '5s' }

const tenant = role('tenant', v.strictObject({ names: v.array(v.string()) }), ({ names }) => [
  directory(folder, { mode: '0700' }),
  ...names.flatMap((name) => [
    generatedSecret(`${folder}/${name}`),
    databaseRole(name, { passwordFile: `${folder}/${name}`, connectionLimit: 8, settings }),
    database(name, { owner: name }),
  ]),
])

await play({
  name: 'tenant',
  summary: 'gives names a database each',
  roles: [tenant],
  allRoles: [tenant],
  sandboxUp: async () => {},
})
