#!/bin/sh
# install-packages.sh PACKAGE…: installs Debian packages, as root, and starts none of the services that they bring: the room's Redis is
# a private child of ours, and a machine that only wanted neko-edge should not find a second one on a port.
set -u

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit 1
fi
had_redis=$(dpkg-query -W -f '${db:Status-Status}' redis-server 2>/dev/null)

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt='apt-get -o DPkg::Lock::Timeout=300'
install() {
  $apt install -y --no-install-recommends "$@"
}

# Lists of the last week are good enough to try with; where a version has gone from the mirror since, fetch them and try again.
fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -7 2>/dev/null | head -n 1)
if [ -z "$fresh" ]; then
  $apt update && install "$@" || exit 1
else
  install "$@" || { $apt update && install "$@"; } || exit 1
fi

if [ "$had_redis" != installed ] && command -v redis-server >/dev/null; then
  update-rc.d redis-server disable
fi
exit 0
