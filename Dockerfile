# syntax=docker/dockerfile:1
# The program in an image of less than 80 MB: glibc, certificates and time zones of distroless, and nothing else; no shell, not root.
#
#   docker build -t bench .
#   docker run --rm --network host --user "$(id -u):$(id -g)" -v "$PWD:/work" bench sweep scenarios/closed.toml --url http://127.0.0.1:8000 --set model=llama3
#
# `--user` says whose the results are: the image's own user may not write into a folder of yours.
# Servers that a scenario starts must be in the image, too: put `COPY --from=bench /usr/local/bin/bench /usr/local/bin/` into one that has vLLM.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin bench && cp target/release/bench /bench && mkdir /work

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /bench /usr/local/bin/bench
COPY --from=build --chown=nonroot:nonroot /work /work
COPY LICENSE-MIT LICENSE-APACHE LICENSE-DEJAVU /usr/share/doc/bench/
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/bench"]
CMD ["--help"]
