# The program in an image of its own, with nothing else in it but certificates; time zones are in the program:
#
#   docker build -t order-processing-service .
#   docker run -p 8000:8000 -v orders:/data order-processing-service
#
# It runs as a user without a name and writes to /data and /tmp alone. The same image is a server (serve, the default), a
# worker (docker run … worker) and a Lambda function. DATA_DIR is not set: its default, ./data, is /data here, and in Lambda,
# where nothing written lasts, the program can tell that nobody said where to keep orders.

# What the program is built with. GO_IMAGE=golang@sha256:… pins it to the byte.
ARG GO_IMAGE=golang:1.26.8-bookworm

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY internal internal
ARG VERSION=dev
ARG REVISION=""
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
      -ldflags "-s -w -X order-processing-service/internal/bootstrap.Version=$VERSION -X order-processing-service/internal/bootstrap.Revision=$REVISION" -o /out/orders ./cmd/orders \
    && mkdir -p /out/data /out/tmp

FROM scratch
ARG VERSION=dev
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="order-processing-service" \
      org.opencontainers.image.description="Takes orders over REST, keeps each one safe, and tells every change as an event" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION \
      org.opencontainers.image.source=$SOURCE
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/orders /orders
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
ENV HOST=0.0.0.0 PORT=8000
WORKDIR /
USER 65532:65532
EXPOSE 8000
VOLUME /data
# Not whether it is ready: who stops what is unhealthy would stop it for an outage of MongoDB.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/orders", "healthcheck", "--live"]
ENTRYPOINT ["/orders"]
CMD ["serve"]
