#!/usr/bin/env bash
# Makes the images that the deployment pulls elsewhere, under the names that it pulls them by: of Debian's packages, and of
# what the other tests use. Asked for: the engine ($DOCKER_HOST) and $ENVOY_PATH. What the engine has already stays.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# An image's whole name, as a file of the deployment has it.
named() { grep -ohE "[a-z.]+/[a-z/]*$1:[A-Za-z0-9._-]+" "$root/envoy/Containerfile" "$root/envoy/compose/compose.yaml" | head -n 1; }

missing() { ! docker image inspect "$1" > /dev/null 2>&1; }

# $1: the image and its Dockerfile; on standard input, the further files that go into it as they are.
build() {
    local name files=() file
    name=$(named "$1")
    missing "$name" || return 0
    rm -rf "$work/context"
    mkdir "$work/context"
    cp "$here/images/$1.Dockerfile" "$work/context/Dockerfile"
    cp "$here/images/$1"-*.sh "$work/context/" 2> /dev/null || true
    "${2:-true}" "$work/context"
    # What Debian's engine has without a further program.
    DOCKER_BUILDKIT=0 docker build --quiet --tag "$name" "$work/context"
}

of_debian() {
    missing docker.io/library/debian:bookworm || return 0
    debootstrap --variant=minbase bookworm "$work/debian" > "$work/debootstrap.log" || { tail "$work/debootstrap.log"; exit 1; }
    tar --create --directory "$work/debian" . | docker import - docker.io/library/debian:bookworm
    rm -rf "$work/debian"
}

# A machine behind a proxy has a certificate authority of its own.
authorities() { cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$1/ca-certificates.crt"; }

toolchain() {
    authorities "$1"
    (cd "$(rustc --print sysroot)" && copy "$1/toolchain" --exclude wasm32-unknown-unknown bin/cargo bin/rustc lib)
}

envoy() { cp "$ENVOY_PATH" "$1/envoy"; }

# The interpreter too: the packages are those that its very version needs.
litellm() {
    local python=$root/.tools/python/bin/python home packages
    home=$("$python" -c 'import sys; print(sys.base_prefix)')
    packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    authorities "$1"
    cp "$(command -v node)" "$1/node"
    (shopt -s nullglob && cd "$home" && copy "$1/python" bin/python3* lib/libpython3* lib/python3.*)
    (cd "$packages" && copy "$1/packages" --exclude ./envoy .)
    (cd "$root/tests/sdk/postgres" && copy "$1/prisma" node_modules package.json query-engine.mjs)
}

# What is named here, to the folder $1.
copy() {
    mkdir "$1"
    tar --create --exclude __pycache__ --exclude site-packages "${@:2}" | tar --extract --directory "$1"
}

of_debian
build rust toolchain
build envoy envoy
build postgres
build litellm litellm
build prometheus
