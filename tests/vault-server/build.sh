#!/usr/bin/env bash
# Builds tests/vault-server into the folder given, once: a minute or two of downloads and ten to twenty of compilation on two cores.
# Fails, saying why, where there is no Go or no module proxy: the tests against a real Vault are then skipped.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
to=$(realpath "$1")
stamp=$(cat "$here"/{go.mod,main.go,build.sh} | sha256sum | cut -d' ' -f1)
[ "$(cat "$to/vault.stamp" 2>/dev/null || true)" != "$stamp" ] || [ ! -x "$to/vault" ] || exit 0
command -v go >/dev/null || { echo "no Go here; 1.20 or newer builds it" >&2; exit 1; }
cd "$here"
# The SDK that goes with this version of Vault was never published; the nearest one refuses some of its paths, which only the
# enterprise edition serves. That check is for Vault's own developers: the build takes a copy of the SDK without it.
go mod download github.com/hashicorp/vault/sdk
sdk=$(go list -m -f '{{.Dir}}' github.com/hashicorp/vault/sdk)
rm -rf "$to/sdk"
cp -r --no-preserve=mode "$sdk" "$to/sdk"
sed -i 's/if p\.ExistenceCheck == nil {/if false {/' "$to/sdk/framework/backend.go"
cp go.mod go.sum "$to/"
printf '\nreplace github.com/hashicorp/vault/sdk => %s\n' "$to/sdk" >>"$to/go.mod"
nice -n 10 go build -modfile "$to/go.mod" -buildvcs=false -trimpath -ldflags='-s -w' -o "$to/vault" .
echo "$stamp" >"$to/vault.stamp"
