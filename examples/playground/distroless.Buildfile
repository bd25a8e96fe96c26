# No distribution at all: certificates, users, and of busybox the awk alone. No shell, no root.
FROM golang:1.22-bookworm AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /playground .

FROM busybox:1.36-musl AS busybox

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=busybox /bin/awk /usr/bin/awk
COPY --from=build /playground /usr/bin/
EXPOSE 8080
ENTRYPOINT ["/usr/bin/playground"]
