# The sandbox's certificate authority: a real ACME server that keeps all it knows in memory and issues from a root that it
# makes at each start. This certificate is only what it is reached under; the key that signed it is thrown away right here.
ARG FROM
FROM ${FROM}
# The next Debian is the first to have it.
RUN sed -i s/trixie/forky/ $(find /etc/apt -name '*.list' -o -name '*.sources') \
 && apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    pebble openssl curl \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /etc/pebble
RUN openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3650 \
    -subj '/CN=botgarden sandbox' -addext 'keyUsage=critical,keyCertSign' \
 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 3649 \
    -CA ca.pem -CAkey ca.key -subj '/CN=pebble.sandbox' -addext 'subjectAltName=DNS:pebble.sandbox' \
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'extendedKeyUsage=serverAuth' \
 && rm ca.key
COPY pebble/config.json ./
# Checked at once, each time anew, and no nonce refused for practice: a run that fails here has failed.
ENV PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
EXPOSE 14000 15000
CMD ["pebble", "-config", "config.json"]
