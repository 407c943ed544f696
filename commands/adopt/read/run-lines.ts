import { at, type Found, numbered } from './finding.ts'

/** Lines of a Makefile, Justfile or Taskfile that start a Python program, without what runs it in an environment. */
export function runLines(text: string, file: string): readonly Found<string>[] {
  const starter =
    /^[\s@-]*(?:cmd: |- )?(?:(?:poetry|uv|pipenv) run |exec )?(python3? (?:-[A-Za-z]+ )*(?:-m [\w.]+|[\w./-]+\.py))\s*$/
  return numbered(text).flatMap(([line, number]) => {
    const [, command] = starter.exec(line) ?? []
    return command === undefined ? [] : [{ value: command, from: at(file, number) }]
  })
}
