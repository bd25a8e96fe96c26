# The same on a small distribution: its busybox has an awk, and three hundred programs more.
FROM gcc:12-bookworm AS build
WORKDIR /src
COPY server.c ./
RUN gcc -O2 -D_GNU_SOURCE -static -s -o /server server.c

FROM alpine:3.20
COPY --from=build /server /usr/bin/
EXPOSE 8080
USER 65532
CMD ["server"]
