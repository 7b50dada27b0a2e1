#!/bin/sh
# Sets the machine up and then runs one of the project's verbs: every npm script calls this file.
#   sh infra/setup/run.sh start|neko|setup|check|unit|e2e|test|bench|screenshots|format|control-plane-deno [ARGUMENT…]
# Plain POSIX sh, because it runs before the first `npm ci`, on what Debian ships. Run again, it finds everything there and goes on.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
cd "$root" || exit 1
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/neko-edge
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) arch=$(uname -m) ;;
esac

. infra/setup/step.sh
. infra/setup/packages.sh
. infra/setup/modules.sh
. infra/setup/worker.sh
. infra/setup/web.sh
. infra/setup/verbs.sh

usage() {
  sed -n '3s/^# *//p' infra/setup/run.sh >&2
  exit 2
}

# What a verb needs: the sources alone, the control plane without a desktop, or all of it.
case ${1:-} in
  check | unit | format) parts='modules' ;;
  control-plane-deno) parts='modules web' ;;
  neko)
    case ${2:-} in
      serve | capture-node) parts='packages modules worker web' ;;
      load-test) parts='viewers modules' ;;
      *) parts='modules web' ;;
    esac
    ;;
  start | setup | bench | screenshots) parts='packages modules worker web' ;;
  e2e | test)
    parts='packages modules worker web'
    for_tests=yes
    ;;
  *) usage ;;
esac

mkdir -p "$cache/log" || fail "$cache can not be written" 'give this user a home folder, or set XDG_CACHE_HOME'
PATH=$root/node_modules/node-linux-$arch/bin:$root/node_modules/.bin:$PATH
export PATH
# Sources run as they are: Node takes their types off and compiles them at each start. Kept here, that costs a quarter of a second and
# 30 MB a process less from the second start on.
export NODE_COMPILE_CACHE="$cache/node"

# What these print is for a file or a pipe (`neko migrate-config … > neko.yaml`): the set-up speaks beside it.
case $1 in
  neko | bench) exec 8>&2 ;;
  *) exec 8>&1 ;;
esac

# One set-up at a time: `npm test` beside `npm start` must not see a half-filled node_modules.
(
  flock 9
  supported_system
  for part in $parts; do
    "provide_$part"
  done
) 9>"$cache/setup.lock" >&8 || exit 1
exec 8>&-

verb=$1
shift
"run_$(echo "$verb" | tr - _)" "$@"
