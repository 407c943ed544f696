# Stands in for the official slim `python`: its names and its command, with Debian's own Python, and pip that installs beside it.
ARG FROM
FROM ${FROM}
RUN apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    ca-certificates python3 python3-pip python3-venv tzdata \
 && apt-get clean && rm -rf /var/lib/apt/lists/* /usr/lib/python3.*/EXTERNALLY-MANAGED
RUN for name in python python3; do ln -s /usr/bin/python3 /usr/local/bin/$name; done \
 && for name in pip pip3; do ln -s /usr/bin/pip3 /usr/local/bin/$name; done
ENV LANG=C.UTF-8
CMD ["python3"]
