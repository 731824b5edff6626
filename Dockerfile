# offhook: `docker build -t offhook .`
# For client developers, the simulated Asterisk: `docker build --target simulator -t offhook-simulator .`

# The newest long-term release. What is pinned is the major; the lock file pins everything else.
FROM node:24-trixie-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# Only what runs: no compiler, no linter, no test tools.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM build AS simulator
COPY test/asterisk ./test/asterisk
USER node
EXPOSE 5038
ENTRYPOINT ["node_modules/.bin/tsx", "test/asterisk/cli.ts"]
CMD ["--host", "0.0.0.0"]

# The last stage is what `docker build` makes without --target.
FROM base AS bridge
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
# An account that owns none of these files, so the program cannot change itself.
USER node
# Asks /readyz: unhealthy means that a neighbor is away. The bridge comes back by itself, so do not restart it for that.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["node", "dist/main.js", "health"]
CMD ["node", "dist/main.js"]
