# wn for servers: `wn anchor` by default, `wn relay` and all else by its arguments.
# Data is in the one volume, /data; the rest of the file system may be read-only.

FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# Built with the Node.js that it will run on: V8's code cache is good for no other.
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    WN_HOME=/data/anchor/device
COPY --from=build /src/package.json /src/LICENSE /opt/wn/
COPY --from=build /src/bin /opt/wn/bin
COPY --from=build /src/dist /opt/wn/dist
COPY --from=build /src/node_modules /opt/wn/node_modules
RUN ln -s /opt/wn/bin/wn.js /usr/local/bin/wn \
 && install -d -m 700 -o 10001 -g 10001 /data
USER 10001:10001
VOLUME /data
EXPOSE 5000 5001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5001/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["wn"]
CMD ["anchor", "--root", "/data/anchor", "--listen", ":5000", "--http", ":5001"]
