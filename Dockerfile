# syntax=docker/dockerfile:1

# Build: with the compilers that better-sqlite3 needs where no ready-made binary fits.
FROM node:22-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

# Run: only what is needed, as a user who owns nothing but the volume.
FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN install -d -m 0700 -o node -g node /data \
 && ln -s /app/dist/cli/main.js /usr/local/bin/valetkey
USER node
ENV VALETKEY_DATA=/data \
    VALETKEY_GATEWAY_LISTEN=0.0.0.0:8080 \
    VALETKEY_ISSUER_LISTEN=127.0.0.1:8081
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/-/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Listening beyond loopback needs a trusted proxy (VALETKEY_GATEWAY_TRUSTED_PROXIES) or --insecure-http.
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
