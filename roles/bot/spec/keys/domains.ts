import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import * as v from 'valibot'
import { isDomainName } from '../../../../lib/model/domain-name.ts'

/** A domain of a bot: a name that a certificate can be had for by HTTP. */
export const domain = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? faultOf(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  }),
)

function faultOf(text: string): string | undefined {
  if (isDomainName(text)) return undefined
  const found = `found ${JSON.stringify(text)}`
  if (isIP(text) !== 0) return `should be a domain name, ${found}: an address has no certificate of an authority`
  if (text.includes('*'))
    return `should be a domain name, ${found}: a wildcard cannot be proved by HTTP, so list each name that is used`
  const [, host = text] = /^(?:[a-z]+:\/\/)?([^/:]+)(?:[:/].*)?$/i.exec(text) ?? []
  const name = domainToASCII(host.replace(/\.$/, ''))
  if (name !== text && isDomainName(name)) return `should be a domain name alone, in lower case: ${name}, ${found}`
  return `should be a domain name like shop.example.org, ${found}`
}
