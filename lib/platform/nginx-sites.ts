import { when } from '../model/combinators.ts'
import type { Resource } from '../model/resource.ts'
import { textOf } from '../resources/file-state.ts'
import type { Script } from '../shell/sh.ts'
import { nginxFile, nginxFolder } from './nginx.ts'

const line = '    include sites/*.conf;\n'

/** Whether nginx.conf reads the files in `sites`, which are at the level of http. It does from the first bot on that has one. */
export function readsSites(nginxConf: string | undefined): boolean {
  return nginxConf?.includes(line) === true
}

/** The text of nginx.conf, where the last line closes http, with the line that reads these files. */
export function withSites(nginxConf: string): string {
  return readsSites(nginxConf) ? nginxConf : nginxConf.replace(/\}\n$/, `\n${line}}\n`)
}

/** Shell text: has a copy of nginx.conf read them; `path` is written between double quotes. */
export function includeSites(path: string): Script {
  const text = `grep -qxF '${line.trimEnd()}' "${path}" || sed -i '$s#^}#${line.trimEnd()}\\n}#' "${path}"`
  return { text, shown: text }
}

/** nginx.conf reads the files in `sites`; not planned before the role of nginx has written it. */
export function sitesRead(): Resource {
  const text = textOf(`${nginxFolder}/conf/nginx.conf`)
  const inner = nginxFile('nginx.conf', (current) => withSites(current ?? ''), 'sites')
  return when([text], (read) => read(text) !== undefined, { ...inner, id: 'nginx:sites' })
}
