# Debian packages: which ones, and how they come onto the machine.

# The desktop (X server, sound, window manager, application, its cage and its network, fonts for Latin, Chinese and emoji), capture, and Redis.
# fonts-wqy-microhei: 1.6 MB, where fonts-noto-cjk is 57 MB to download.
run_packages='
  xserver-xorg-core xserver-xorg-video-dummy x11-xkb-utils xkb-data openbox
  pulseaudio pulseaudio-utils
  gstreamer1.0-tools gstreamer1.0-x gstreamer1.0-pulseaudio gstreamer1.0-libav
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  chromium bubblewrap passt iproute2 util-linux procps
  fonts-dejavu-core fonts-liberation fonts-wqy-microhei fonts-noto-color-emoji
  redis-server ca-certificates'

# What builds the mediasoup worker; the libraries that it then runs with come along.
build_packages='
  cmake ninja-build pkg-config g++ libuv1-dev libssl-dev libsrtp2-dev libabsl-dev libflatbuffers-dev flatbuffers-compiler'
# The faster AES-GCM. It exists for x86-64 alone.
[ "$arch" != x64 ] || build_packages="$build_packages libipsec-mb-dev"

# What only tests run: another make of browser.
test_packages='firefox-esr'

# missing_of PACKAGE…: those that are not installed, with one question to dpkg.
missing_of() {
  installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | tr '\n' ' ') "
  for package; do
    case $installed in
      *" $package "*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# What compiles the native viewers (infra/viewers), on their first use.
viewer_packages='gcc libc6-dev libsrtp2-dev libssl-dev'

supported_system() {
  if [ "$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "neko-edge sets itself up on Debian and Ubuntu; this is $(uname -s) without apt-get" \
      "elsewhere Docker will be the way. By hand it takes what these Debian packages hold:$(echo "$run_packages$build_packages" | tr -s '\n ' ' ')"
  fi
  case $arch in
    x64 | arm64) ;;
    *) fail "neko-edge comes with Node for x86-64 and arm64; this machine is $arch" 'run it on one of those' ;;
  esac
}

provide_packages() {
  wanted="$run_packages ${for_tests:+$test_packages}"
  # All in one go: a second round of apt costs seconds, and a second password.
  if ! worker_is_there; then
    wanted="$wanted $build_packages"
  fi
  missing=$(missing_of $wanted)
  # Where only the build's packages can not be had, mediasoup's prebuilt worker may do: see worker.sh.
  if [ -z "$(missing_of $run_packages)" ] && ! can_be_root; then
    missing=''
  fi
  if [ -z "$missing" ]; then
    already_there 'Debian packages'
    return
  fi
  install_packages 'Debian packages' $missing
}

# For `neko load-test` alone: elsewhere they come with what builds the worker.
provide_viewers() {
  missing=$(missing_of $viewer_packages)
  if [ -z "$missing" ]; then
    already_there 'native viewers'
    return
  fi
  install_packages 'native viewers' $missing
}

# install_packages STEP PACKAGE…
install_packages() {
  title=$1
  shift
  can_be_root || fail "$# Debian packages are missing, and this user may not install them" "run this once as root, then try again:
  ${sudo_word}apt-get update && ${sudo_word}apt-get install -y --no-install-recommends $*"
  begin "$title" packages "installing $#; a minute or two"
  if [ "$as_root" = sudo ]; then
    # Ask for the password now, where the question can be seen.
    sudo -v || fail 'sudo refused' "as root: apt-get install -y --no-install-recommends $*"
  fi
  $as_root sh infra/setup/install-packages.sh "$@" >"$step_log" 2>&1 ||
    fail_step "see what apt says above; by hand: ${sudo_word}apt-get install -y --no-install-recommends $*"
  end
}

# Sets as_root to the command that runs another as root: nothing for root itself, sudo where it asks nothing or can ask somebody.
can_be_root() {
  as_root=''
  sudo_word=''
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null || return 1
  sudo_word='sudo '
  if sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  elif [ -t 0 ]; then
    as_root=sudo
  else
    return 1
  fi
}
