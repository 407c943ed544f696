# A fresh cloud VPS: what a provider's Debian 13 has, and nothing that a role should install itself.
ARG FROM
FROM ${FROM}
RUN apt-get update -o Acquire::Languages=none \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    systemd systemd-sysv libpam-systemd dbus openssh-server sudo ca-certificates \
    iproute2 iputils-ping netbase procps less tzdata \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
# Debian's own cloud images have this user too; both users get their key when the VPS is created.
RUN useradd --create-home --shell /bin/bash debian \
 && echo 'debian ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/90-cloud-init-users \
 && chmod 0440 /etc/sudoers.d/90-cloud-init-users
# Made at the first boot, like everything by which one machine is told from another.
RUN rm -f /etc/ssh/ssh_host_* && : > /etc/machine-id
STOPSIGNAL SIGRTMIN+3
