# How a step of the set-up shows itself: one line with its name and duration, its output in a log that is kept when it fails.

now_ms() {
  date +%s%3N
}

# shown_time MS: "43.9 s"
shown_time() {
  echo "$(($1 / 1000)).$(($1 % 1000 / 100)) s"
}

already_there() {
  printf '✓ %-20s already there\n' "$1"
}

begin() {
  step_name=$1
  step_log=$cache/log/$2.log
  step_start=$(now_ms)
  printf '… %-20s %s\n' "$step_name" "$3"
}

end() {
  printf '✓ %-20s %s\n' "$step_name" "$(shown_time $(($(now_ms) - step_start)))"
}

# fail WHAT REMEDY: ends the set-up.
fail() {
  printf '✗ %s\n  %s\n' "$1" "$2" >&2
  exit 1
}

# fail_step REMEDY: the same for the step that was begun, with the last lines of its log.
fail_step() {
  printf '✗ %-20s failed after %s; the last lines of %s:\n' "$step_name" "$(shown_time $(($(now_ms) - step_start)))" "$step_log" >&2
  tail -n 12 "$step_log" | sed 's/^/    /' >&2
  printf '  %s\n' "$1" >&2
  exit 1
}
