import type { Project } from '../read/survey.ts'
import type { Recipe } from './start-line.ts'

/** Builds what asks for this version or an older one. */
const newest = 25

export function goDockerfile({ files, go }: Project): Recipe {
  const minor = Number(go?.version?.value.split('.')[1] ?? newest)
  const mains = files.filter((file) => /^(cmd\/([\w-]+\/)?)?main\.go$/.test(file))
  const main = mains.find((file) => /bot/.test(file)) ?? mains.find((file) => file === 'main.go') ?? mains[0]
  const folder = main === undefined || main === 'main.go' ? '.' : `./${main.replace(/\/main\.go$/, '')}`
  // go-sqlite3 is C.
  const cgo = go?.dependencies.has('github.com/mattn/go-sqlite3') ? 1 : 0
  return {
    text: `FROM golang:1.${Math.max(newest, minor)}-trixie AS build
WORKDIR /src
COPY go.mod go.sum* ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=${cgo} go build -trimpath -ldflags '-s -w' -o /bot ${folder}

FROM debian:13-slim
WORKDIR /app
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY . .
COPY --from=build /bot /usr/local/bin/bot
USER nobody
CMD ["bot"]
`,
    notes: main === undefined ? ['no main.go was found: name the package to build in the Dockerfile'] : [],
  }
}
