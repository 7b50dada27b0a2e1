#!/bin/sh
# Fuzzes what the fast worker is made of: sh infra/worker/test/fuzz.sh [SECONDS]. Each target of test/native runs for half of the time
# (600 s in all where none is given) over its corpus in test/corpus, which it adds to; what fails is left here as crash-*.
set -eu

seconds=${1:-600}
here=$(cd "$(dirname "$0")" && pwd)
command -v clang++-14 >/dev/null || {
  echo 'clang is missing: apt-get install -y --no-install-recommends clang-14 libclang-rt-14-dev' >&2
  exit 1
}
build=${XDG_CACHE_HOME:-$HOME/.cache}/neko-edge/native-tests/fuzz
CXX=clang++-14 cmake -G Ninja -S "$here/native" -B "$build" -DFUZZ=1 >/dev/null
ninja -C "$build"
for target in send-queue srtp-aead; do
  mkdir -p "$build/$target" "$here/corpus/$target"
  # New inputs go to the first folder; what they add to the coverage is merged into the repository's.
  "$build/fuzz-$target" -max_total_time=$((seconds / 2)) -max_len=4096 -print_final_stats=1 "$build/$target" "$here/corpus/$target"
  "$build/fuzz-$target" -merge=1 "$here/corpus/$target" "$build/$target"
done
