import type { Note } from '../read/finding.ts'
import type { Build } from './build.ts'
import type { Entry } from './entry.ts'
import { looksSecret, nameMeans } from './names.ts'

export function buildKeys({ dockerfile, target, args, from }: Build): Entry[] {
  const open = Object.entries(args).filter(([name, value]) => nameMeans(name, value) === 'plain' && !looksSecret(value))
  return [
    ...(dockerfile === undefined || dockerfile === 'Dockerfile'
      ? []
      : [{ key: 'dockerfile', value: dockerfile, why: from }]),
    ...(target === undefined ? [] : [{ key: 'target', value: target, why: from }]),
    ...(open.length === 0 ? [] : [{ key: 'args', value: Object.fromEntries(open), why: from }]),
  ]
}

export function argNotes({ args, from }: Build): Note[] {
  const secret = Object.entries(args).flatMap(([name, value]) =>
    nameMeans(name, value) === 'plain' && !looksSecret(value) ? [] : [name],
  )
  return secret.length === 0
    ? []
    : [
        `${from}: build arguments stay in the history of the image, and these may be secret: ${secret.join(', ')}: have the bot read them when it starts`,
      ]
}

/** What an image does that only root could use: a bot runs as a user of its own, who has no home there. */
export function imageNotes({ image }: Build): Note[] {
  const text = image?.text ?? ''
  const isPoetrys =
    /poetry install/.test(text) &&
    !/virtualenvs\.create|VIRTUALENVS_CREATE|in-project|IN_PROJECT|CACHE_DIR|VIRTUALENVS_PATH|VIRTUAL_ENV/i.test(text)
  if (!isPoetrys && !/(PATH=|CMD|ENTRYPOINT|WORKDIR).*\/root\//.test(text)) return []
  return [
    `${image?.file}: names a folder in the home of root, which the user of a bot cannot read: ${isPoetrys ? 'add ENV POETRY_VIRTUALENVS_IN_PROJECT=true' : 'install it elsewhere'}`,
  ]
}
