# The mediasoup worker: infra/worker/README.md has the ways to one and their order.

# The place in the cache; the same that infra/worker/locate.ts computes (a test compares them). In sh as well, because it must be known
# before Node 24 is there whether the packages that build a worker are needed.
# worker_path fast|stock
worker_path() {
  version=$(sed -n '/^ *"node_modules\/mediasoup": {/,/^ *}/s/^ *"version": "\(.*\)",*$/\1/p' package-lock.json)
  recipe=$(
    {
      (. /etc/os-release 2>/dev/null && echo "$(uname -m) ${ID:-} ${VERSION_ID:-}")
      find infra/worker/recipe -type f | LC_ALL=C sort | xargs cat
    } | sha256sum | cut -c 1-12
  )
  echo "$cache/worker/$version-$1-$recipe/mediasoup-worker"
}

worker_is_there() {
  [ -x "${MEDIASOUP_WORKER_BIN:-$(worker_path fast)}" ]
}

provide_worker() {
  if worker_is_there; then
    already_there 'mediasoup worker'
    return
  fi
  if [ -n "${MEDIASOUP_WORKER_BIN:-}" ]; then
    fail "MEDIASOUP_WORKER_BIN names $MEDIASOUP_WORKER_BIN, which is no executable file" 'mend or unset it'
  fi
  missing=$(missing_of $build_packages)
  if [ -n "$missing" ] && ! can_be_root; then
    if [ -x "$(worker_path stock)" ]; then
      already_there 'mediasoup worker (the stock one: nothing to build the fast one with)'
      return
    fi
    begin 'mediasoup worker' worker-download 'no build tools and no root: trying the prebuilt one'
    if node infra/worker/main.ts download >/dev/null 2>&1; then
      end
      return
    fi
  fi
  # Without root this names the command that is missing, and ends.
  [ -z "$missing" ] || install_packages 'build tools' $missing
  begin 'mediasoup worker' worker-build 'building from source; two minutes, once per machine'
  node infra/worker/main.ts build || fail_step 'the whole log says more; see infra/worker/README.md'
  end
}
