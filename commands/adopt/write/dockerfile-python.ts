import type { Found } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'
import { type Recipe, startLine } from './start-line.ts'

/** Pins that are some years old have wheels for it, and new ones as well. */
const usual = '3.11'

export function pythonDockerfile(project: Project, start: Found<string> | undefined): Recipe {
  const { files, python } = project
  const image = `python:${versionOf(python?.python?.value)}-slim`
  const steps = installSteps(project)
  const { text, notes } = startLine(withoutRunner(start), ['python', 'main.py'])
  return {
    text: `FROM ${image} AS packages
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv PIP_NO_CACHE_DIR=1
${steps.join('\n')}

FROM ${image}
WORKDIR /app
ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /venv /venv
COPY . .
USER nobody
${text}`,
    notes: [
      ...notes,
      ...(steps.length === 0
        ? ['no list of packages was found (requirements.txt, pyproject.toml, Pipfile): the Dockerfile installs none']
        : []),
      ...(files.some((file) => /(^|\/)\w+\.po$/.test(file)) && !files.some((file) => file.endsWith('.mo'))
        ? ['its translations (.po) must be compiled: add "RUN pybabel compile -d FOLDER" to the Dockerfile']
        : []),
    ],
  }
}

function installSteps({ files, python }: Project): string[] {
  const has = (name: string) => files.includes(name)
  const groups = python?.groups.filter((group) => /^(main|bot|prod|production)$/.test(group)) ?? []
  if (has('uv.lock'))
    return [
      'RUN pip install uv',
      'COPY pyproject.toml uv.lock ./',
      `RUN uv sync --active --frozen --no-dev --no-install-project${groups.map((name) => ` --group ${name}`).join('')}`,
    ]
  if (has('poetry.lock')) return poetry('pyproject.toml poetry.lock')
  if (has('Pipfile.lock'))
    return [
      'RUN pip install pipenv',
      'COPY Pipfile Pipfile.lock ./',
      'RUN pipenv requirements > requirements.txt && pip install -r requirements.txt',
    ]
  const list = ['requirements.txt', 'requirements/prod.txt', 'requirements/base.txt'].find(has)
  if (list !== undefined)
    return [`COPY ${list.includes('/') ? 'requirements ./requirements' : `${list} ./`}`, `RUN pip install -r ${list}`]
  if (!has('pyproject.toml')) return []
  if (python?.python?.from.startsWith('pyproject') && files.length > 0 && isPoetry(python.python.value))
    return poetry('pyproject.toml')
  return ['RUN pip install uv', 'COPY pyproject.toml ./', 'RUN uv sync --active --no-dev --no-install-project']
}

function poetry(copied: string): string[] {
  // In an environment of its own: its packages are not the bot's.
  return [
    'RUN python -m venv /poetry && /poetry/bin/pip install poetry',
    `COPY ${copied} ./`,
    'RUN /poetry/bin/poetry install --no-interaction --no-root --only main',
  ]
}

/** `^3.10` is Poetry's. */
function isPoetry(version: string): boolean {
  return /^[\^~\d]/.test(version)
}

/** The version that is named, or the oldest that is taken: what the author has tried. */
function versionOf(said: string | undefined): string {
  const [, exact] = /^[=~^v]*\s*(3\.\d{1,2})/.exec(said ?? '') ?? []
  const [, least] = />=\s*(3\.\d{1,2})/.exec(said ?? '') ?? []
  const found = exact ?? least
  // Older ones have no images that are still mended.
  return found === undefined || Number(found.slice(2)) < 10 ? (found === undefined ? usual : '3.10') : found
}

function withoutRunner(start: Found<string> | undefined): Found<string> | undefined {
  if (start === undefined) return undefined
  return {
    ...start,
    value: start.value.replace(/^(poetry|uv|pipenv) run /, '').replace(/^python3(\.\d+)?\b/, 'python'),
  }
}
