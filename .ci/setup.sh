# Sourced by ./weir and ./test: what the build and the tests need from the system, and the build itself.
# shellcheck shell=bash

# Debian packages: what is needed to build and run, and what the tests need besides.
build_packages=(
  cmake ninja-build g++ pkg-config ccache
  libuv1-dev libssl-dev node-llhttp libyaml-cpp-dev libyaml-dev libpsl-dev libtomlplusplus-dev libnftnl-dev libmnl-dev
  libseccomp-dev nlohmann-json3-dev libcli11-dev libfmt-dev libldns-dev libc-ares-dev libidn2-dev libcurl4-openssl-dev
  libvectorscan-dev zlib1g-dev libbrotli-dev
  bubblewrap iproute2 ca-certificates curl
)
test_packages=(libgtest-dev libgmock-dev python3 python3-cryptography python3-jsonschema python3-yaml python3-pip curl wget git nftables nodejs
  python3-websockets postgresql postgresql-client openssh-server openssh-client redis-server redis-tools
  python3-boto3 gh libsecret-1-0 gnome-keyring dbus gdb)

# missing_packages NAME…: those of them that are not installed.
missing_packages() {
  # dpkg-query fails when it has never heard of one of them, which is no failure here.
  { dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
    sed -n 's/^installed //p' | sort -u | comm -13 - <(printf '%s\n' "$@" | sort -u)
}

# need_packages NAME…: installs what is missing, or says how.
need_packages() {
  local missing root=()
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -n "${missing// /}" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      root=(sudo -n)
    else
      printf 'Some packages are missing. Install them, then try again:\n\n  sudo apt-get install --no-install-recommends %s\n\n' "$missing" >&2
      return 1
    fi
  fi
  echo "installing: $missing" >&2
  local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends)
  # shellcheck disable=SC2086
  if ! "${install[@]}" $missing </dev/null >/dev/null 2>&1; then
    "${root[@]}" apt-get update -q >/dev/null </dev/null
    # shellcheck disable=SC2086
    "${install[@]}" $missing </dev/null >&2 || {
      printf 'These packages could not be installed: %s\n' "$missing" >&2
      return 1
    }
  fi
}

# configure PRESET [CMAKE ARGUMENT…]: quiet unless something is wrong.
configure() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# build PRESET [CMAKE ARGUMENT…]: quiet unless something is wrong.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! cmake --build --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
