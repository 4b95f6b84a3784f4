#!/usr/bin/env bash
# Runs the end-to-end suite on the Envoys that it is given, one after the other, and writes into
# versions.tsv how many tests of each suite have passed: `make test-versions`.
set -euo pipefail
results=tests/e2e/versions.tsv
logs=${CARGO_TARGET_DIR:-target}/versions
mkdir -p "$logs"
touch "$results"

# A version's lines take the place of those that it had.
note() {
    { awk -F '\t' -v version="$1" '$1 != version' "$results"; tally "$1" "$2"; } | sort -V > "$logs/results"
    cp "$logs/results" "$results"
}

# A line for each suite, as the tests' own names begin: version, suite, passed, run.
tally() {
    awk -v OFS='\t' -v version="$1" '
        /^test .* \.\.\. (ok|FAILED)$/ { suite = $2; sub(/::.*/, "", suite); run[suite]++; passed[suite] += $NF == "ok" }
        END { for (suite in run) print version, suite, passed[suite], run[suite] }
    ' "$2"
}

status=0
for version in "$@"; do
    log=$logs/$version.log
    echo "Envoy $version: $log"
    # The rendered examples are for the pinned version alone.
    ENVOY_PATH=$PWD/.tools/envoy/$version/envoy/_bin/envoy \
        cargo test --no-fail-fast --test command --test e2e -- --skip example:: > "$log" 2>&1 || status=1
    grep -E '^test .* FAILED$|^test result' "$log" || tail "$log"
    note "$version" "$log"
done
exit $status
