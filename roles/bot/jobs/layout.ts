import { runDir } from '../../../lib/model/host-layout.ts'
import { layoutOf } from '../spec/layout.ts'

/** Where the units of systemd are. */
export const unitsFolder = '/etc/systemd/system'

/** Folders of the jobs of a bot on its host. Records of their last runs are in `results`. */
export function jobsLayout(bot: string) {
  const { compose, state } = layoutOf(bot)
  return {
    folder: `${compose}/jobs`,
    results: `${state}/jobs`,
    /** Held while a job starts, and by a release that takes the place of another. */
    lock: `${runDir}/jobs-${bot}.lock`,
  }
}

/** Paths and names of a job. A dot is in no bot's name and in no job's. */
export function jobLayout(bot: string, job: string) {
  const { folder } = jobsLayout(bot)
  const unit = `botgarden-job-${bot}.${job}`
  return {
    unit,
    timer: `${unitsFolder}/${unit}.timer`,
    service: `${unitsFolder}/${unit}.service`,
    container: `botgarden-${bot}.${job}.job`,
    compose: `${folder}/${job}.yaml`,
    script: `${folder}/${job}.sh`,
    variables: `${runDir}/variables/${bot}.${job}`,
  }
}
