// Which host key is taken before anything is sent, with stand-ins for ssh and ssh-keygen.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { provenLogin } from '../../../commands/init/prove-login.ts'
import { ConnectError, type RunnerError, UsageError } from '../../../lib/std/errors.ts'
import { errorOf } from '../../support/errors.ts'
import { scratchHost, withPrograms } from '../../support/scratch-host.ts'

const [one, other] = ['A', 'B'].map((letter) => `SHA256:${letter.repeat(43)}`) as [string, string]
const target = { name: 'vps1', ssh: 'root@192.0.2.1', sshConfig: '/none', acceptNew: false }

interface Asked {
  /** What the host shows, one key each time it is asked, and the last one from then on. */
  readonly shows: readonly string[]
  readonly fingerprint?: string
  /** What a person says who compares. */
  readonly says?: boolean
}

/** Fails to log in to a host that ssh has never seen. */
async function login<T extends RunnerError>(
  kind: new (message: string) => T,
  { shows, fingerprint, says }: Asked,
): Promise<{ message: string; trusted: boolean; logins: number }> {
  const host = scratchHost({
    ssh: `case " $* " in
      *' -G '*) echo "userknownhostsfile $STATE/known" ;;
      *accept-new*) for word; do case $word in UserKnownHostsFile=*) : >"\${word#*=}" ;; esac; done ;;
      *) echo 'Host key verification failed.' >&2; exit 255 ;;
    esac`,
    'ssh-keygen': `set -- ${shows.join(' ')}; n=$(cat "$STATE/asked" 2>/dev/null || echo 0); echo $((n + 1)) >"$STATE/asked"
      [ "$n" -lt $# ] || n=$(($# - 1)); shift "$n"; echo "256 $1 root@vps1 (ED25519)"`,
  })
  const prompt =
    says === undefined ? undefined : { text: async () => '', secret: async () => '', yes: async () => says }
  const { message } = await withPrograms(host, () =>
    errorOf(provenLogin({ target, fingerprint, prompt, say: () => {} }), kind),
  )
  const calls = host.noted('calls').split('\n')
  const logins = calls.filter((call) => call.startsWith('ssh ') && !/ -G |accept-new/.test(call)).length
  return { message, trusted: existsSync(join(host.state, 'known')), logins }
}

test('a fingerprint of another key ends it before any login', async () => {
  const { message, trusted, logins } = await login(ConnectError, { shows: [other], fingerprint: one })
  assert.match(message, `its host key is not the one of --fingerprint: it shows ${other} (ED25519)`)
  assert.equal([trusted, logins], [false, 0])
})

test('a key that changes after it was compared is not trusted', async () => {
  const { message, trusted, logins } = await login(ConnectError, { shows: [one, other], fingerprint: one })
  assert.match(message, `it shows ${other} (ED25519)`)
  assert.equal([trusted, logins], [false, 1])
})

test('the key that was compared is trusted, and no other', async () => {
  const { trusted, logins } = await login(ConnectError, { shows: [one], fingerprint: one })
  assert.equal([trusted, logins], [true, 2])
})

test('without a fingerprint nobody trusts it but a person who has compared it', async () => {
  const nobody = await login(UsageError, { shows: [one] })
  assert.match(nobody.message, new RegExp(`compare it with .*\nif it is the same: --fingerprint ${one}$`))
  const no = await login(UsageError, { shows: [one], says: false })
  assert.is(no.message, 'not done: the host key was not accepted')
  assert.equal([nobody.trusted, no.trusted], [false, false])
  assert.ok((await login(ConnectError, { shows: [one], says: true })).trusted)
})

test.run()
