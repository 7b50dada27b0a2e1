# The verbs themselves: `npm run VERB -- ARGUMENT…`. Servers replace this shell (exec), so that signals reach them.

run_setup() {
  :
}

run_start() {
  exec node apps/neko/src/main.ts serve "$@"
}

run_neko() {
  exec node apps/neko/src/main.ts "$@"
}

run_bench() {
  exec node test/bench/main.ts "$@"
}

run_screenshots() {
  exec node test/e2e/screenshots.ts "$@"
}

run_control_plane_deno() {
  # The npm package's own program is a script that starts the runtime and does not pass signals on: the runtime itself is run.
  exec node_modules/@deno/linux-*/deno run --no-lock --node-modules-dir=manual --allow-net --allow-env --allow-read --allow-write --allow-sys \
    apps/control-plane/src/main.deno.ts "$@"
}

run_format() {
  exec biome check --write "$@"
}

run_unit() {
  exec vitest run --project unit "$@"
}

run_e2e() {
  exec vitest run --project e2e "$@"
}

run_check() {
  check_everything || exit 1
}

# Everything, in order, even after a failure; the last line is the sum.
run_test() {
  counts=$(mktemp) || exit 1
  trap 'rm -f "$counts"' EXIT
  trap 'exit 130' INT TERM HUP
  check_everything
  echo "0 $?" >>"$counts"
  for project in unit integration e2e; do
    printf '\n— %s tests\n' "$project"
    test_project "$project" "$@"
  done
  # A line that other programs read: alone, and last.
  awk '{ passed += $1; failed += $2 } END { printf "\n%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$counts"
  exit
}

# test_project PROJECT [ARGUMENT…]: infra/setup/count-reporter.ts adds its line to $counts. A run that fails without saying what failed
# (no tests, a crash) counts as one failure.
test_project() {
  failures_before=$(failures)
  project=$1
  shift
  # With arguments only some files are meant, and a project may have none of them.
  NEKO_TEST_COUNTS=$counts vitest run --project "$project" ${1:+--passWithNoTests} "$@" && return
  [ "$(failures)" -gt "$failures_before" ] || echo '0 1' >>"$counts"
}

failures() {
  awk '{ failed += $2 } END { print failed + 0 }' "$counts"
}

# Gives the number of checks that failed.
check_everything() {
  failed_checks=0
  for config in tsconfig.json apps/*/tsconfig.json libs/*/tsconfig.json test/*/tsconfig.json; do
    [ ! -f "$config" ] || check "types $(dirname "$config" | sed 's/^\.$/server/')" tsc -p "$config"
  done
  check 'biome' biome check
  check 'oxlint' oxlint
  return "$failed_checks"
}

# check NAME COMMAND…: quiet where it passes.
check() {
  name=$1
  shift
  check_start=$(now_ms)
  if output=$("$@" 2>&1); then
    printf '✓ %-20s %s\n' "$name" "$(shown_time $(($(now_ms) - check_start)))"
  else
    printf '%s\n✗ %s\n' "$output" "$name"
    failed_checks=$((failed_checks + 1))
  fi
}
