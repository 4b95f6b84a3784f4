#!/usr/bin/env bash
# Runs a command among processes, with mounts and in a network of its own. What it starts, a Docker engine and its containers
# among it, ends with it; the machine's own bridges, packet filter and ports are not touched. slirp4netns lets it out.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo 'A Docker engine needs root: run this by sudo.' >&2; exit 1; }

work=$(mktemp -d)
mkfifo "$work/inside" "$work/connected"
export GAUD_CGROUP=gaud-tests-$$
pids=()
finish() {
    { kill -KILL "${pids[@]}" && wait; } 2> /dev/null || true
    find /sys/fs/cgroup -depth -type d -path "*/$GAUD_CGROUP*" -exec rmdir {} + 2> /dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# All of it ends with this script, even when that is killed. The shell inside stays: somebody has to wait for orphans.
# shellcheck disable=SC2016
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
    ip link set lo up
    : > "$0/inside"
    head --bytes 1 "$0/connected" > /dev/null
    "$@"' "$work" "$@" <&0 &
command=$!
pids+=("$command")

: < "$work/inside"
setpriv --pdeathsig KILL slirp4netns --configure --mtu 65520 --disable-host-loopback --ready-fd 3 "$command" tap0 \
    3> "$work/connected" > "$work/slirp.log" 2>&1 &
pids+=($!)
wait "$command"
