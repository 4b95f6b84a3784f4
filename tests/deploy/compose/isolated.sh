#!/usr/bin/env bash
# Runs a command in new namespaces for processes, mounts and the network. All that the command starts, a Docker engine and its
# containers included, ends with the command. The bridges, packet filter and ports of the machine stay as they are.
# slirp4netns connects the command to the outside.
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

# Everything ends with this script, even when the script is killed. The inner shell stays, to wait for orphans.
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
