# The image of Tieline: docs/guide/installation.md#docker
#
#   docker build --tag tieline .                          the service, without a shell
#   docker build --tag tieline-demo --target demo .       the stand-in Slack and GitHub, for compose.yaml
#
# No secret is in it: settings come from the environment or from /etc/tieline/tieline.toml, and what the embedded
# database keeps is in the volume /var/lib/tieline. The root file system may be read-only; give it a /tmp in memory.

# The toolchain that rust-toolchain.toml pins; scripts/ops-test compares them.
ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "$(uname --machine)-unknown-linux-musl"
WORKDIR /src
COPY . .
# The cache outlives the layer, so the binaries are copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    target="$(uname --machine)-unknown-linux-musl" \
    && cargo build --profile dist --locked --target "$target" --package tieline --package standin \
    && install -D --target-directory=/out "target/$target/dist/tieline" "target/$target/dist/standin" \
    && install --directory /out/state

FROM debian:bookworm-slim AS demo
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/tieline /out/standin /src/scripts/demo-sign-in /usr/local/bin/
COPY --from=build --chown=65532:65532 /out/state /var/lib/tieline
USER 65532:65532
VOLUME /var/lib/tieline
ENV STANDIN_LISTEN=0.0.0.0:8090 STANDIN_DATA_DIR=/var/lib/tieline
EXPOSE 8090
CMD ["standin"]

# A static program and the certificates of the public authorities: no shell, no library and no package manager.
FROM scratch AS tieline
LABEL org.opencontainers.image.title="Tieline" \
      org.opencontainers.image.description="A self-hosted integrations service" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /usr/share/doc/tieline/LICENSE
COPY --from=build /out/tieline /usr/local/bin/tieline
# A new volume takes the owner of this folder.
COPY --from=build --chown=65532:65532 /out/state /var/lib/tieline
USER 65532:65532
# tieline.toml is read here where it is mounted.
WORKDIR /etc/tieline
VOLUME /var/lib/tieline
ENV TIELINE_LISTEN=0.0.0.0:8080 TIELINE_DATA_DIR=/var/lib/tieline
EXPOSE 8080
# Kubernetes has its own probes (ops/helm) and does not look at this one.
HEALTHCHECK --interval=10s --timeout=12s --start-period=60s --retries=3 CMD ["/usr/local/bin/tieline", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/tieline"]
CMD ["serve"]
