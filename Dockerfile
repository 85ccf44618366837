# syntax=docker/dockerfile:1.7
# One image for every service, the issuer, the router and the jobs: what runs is chosen by the first argument or by
# AMANA_SERVICE (infra/local/src/container-main.ts).
#   docker build -t amana:0.1.0 .
#   docker run --rm amana:0.1.0            says what there is to run

FROM node:24.22.1-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
# infra/local refers to every library and service; the benchmarks and stories stay out.
RUN node_modules/.bin/tsc -b infra/local
# Optional packages are the sandbox's own database binaries and Node, and tools of the build.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund \
 && rm -rf node_modules/@amana/bench node_modules/@amana/scenarios node_modules/@amana/testing libs/testing \
 && find libs services infra/local -type f \( -name '*.ts' -o -name '*.d.ts.map' -o -name '*.tsbuildinfo' -o -name 'tsconfig.json' \) -delete \
 && find libs services infra/local -type d -empty -delete
# An empty volume takes over owner and mode of the folder that it covers.
RUN install -d -o 10001 -g 10001 -m 0700 /state

FROM node:24.22.1-bookworm-slim
ENV NODE_ENV=production AMANA_STATE_DIR=/var/lib/amana
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/libs ./libs
COPY --from=build /app/services ./services
COPY --from=build /app/infra/local ./infra/local
COPY --from=build --chown=10001:10001 /state /var/lib/amana
# Code is root's and read-only to the account that runs it; keys and sandbox credentials go to /var/lib/amana.
USER 10001:10001
EXPOSE 8080
# Node ends in order on SIGTERM by itself and starts no children, so that no init is needed before it.
ENTRYPOINT ["node", "--enable-source-maps", "--import", "@amana/telemetry/register", "infra/local/dist/container-main.js"]
