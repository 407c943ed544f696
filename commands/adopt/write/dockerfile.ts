import { language } from '../decide/start.ts'
import { wordsOf } from '../read/command-line.ts'
import type { Found, Note } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'
import { goDockerfile } from './dockerfile-go.ts'
import { nodeDockerfile } from './dockerfile-node.ts'
import { pythonDockerfile } from './dockerfile-python.ts'

export interface Recipe {
  readonly text: string
  readonly notes: readonly Note[]
}

/** A Dockerfile for a project that has none; undefined where its language has no recipe here. */
export function dockerfileFor(project: Project, start: Found<string> | undefined): Recipe | undefined {
  const found = language(project)
  if (found === 'node') return nodeDockerfile(project, start)
  if (found === 'python') return pythonDockerfile(project, start)
  return found === 'go' ? goDockerfile(project) : undefined
}

/** The last line of a Dockerfile, and what is to be said where nothing tells how the bot is started. */
export function startLine(start: Found<string> | undefined, fallback: readonly string[]): Recipe {
  if (start === undefined)
    return {
      text: `# Nothing says how the bot is started: put it here.\nCMD ${list(fallback)}\n`,
      notes: [`nothing says how the bot is started: the Dockerfile has ${fallback.join(' ')}, see that it is right`],
    }
  const words = wordsOf(start.value)
  // A shell as the first process would keep the signal to stop for itself.
  return { text: `CMD ${list(words ?? ['sh', '-c', `exec ${start.value}`])}\n`, notes: [] }
}

function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`
}

/** Never in an image: what is installed, what is secret, what is kept. */
export const dockerignore = `.git
.github
**/node_modules
**/__pycache__
**/*.pyc
.venv
venv
.env
.env.*
**/*.log
**/*.sqlite
**/*.sqlite3
**/*.db
**/*.session
docker-compose*.yml
compose*.yaml
Dockerfile
.dockerignore
bot.yaml
`
