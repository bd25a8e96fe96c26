# Two stages: compiler and sources stay behind. What runs it is still a distribution.
FROM gcc:12-bookworm AS build
WORKDIR /src
COPY server.c ./
RUN gcc -O2 -D_GNU_SOURCE -static -s -o /server server.c

FROM debian:12-slim
COPY --from=build /server /usr/bin/
EXPOSE 8080
USER 65532
CMD ["server"]
