# No distribution at all: users, certificates, and of busybox the awk alone. No shell, no root.
FROM gcc:12-bookworm AS build
WORKDIR /src
COPY server.c ./
RUN gcc -O2 -D_GNU_SOURCE -static -s -o /server server.c

FROM busybox:1.36-musl AS busybox

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=busybox /bin/awk /usr/bin/awk
COPY --from=build /server /usr/bin/
EXPOSE 8080
USER 65532
ENTRYPOINT ["/usr/bin/server"]
