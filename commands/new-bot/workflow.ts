import { template } from '../../lib/std/template.ts'
import { tokenVariable } from '../../roles/bot/token.ts'

/** What a workflow is made for. */
export interface Deployed {
  readonly bot: string
  /** Where the bot is in its repository; '.': at its top. */
  readonly path: string
  /** The repository of botgarden, and the commit of it that the workflow runs. */
  readonly botgarden: string
  readonly commit: string
  readonly branch: string
}

/** The text of a GitHub workflow that releases a bot whenever its branch is pushed to. No member of it has a quote in it. */
export function workflow({ path, ...others }: Deployed): string {
  return template(new URL('templates/github.yml.mustache', import.meta.url), {
    ...others,
    variable: tokenVariable(others.bot),
    paths: path === '.' ? '' : `\n    paths: ['${path}/**']`,
    below: path === '.' ? '' : `/${path}`,
  })
}
