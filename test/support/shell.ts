import { spawn } from 'node:child_process'

/** What a real `sh` prints that is given this script by stdin, byte for byte, stderr and exit status aside. */
export function shell(script: string | Buffer, program = '/bin/sh'): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C' } })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', () => resolve(Buffer.concat(chunks).toString()))
    child.stdin.end(script)
  })
}
