#!/usr/bin/env bash
# Builds the images that a user's engine would pull, under the same names, from Debian's packages and from the programs of the
# other tests. Needs an engine ($DOCKER_HOST) and $ENVOY_PATH. An image that the engine has stays.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The full name of an image, from the files of the deployment.
named() { grep -ohE "[a-z.]+/[a-z/]*$1:[A-Za-z0-9._-]+" "$root/envoy/Containerfile" "$root/envoy/compose/compose.yaml" | head -n 1; }

# A hash of all sources: an image of other sources is built again.
made_of=$(cd "$root" && { rustc --version && sha256sum tests/deploy/compose/images.sh tests/deploy/compose/images/* .envoy-version \
    tests/sdk/requirements.lock tests/sdk/postgres/{package-lock.json,query-engine.mjs}; } | sha256sum | cut -d ' ' -f 1)
is_there() { [ "$(docker image inspect --format '{{ index .Config.Labels "made-of" }}' "$1" 2> /dev/null)" = "$made_of" ]; }

# $1: the image, and its Dockerfile; $2: a function that copies further files into a folder.
build() {
    local name context=$work/context
    name=$(named "$1")
    ! is_there "$name" || return 0
    rm -rf "$context"
    mkdir "$context"
    cp "$here/images/$1.Dockerfile" "$context/Dockerfile"
    cp "$here/images/$1"-*.sh "$context/" 2> /dev/null || true
    "${2:-true}" "$context"
    # The older builder, which needs no further program.
    DOCKER_BUILDKIT=0 docker build --quiet --label "made-of=$made_of" --tag "$name" "$context"
}

of_debian() {
    ! docker image inspect docker.io/library/debian:bookworm > /dev/null 2>&1 || return 0
    debootstrap --variant=minbase bookworm "$work/debian" > "$work/debootstrap.log" || { tail "$work/debootstrap.log"; exit 1; }
    tar --create --directory "$work/debian" . | docker import - docker.io/library/debian:bookworm
    rm -rf "$work/debian"
}

# A proxy between this machine and the internet has its own certificate authority.
authorities() { cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$1/ca-certificates.crt"; }

toolchain() {
    authorities "$1"
    (cd "$(rustc --print sysroot)" && copy "$1/toolchain" --exclude wasm32-unknown-unknown bin/cargo bin/rustc lib)
}

envoy() { cp "$ENVOY_PATH" "$1/envoy"; }

# With the interpreter: the packages are for its exact version.
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

# Copies the named files to the folder $1.
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
