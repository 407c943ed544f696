# The work that every tool of the bench is given, as pyinfra says it.
import io

from pyinfra import host
from pyinfra.operations import apt, files, server, systemd

version = host.data.get("version", 1)

apt.packages(packages=["bc", "less", "lsof", "rsync", "time", "tree", "unzip", "zip"])
for n in range(3):
    server.group(group=f"bench-{n}")
for path in ["/opt/bench", *(f"/opt/bench/{n}" for n in range(10))]:
    files.directory(path=path, mode="755", user="root", group="root")
for n in range(40):
    files.put(
        src=io.StringIO(f"version = {version}\nfile = {n}\n"),
        dest=f"/opt/bench/{n % 10}/{n}.conf",
        mode="644",
        user="root",
        group="root",
    )
for n in range(4):
    files.link(path=f"/opt/bench/link-{n}", target=f"/opt/bench/{n}")
for name in ["ssh", "systemd-journald", "systemd-logind", "dbus"]:
    systemd.service(service=name, running=True)
