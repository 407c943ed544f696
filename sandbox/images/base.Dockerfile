# What every image of the sandbox starts from: bare Debian, able to use apt and https behind whatever this machine sits behind.
ARG FROM
FROM ${FROM}
COPY machine/ /
# Left by whoever built the base: a real machine starts its services, keeps its manuals and says who it is itself.
RUN rm -f /usr/sbin/policy-rc.d /etc/apt/apt.conf.d/docker-* /etc/dpkg/dpkg.cfg.d/docker*
