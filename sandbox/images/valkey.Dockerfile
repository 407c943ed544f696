# Stands in for `valkey/valkey`: its user, folder, entry point and names, on Debian's own package.
ARG FROM
FROM ${FROM}
# Before the package, which would take the next free id.
RUN groupadd --system --gid 999 valkey && useradd --system --uid 999 --gid 999 --home-dir /data --no-create-home valkey
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    valkey-server valkey-tools \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d \
 && for name in server cli benchmark; do ln -sf valkey-$name /usr/bin/redis-$name; done
RUN mkdir /data && chown valkey:valkey /data
VOLUME /data
WORKDIR /data
COPY valkey/docker-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["docker-entrypoint.sh"]
EXPOSE 6379
CMD ["valkey-server"]
