import { language } from '../decide/start.ts'
import type { Found } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'
import { goDockerfile } from './dockerfile-go.ts'
import { nodeDockerfile } from './dockerfile-node.ts'
import { pythonDockerfile } from './dockerfile-python.ts'
import type { Recipe } from './start-line.ts'

/** A Dockerfile for a project that has none; undefined where its language has no recipe here. */
export function dockerfileFor(project: Project, start: Found<string> | undefined): Recipe | undefined {
  const found = language(project)
  if (found === 'node') return nodeDockerfile(project, start)
  if (found === 'python') return pythonDockerfile(project, start)
  return found === 'go' ? goDockerfile(project) : undefined
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
