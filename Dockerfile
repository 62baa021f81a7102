# dusk-relay in an image of its own programs and nothing else: no shell, no libraries, no package manager.
# Library fixes arrive by building again: docker build --pull --no-cache .
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY mk/deps.mk mk/deps.mk
RUN make -f mk/deps.mk deps-build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make -j"$(nproc)" STATIC=1 STRIP=1 DESTDIR=/out install-programs
# What is linked in, for those who must know which versions they run; and the folder that a new volume begins as.
RUN mkdir -p /out/usr/local/share/doc/dusk-relay /data \
 && cp LICENSE /out/usr/local/share/doc/dusk-relay/ \
 && dpkg-query -W libc6-dev libsodium-dev libprotobuf-c-dev libseccomp-dev libcap-ng-dev libssl-dev libmicrohttpd-dev \
      > /out/usr/local/share/doc/dusk-relay/libraries

FROM scratch
LABEL org.opencontainers.image.title="dusk-relay" \
      org.opencontainers.image.description="libp2p relay (Circuit Relay v2) and rendezvous point" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /out/ /
# The user and the place of the key are those of the Rust relay's image: its volume is taken over as it is.
COPY --from=build --chown=1000:1000 /data /data
ENV XDG_DATA_HOME=/data PATH=/usr/local/bin
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 4001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3 CMD ["/usr/local/bin/dusk-relay", "health"]
ENTRYPOINT ["/usr/local/bin/dusk-relay"]
