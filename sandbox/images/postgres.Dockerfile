# Stands in for the official `postgres`: its user, paths, locale, environment and entry point, on Debian's own packages, those
# of the next Debian, which has the version.
ARG FROM
FROM ${FROM}
# Before the packages, which would take the next free ids.
RUN groupadd --system --gid 999 postgres \
 && useradd --system --uid 999 --gid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres
# The data directory is made by the entry point: the packages must not make a cluster of their own.
RUN sed -i s/trixie/forky/ $(find /etc/apt -name '*.list' -o -name '*.sources') \
 && apt-get update -o Acquire::Languages=none \
 && export DEBIAN_FRONTEND=noninteractive \
 && apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    locales postgresql-common \
 && echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf \
 && apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    postgresql-18 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN localedef -i en_US -f UTF-8 en_US.UTF-8
ENV LANG=en_US.utf8 PG_MAJOR=18 PATH=$PATH:/usr/lib/postgresql/18/bin PGDATA=/var/lib/postgresql/18/docker
RUN echo "listen_addresses = '*'" >> /usr/share/postgresql/18/postgresql.conf.sample \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
 && mkdir /docker-entrypoint-initdb.d
COPY postgres/docker-entrypoint.sh /usr/local/bin/
VOLUME /var/lib/postgresql
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
