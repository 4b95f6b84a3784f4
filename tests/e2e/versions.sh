#!/usr/bin/env bash
# Runs the end-to-end suite on the Envoys that it is given, one after the other, and writes into
# versions.tsv how many tests of each suite have passed: `make test-versions`.
set -euo pipefail
results=tests/e2e/versions.tsv
logs=${CARGO_TARGET_DIR:-target}/versions
mkdir -p "$logs"
touch "$results"

# The rendered examples are for the pinned version alone.
run() {
    ENVOY_PATH=$PWD/.tools/envoy/$version/envoy/_bin/envoy \
        cargo test --no-fail-fast --test command --test e2e -- --skip example:: "$@" >> "$log" 2>&1
}

failed() {
    verdicts "$log" | awk -F '\t' '$2 == "FAILED" { print $1 }'
}

# The last word on each test, and its name.
verdicts() {
    awk -v OFS='\t' '/^test .* \.\.\. (ok|FAILED)$/ { last[$2] = $NF } END { for (test in last) print test, last[test] }' "$1"
}

# A line for each suite, as the tests' own names begin: version, suite, passed, run.
tally() {
    verdicts "$log" | awk -F '\t' -v OFS='\t' -v version="$version" '
        { sub(/::.*/, "", $1); run[$1]++; passed[$1] += $2 == "ok" }
        END { for (suite in run) print version, suite, passed[suite], run[suite] }
    '
}

# A version's lines take the place of those that it had.
note() {
    { awk -F '\t' -v version="$version" '$1 != version' "$results"; tally; } | LC_ALL=C sort -V > "$logs/results"
    cp "$logs/results" "$results"
}

status=0
for version in "$@"; do
    log=$logs/$version.log
    echo "Envoy $version: $log"
    : > "$log"
    run || true
    # One of the command's tests, one of the gateway's: each has come to its end.
    [ "$(grep -c '^test result' "$log")" = 2 ] || { tail "$log"; exit 1; }
    # A test that has failed runs once more, alone: a test that fails again does not fail because the machine is busy.
    mapfile -t again < <(failed)
    [ ${#again[@]} = 0 ] || run --test-threads=1 --exact "${again[@]}" || true
    note
    failed | sed 's/^/failed: /'
    [ -z "$(failed)" ] || status=1
done
exit $status
