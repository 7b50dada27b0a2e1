# The web client, built where its sources have changed since the last time.

web_stamp() {
  find apps/web libs/client libs/protocol libs/kit package-lock.json -type f -not -path '*/dist/*' -not -path '*/node_modules/*' |
    LC_ALL=C sort | xargs sha256sum | sha256sum
}

provide_web() {
  # Not in dist: what lies there is served to everybody.
  stamp=node_modules/.neko-web-stamp
  sum=$(web_stamp)
  if [ -f apps/web/dist/index.html ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then
    already_there 'web client'
    return
  fi
  begin 'web client' web-build 'vite build'
  (cd apps/web && vite build) >"$step_log" 2>&1 || fail_step 'mend the sources in apps/web, libs/client or libs/protocol'
  echo "$sum" >"$stamp"
  end
}
