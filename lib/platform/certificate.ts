import { etcDir } from '../model/host-layout.ts'
import { blockEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import { type Script, sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'
import { outdated } from './nginx.ts'

/** The certificates that nginx serves: `NAME/current` is a link to a folder with fullchain.pem and privkey.pem. */
export const tlsFolder = `${etcDir}/tls`

/** The folder with fullchain.pem and privkey.pem of a name. */
export function certificateFolder(name: string): string {
  return `${tlsFolder}/${name}/current`
}

/** The pair that `current` points to. */
export type CertificateState =
  | 'absent'
  | {
      /** SHA-256 of the certificate, hexadecimal. */
      readonly fingerprint: string
      /** `DNS:bots.example.org`, `IP Address:192.0.2.1`. */
      readonly names: readonly string[]
      readonly selfSigned: boolean
      /** The key beside it is its own. */
      readonly keyMatches: boolean
      /** It ends within 30 days, or has ended. */
      readonly endsSoon: boolean
    }

export function certificateState(name: string): Reading<CertificateState> {
  return reading(certificates, name)
}

/** A self-signed pair under this name: `placeholder`: where there is no other, which then stays. */
export function selfSigned(name: string, { placeholder }: { placeholder: boolean }): Resource {
  const now = certificateState(name)
  const names = [subjectName(name)]
  return resource({
    id: `${placeholder ? 'certificate-placeholder' : 'certificate'}:${name}`,
    wants: { names, placeholder },
    reads: { now },
    plan: ({ now: state }) => {
      const there = state !== 'absent' && state.keyMatches
      if (there && placeholder) return []
      if (there && state.selfSigned && !state.endsSoon && sameNames(state.names, names)) return []
      const after: CertificateState = { fingerprint: '', names, selfSigned: true, keyMatches: true, endsSoon: false }
      const summary = state === 'absent' ? 'make a self-signed one' : 'make a new self-signed one'
      return [{ summary, script: makeSelfSigned(name), predicts: [becomes(now, after), outdated] }]
    },
  })
}

/** Shell text: `install_pair NAME FOLDER` makes the pair in a folder the current one, both files at once. */
export const installPair = onHosts(shellFile(new URL('install-pair.sh', import.meta.url)))

/**
 * Shell text: the folder of a pair is called by its checksum. Where somebody has changed the pair in it, that is served from another
 * folder from now on, so that the right pair can be written there again.
 */
export function setChangedAside(name: string): Script {
  return sh`
    tls=${`${tlsFolder}/${name}`}
    pair=$(readlink "$tls/current" || :)
    [ -z "$pair" ] || [ "$(cat "$tls/$pair/fullchain.pem" "$tls/$pair/privkey.pem" 2>/dev/null | sha256sum | cut -c 1-16)" = "$pair" ] || {
      rm -rf "$tls/$pair.changed"
      cp -a "$tls/$pair" "$tls/$pair.changed"
      ln -sfn "$pair.changed" "$tls/.link"
      mv -fT "$tls/.link" "$tls/current"
      rm -rf "\${tls:?}/$pair"
    }`
}

/** certbot's files on hosts hold this text: with other blanks or line breaks they would be changed there. */
function onHosts({ text }: Script): Script {
  const indented = `\n${text.replace(/^(?=.)/gm, '  ')}`
  return { text: indented, shown: indented }
}

/** The name as certificates hold it. */
export function subjectName(name: string): string {
  return isAddress(name) ? `IP Address:${name}` : `DNS:${name}`
}

export function isAddress(name: string): boolean {
  return /^\d+(\.\d+){3}$/.test(name)
}

export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join() === [...other].sort().join()
}

/** For as long as anybody may use it: there is no authority that could ask for less, and Telegram has it uploaded. */
const days = 3650

function makeSelfSigned(name: string): Script {
  const alternative = isAddress(name) ? `IP:${name}` : `DNS:${name}`
  // A common name has 64 characters at most; who connects looks at the alternative name.
  const commonName = name.length > 64 ? name.slice(-64).replace(/^[^.]*\./, '') : name
  const { text } = sh`
    ${installPair}
    draft=${tlsFolder}/${name}/.draft
    rm -rf "$draft"
    mkdir -m 0700 "$draft"
    trap 'rm -rf "$draft"' EXIT
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days ${days} -subj ${`/CN=${commonName}`} \
      -addext ${`subjectAltName=${alternative}`} -keyout "$draft/privkey.pem" -out "$draft/fullchain.pem" 2>/dev/null
    install_pair ${name} "$draft"`
  return { text, shown: `openssl req -x509 -subj /CN=${name} -addext subjectAltName=${alternative}` }
}

const certificates: Kind<CertificateState> = {
  name: 'certificate',
  cost: 30,
  script: (names) => sh`
    for name in ${names}; do
      pair=${tlsFolder}/$name/current
      echo "certificate $name"
      [ -e "$pair/fullchain.pem" ] || continue
      openssl x509 -in "$pair/fullchain.pem" -noout -fingerprint -sha256 -subject -issuer -ext subjectAltName \
        -pubkey -checkend 2592000 2>/dev/null
      openssl pkey -in "$pair/privkey.pem" -pubout 2>/dev/null
    done`,
  parse: blockEach('certificate', parseCertificate),
}

function parseCertificate(block: string): CertificateState {
  const of = (pattern: RegExp) => pattern.exec(block)?.[1]?.trim()
  const fingerprint = of(/^sha256 Fingerprint=(.*)$/im)
  if (fingerprint === undefined) return 'absent'
  const [ofCertificate, ofKey] = block.match(/^-+BEGIN PUBLIC KEY-+$[^-]*/gm) ?? []
  return {
    fingerprint: fingerprint.replaceAll(':', '').toLowerCase(),
    names: (of(/Alternative Name:.*\n(.*)$/m) ?? '').split(/, */).filter(Boolean),
    selfSigned: of(/^subject=(.*)$/m) === of(/^issuer=(.*)$/m),
    keyMatches: ofCertificate !== undefined && ofCertificate === ofKey,
    endsSoon: /^Certificate will expire$/m.test(block),
  }
}
