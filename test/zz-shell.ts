import { shellchecked, unparsed } from './support/shellcheck/check.ts'
import { moveScripts } from './support/shellcheck/moves.ts'
import { within } from './support/shellcheck/scripts.ts'
import { isIn, templatesIn } from './support/shellcheck/templates.ts'
import { exceptions, isExcepted } from './support/shellcheck-exceptions.ts'
import { globSync, readFileSync } from 'node:fs'
const outer = moveScripts()
const scripts = outer.flatMap((each) => [each, ...within(each)])
console.log(scripts.length)
const findings = await shellchecked(scripts)
for (const f of findings.filter((f) => !exceptions.some((e) => isExcepted(e, f)))) console.log(f.place, f.code, f.message, '\n   ', f.line.slice(0, 200))
console.log(await unparsed(scripts))
for (const path of globSync('{commands/move/*,commands/deploy/elsewhere,lib/ssh/relay}.ts'))
  for (const t of templatesIn(readFileSync(path, 'utf8'))) if (!scripts.some(({ text }) => isIn(text, t))) console.log('unseen', path, t.line)
