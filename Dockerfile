# The program in an image of its own, with nothing else in it but certificates and time zones:
#
#   docker build -t order-processing-service .
#   docker run -p 8000:8000 -v orders:/data order-processing-service
#
# It runs as a user without a name and writes to /data alone.
ARG GO_VERSION=1.26

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY internal internal
ARG VERSION=dev
ARG TARGETOS
ARG TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
      -ldflags "-s -w -X order-processing-service/internal/bootstrap.Version=$VERSION" -o /out/orders ./cmd/orders \
    && mkdir -p /out/data /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/orders /orders
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data ZONEINFO=/zoneinfo.zip
USER 65532:65532
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/orders", "healthcheck"]
ENTRYPOINT ["/orders"]
CMD ["serve"]
