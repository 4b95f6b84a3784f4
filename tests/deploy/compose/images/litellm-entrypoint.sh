#!/bin/sh
# Runs LiteLLM's migrations when the database has no tables, as Prisma does in the real image; then LiteLLM.
set -eu
ask() { PGOPTIONS='-c client_min_messages=warning' psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname "$DATABASE_URL" "$@"; }
if [ -z "$(ask --tuples-only --no-align --command "SELECT to_regclass('\"LiteLLM_VerificationToken\"')")" ]; then
    cat /opt/litellm/litellm_proxy_extras/migrations/*/migration.sql | ask > /dev/null
fi
exec python3 -c 'from litellm import run_server; run_server()' "$@"
