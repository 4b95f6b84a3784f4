#!/bin/sh
# Takes the place of podman in the tests of the quadlets: it reads the command line of `podman run` as podman does, and runs
# this machine's Envoy instead of an image, as the user and with the files and variables of the container.
set -eu
[ "$1" = run ] || exit 0 # no container to remove
shift
while [ "${1#-}" != "$1" ]; do
    case "$1" in
    --env-file)
        set -a
        . "$2"
        set +a
        ;;
    --user) user=$2 ;;
    -v)
        from=${2%%:*}
        to=${2#*:}
        to=${to%:ro}
        [ "$from" = "$to" ] || { mkdir -p "${to%/*}" && ln -sf "$from" "$to"; }
        ;;
    esac
    case "$1" in
    -d | --replace | --rm | --read-only | --*=*) shift ;;
    *) shift 2 ;;
    esac
done
[ "$1" = docker.io/envoyproxy/envoy:v1.40.0 ]
shift
systemd-notify --ready
exec setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups --no-new-privs --bounding-set=-all \
    /usr/local/bin/envoy "$@"
