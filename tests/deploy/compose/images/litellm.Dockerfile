# LiteLLM's image: the LiteLLM of the other tests, its Python, and the query engine of the other tests in the place of Prisma's.
# Debian's python3 is there for the libraries that Python itself links.
FROM docker.io/library/debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libstdc++6 postgresql-client python3 \
    && rm -rf /var/lib/apt/lists
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY node /usr/local/bin/node
COPY prisma /opt/prisma
COPY python /usr/local
COPY packages /opt/litellm
RUN ldconfig
COPY litellm-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV CHECKPOINT_DISABLE=1 DISABLE_SCHEMA_UPDATE=True LITELLM_LOCAL_MODEL_COST_MAP=True \
    PATH=/opt/prisma/node_modules/.bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/litellm PRISMA_CLI_QUERY_ENGINE_TYPE=binary \
    PRISMA_QUERY_ENGINE_BINARY=/opt/prisma/query-engine.mjs PRISMA_SCHEMA_ENGINE_BINARY=/opt/prisma/query-engine.mjs
WORKDIR /app
EXPOSE 4000
ENTRYPOINT ["docker-entrypoint.sh"]
