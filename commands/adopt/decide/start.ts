import type { Found } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'

/** How a bot is started, as a command line; undefined where nothing says so. */
export function startOf(project: Project): Found<string> | undefined {
  return fromProcfile(project) ?? fromNode(project) ?? fromPython(project)
}

function fromProcfile({ processes }: Project): Found<string> | undefined {
  return processes.get(botProcess(processes) ?? '')
}

/** The name of the process of a Procfile that is the bot. */
export function botProcess(processes: Project['processes']): string | undefined {
  return ['bot', 'web', 'app', 'worker', ...processes.keys()].find((name) => processes.has(name))
}

function fromNode({ node, files }: Project): Found<string> | undefined {
  if (node === undefined || language({ node, files }) !== 'node') return undefined
  for (const name of ['start:prod', 'start', 'prod', 'serve']) {
    const script = node.scripts.get(name)
    // `tsc && node dist/main.js`: what comes before is the image's to do.
    if (script !== undefined && script.value !== '')
      return { ...script, value: script.value.split('&&').at(-1)?.trim() ?? '' }
  }
  const main = [node.main, 'index.js', 'bot.js', 'main.js', 'src/index.js', 'src/main.js'].find(
    // What a build makes is not there yet.
    (file) => file !== undefined && (files.includes(file) || /^(dist|build|out)\//.test(file)),
  )
  return main === undefined ? undefined : { value: `node ${main}`, from: `${main} is there` }
}

function fromPython({ python, files, runLines, code }: Project): Found<string> | undefined {
  const hasCode = files.some((file) => file.endsWith('.py'))
  if (python === undefined && !hasCode) return undefined
  const [run] = runLines.filter(({ value }) => !/pytest|alembic|pip|black|ruff|mypy|test|init_project/.test(value))
  if (run !== undefined) return { value: run.value.replace(/^python3/, 'python'), from: run.from }
  const polling = [...code.polls, ...code.setsWebhook].map((from) => from.slice(0, from.lastIndexOf(':')))
  const modules = files.filter((file) => /^(\w+\/)?\w+\/__main__\.py$/.test(file)).sort((a, b) => a.length - b.length)
  const isUsual = (file: string) => /^(src\/|app\/|bot\/)?(main|bot|app|run|index|start)\.py$/.test(file)
  const isProgram = (file: string) => code.programs.some((each) => each === file || each.endsWith(`/${file}`))
  const scripts = files.filter(
    (file) => isUsual(file) || (isProgram(file) && polling.some((each) => each.endsWith(file))),
  )
  const [script] = scripts.sort((a, b) => rank(a, polling) - rank(b, polling))
  const [module] = modules
  if (module !== undefined && (script === undefined || polling.some((file) => file.endsWith(module))))
    return { value: `python -m ${module.replace('/__main__.py', '').replaceAll('/', '.')}`, from: `${module} is there` }
  if (script === undefined) return undefined
  // Its imports begin with the name of the package.
  const isModule = files.includes(script.replace(/[^/]+$/, '__init__.py')) && script.includes('/')
  return {
    value: isModule ? `python -m ${script.replace(/\.py$/, '').replaceAll('/', '.')}` : `python ${script}`,
    from: `${script} is there`,
  }
}

/** A file that polls is rather the one than a file with the right name. */
function rank(file: string, polling: readonly string[]): number {
  return (polling.some((each) => each.endsWith(file)) ? 0 : 10) + file.split('/').length
}

export const telegramPackages =
  /^(grammy|telegraf|node-telegram-bot-api|telebot|gramio|puregram|@mtcute\/node|telegram|aiogram|python-telegram-bot|pytelegrambotapi|telethon|pyrogram|kurigram|pyrofork|gopkg\.in\/telebot\.v\d|github\.com\/.*(telegram|telebot|gotgbot|telego).*)$/i

/** The language of the bot: where a repository has several, that of the library which speaks to Telegram. */
export function language({
  node,
  python,
  go,
  files,
}: Partial<Project> & Pick<Project, 'files'>): 'node' | 'python' | 'go' | undefined {
  const all = [
    ['go', go?.dependencies],
    ['node', node?.dependencies],
    ['python', python?.dependencies],
  ] as const
  for (const [name, packages] of all)
    if ([...(packages?.keys() ?? [])].some((each) => telegramPackages.test(each))) return name
  const [first] = all.filter(([, packages]) => packages !== undefined)
  return first?.[0] ?? (files.some((file) => /^(\w+\/)?\w+\.py$/.test(file)) ? 'python' : undefined)
}

/** Libraries that log in as a person do, and keep a session in a file. */
export function sessionLibrary({ node, python }: Project): string | undefined {
  return [...(python?.dependencies.keys() ?? []), ...(node?.dependencies.keys() ?? [])].find((name) =>
    /^(telethon|pyrogram|kurigram|pyrofork|telegram|@mtcute\/node)$/.test(name),
  )
}

export function hasPackage({ node, python, go }: Project, name: string): boolean {
  return [node, python, go].some((each) => each?.dependencies.has(name) === true)
}
