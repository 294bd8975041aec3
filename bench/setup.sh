#!/bin/sh
# Installs what only benchmarks need: the rivals. Their services are not started.
set -eu

packages="
    redis-server
    lsm
    collectd-core
    python3-venv
    ufw
    firewalld
    dbus
    keepalived
    frr
"
python="rocksdict"

policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    made=1
fi
brought=
for service in redis-server collectd lsm keepalived frr; do
    [ -e "/lib/systemd/system/$service.service" ] || brought="$brought $service"
done
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 $packages
[ -z "$made" ] || rm -f "$policy"
# Nor at the next boot: services that this run has brought.
for service in $brought; do systemctl disable --quiet "$service" 2>/dev/null || :; done
# The Python packages live beside the checkout's build.
venv=$(cd "$(dirname "$0")/.." && pwd)/.build/bench-venv
[ -d "$venv" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q $python
