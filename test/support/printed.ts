/** What is returned, and what this process has printed until then, which the terminal does not get. */
export async function printed<T>(run: () => T): Promise<{ value: Awaited<T>; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write }
  for (const name of ['stdout', 'stderr'] as const)
    process[name].write = ((text: string) => {
      said[name] += text
      return true
    }) as typeof process.stdout.write
  try {
    return { value: await run(), ...said }
  } finally {
    process.stdout.write = writes.stdout
    process.stderr.write = writes.stderr
  }
}
