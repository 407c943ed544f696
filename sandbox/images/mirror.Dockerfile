# The sandbox's name server and image registry. Docker's own name server answers at 127.0.0.11 only: containers inside a VPS
# cannot ask there, so dnsmasq passes their questions on. It remembers no answer: a fresh VPS has the name of an older one.
ARG FROM
FROM ${FROM}
RUN apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    dnsmasq-base docker-registry ca-certificates \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN printf '%s\n' 'version: 0.1' 'log: { level: warn }' 'storage: { filesystem: { rootdirectory: /srv/registry } }' \
    'http: { addr: ":5000" }' > /etc/registry.yml
CMD ["sh", "-c", "dnsmasq --user=root --no-hosts --no-resolv --cache-size=0 --server=127.0.0.11 && exec docker-registry serve /etc/registry.yml"]
