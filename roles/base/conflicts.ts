import type { Setting } from './settings.ts'
import { dropInPath, type Effective, mainConfig } from './sshd-config.ts'

type Known = Exclude<Effective, string>
type Files = Readonly<Record<string, string>>

/** Those of our settings that would have no effect, each with what overrides it. */
export function conflicts(
  settings: readonly Setting[],
  { files, alone, whole }: { files: Files; alone: Known; whole: Known },
): string[] {
  const keywords = [...new Set(settings.map(({ keyword }) => keyword))]
  return keywords.flatMap((keyword) => {
    const name = nameOf(keyword)
    const [wanted, found] = [alone[name] ?? [], whole[name] ?? []]
    if (wanted.every((value) => found.includes(value))) return []
    return [`${keyword} would be ${found.join(' ')} and not ${wanted.join(' ')}: ${cause(keyword, files)}`]
  })
}

function cause(keyword: string, files: Files): string {
  if (!/^\s*include\s+"?(\/etc\/ssh\/)?sshd_config\.d\/\*/im.test(files[mainConfig] ?? ''))
    return `${mainConfig} has no «Include /etc/ssh/sshd_config.d/*.conf»: add that line at its top`
  const where = firstOf(keyword, files)
  return where === undefined ? 'see sshd -T' : `${where} overrides it: remove that line`
}

/** The places that set the keyword before our drop-in, or in a Match block after it, in the order in which sshd reads. */
function firstOf(keyword: string, files: Files): string | undefined {
  const { [mainConfig]: main = '', ...dropIns } = files
  const lines = main.split('\n')
  const include = lines.findIndex((line) => /^\s*include\s/i.test(line))
  const at = (path: string, text: string, from = 0, to = Number.POSITIVE_INFINITY) =>
    text.split('\n').flatMap((line, i) => {
      const [, word = ''] = line.match(/^\s*(\w+)[\s=]/) ?? []
      return nameOf(word) === nameOf(keyword) && i >= from && i < to ? [`${path}:${i + 1}`] : []
    })
  const others = Object.entries(dropIns).filter(([path]) => path !== dropInPath)
  const earlier = others.filter(([path]) => path < dropInPath)
  const matched = [...others, [mainConfig, main] as const].map(([path, text]) => [path, text, matchLine(text)] as const)
  return [
    ...at(mainConfig, main, 0, include < 0 ? undefined : include),
    ...earlier.flatMap(([path, text]) => at(path, text)),
    ...matched.flatMap(([path, text, from]) => (from < 0 ? [] : at(path, text, from))),
  ][0]
}

function matchLine(text: string): number {
  return text.split('\n').findIndex((line) => /^\s*match\s/i.test(line))
}

/** The keyword as `sshd -T` prints it. */
function nameOf(keyword: string): string {
  const name = keyword.toLowerCase()
  return name === 'challengeresponseauthentication' ? 'kbdinteractiveauthentication' : name
}
