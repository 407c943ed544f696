import type { Commands } from '../../../lib/health/finding.ts'
import { local } from '../../../lib/shell/local.ts'
import { destination, options, type Target } from '../../../lib/ssh/ssh-arguments.ts'
import { judged, skipped, type Verdict } from '../verdict.ts'

/** A login without a key: what sshd says it would take. */
export async function loginVerdict(target: Target, { playbook }: Commands): Promise<Verdict> {
  const none = options({
    ...{ LogLevel: 'ERROR', BatchMode: 'yes', ConnectTimeout: '10', ControlMaster: 'no', ControlPath: 'none' },
    ...{ PubkeyAuthentication: 'no', PreferredAuthentications: 'none', StrictHostKeyChecking: 'yes' },
  })
  const { exitCode, stderr } = await local({ nothrow: true })`ssh -T ${none} ${destination(target)} true </dev/null`
  return judgedLogin(exitCode ?? 255, stderr, playbook('site', '--tags base'))
}

export function judgedLogin(exitCode: number, stderr: string, mend: string): Verdict {
  const promised = { id: 'login', promise: 'sshd takes keys and nothing else' }
  if (exitCode === 0) return judged(promised, [{ what: 'it has let somebody in without a key', mend }])
  const [, methods] = /Permission denied \(([^)]*)\)/.exec(stderr) ?? []
  if (methods === undefined)
    return skipped(promised, `sshd was not asked: ${stderr.trim().split('\n').at(-1) || 'no answer'}`)
  const others = methods.split(',').filter((method) => method !== 'publickey')
  return judged(promised, others.length === 0 ? [] : [{ what: `it takes ${others.join(', ')} as well`, mend }])
}
