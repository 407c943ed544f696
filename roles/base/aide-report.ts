import { when } from '../../lib/model/combinators.ts'
import { becomes, type Resource } from '../../lib/model/resource.ts'
import { directory, file } from '../../lib/resources/file.ts'
import { isInstalled, packageState } from '../../lib/resources/package.ts'
import { type UnitState, unit, unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { template } from '../../lib/std/template.ts'

const name = 'botgarden-changes'
const timer = `${name}.timer`
const config = '/etc/aide/aide.conf'
const database = '/var/lib/aide/aide.db'

/** Each day the journal says which files of the host's configuration changed since the day before. aide is no daemon: it compares and exits. */
export function changeReport(): Resource[] {
  const from = (what: string) => template(new URL(`templates/${what}.mustache`, import.meta.url), { config, database })
  const unitFile = (path: string, content: string) =>
    file(`/etc/systemd/system/${path}`, {
      content,
      afterwards: sh`systemctl daemon-reload`,
      predicts: [becomes(unitState(timer), known)],
    })
  return [
    directory('/etc/aide'),
    file(config, { content: from('aide.conf'), mode: '0600' }),
    unitFile(`${name}.service`, from('changes.service')),
    unitFile(timer, from('changes.timer')),
    unit(timer, 'running'),
  ].map(unlessTheirs)
}

/** Debian runs aide by a package of its own, aide-common: where that is installed the operator has a configuration already. */
function unlessTheirs(inner: Resource): Resource {
  const theirs = packageState('aide-common')
  return when([theirs], (read) => !isInstalled(read(theirs)), inner)
}

function known(before: UnitState): UnitState {
  const fresh: UnitState = { load: 'loaded', active: 'inactive', enabled: 'disabled', needsReload: false }
  return before.load === 'not-found' ? fresh : { ...before, needsReload: false }
}
