# node_modules as package-lock.json wants it, Node 24 itself included.

modules_stamp() {
  echo "$(sha256sum <package-lock.json) $arch"
}

provide_modules() {
  stamp=node_modules/.neko-stamp
  # By its path: a shell remembers where it found `node` before node_modules was there.
  node24=node_modules/node-linux-$arch/bin/node
  if [ -x "$node24" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(modules_stamp)" ]; then
    already_there 'npm packages'
    return
  fi
  # After an `npm install` the lock is another one, and node_modules is right all the same: no reason to delete and fetch it all.
  if "$node24" infra/setup/check-modules.ts >/dev/null 2>&1; then
    modules_stamp >"$stamp"
    already_there 'npm packages'
    return
  fi
  command -v npm >/dev/null || fail 'npm is missing' 'install it: apt-get install nodejs npm'
  begin 'npm packages' npm-ci 'npm ci; half a minute'
  NODE_OPTIONS='--require=./infra/setup/as-node-24.cjs' npm ci --no-audit --no-fund >"$step_log" 2>&1 ||
    fail_step 'is the npm registry within reach? `npm ci` by itself shows the same'
  [ -x "$node24" ] || {
    echo "npm ci ended well, but node_modules/node-linux-$arch is not there" >>"$step_log"
    fail_step 'the registry lacks Node 24 for this machine, or npm was told to leave out optional packages (npm config get omit)'
  }
  "$node24" infra/setup/check-modules.ts >>"$step_log" 2>&1 || fail_step 'try again with a newer npm (npm install -g npm), and report this'
  modules_stamp >"$stamp"
  end
}
