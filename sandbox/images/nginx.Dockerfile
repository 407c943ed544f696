# Stands in for the official `nginx`: its user, paths, logs, signals and entry point, on packages of the next Debian,
# which has the version. There the module `stream` is a file; in the official one it is a part of nginx.
ARG FROM
FROM ${FROM}
# Before the packages, which would take the next free ids.
RUN groupadd --system --gid 101 nginx \
 && useradd --system --uid 101 --gid 101 --no-create-home --home-dir /nonexistent --shell /bin/false nginx
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && sed -i s/trixie/forky/ $(find /etc/apt -name '*.list' -o -name '*.sources') \
 && apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    nginx libnginx-mod-stream ca-certificates curl openssl \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d
# Debian's nginx keeps request bodies in /var/lib/nginx, the official one in /var/cache/nginx: one tmpfs does for both.
RUN rm -rf /var/lib/nginx /etc/nginx/sites-* /etc/nginx/modules-* /etc/nginx/conf.d /var/www \
 && mkdir -p /var/cache/nginx /etc/nginx/conf.d /docker-entrypoint.d && ln -s /var/cache/nginx /var/lib/nginx \
 && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
COPY nginx/nginx.conf /etc/nginx/
COPY nginx/default.conf /etc/nginx/conf.d/
COPY nginx/docker-entrypoint.sh /
ENTRYPOINT ["/docker-entrypoint.sh"]
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
