# Stands in for the official `postgres` of the version before ours, as `postgres` does for ours, on Debian's own packages. Its volume
# was the data directory itself.
ARG FROM
FROM ${FROM}
# Before the packages, which would take the next free ids.
RUN groupadd --system --gid 999 postgres \
 && useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres
# The data directory is made by the entry point: the packages must not make a cluster of their own.
RUN apt-get update -o Acquire::Languages=none \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    locales postgresql-common \
 && echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf \
 && apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    postgresql-17 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN localedef -i en_US -f UTF-8 en_US.UTF-8
ENV LANG=en_US.utf8 PG_MAJOR=17 PATH=$PATH:/usr/lib/postgresql/17/bin PGDATA=/var/lib/postgresql/data
RUN echo "listen_addresses = '*'" >> /usr/share/postgresql/17/postgresql.conf.sample \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
 && mkdir /docker-entrypoint-initdb.d
COPY postgres/docker-entrypoint.sh /usr/local/bin/
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
