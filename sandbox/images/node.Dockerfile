# Stands in for the official `node`: its user, paths and entry point, with the program that this project itself runs on.
ARG FROM
FROM ${FROM}
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
RUN apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    ca-certificates libatomic1 libstdc++6 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY node/node node/docker-entrypoint.sh /usr/local/bin/
ADD node/npm-*.tgz /usr/local/lib/node_modules/
RUN cd /usr/local/lib/node_modules && mv package npm && chown -R root:root npm \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
 && ln -s node /usr/local/bin/nodejs
COPY node/npmrc /usr/local/etc/npmrc
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
