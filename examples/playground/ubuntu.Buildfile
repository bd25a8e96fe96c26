# Two stages: compiler and sources stay behind. What runs it is still a whole distribution.
FROM golang:1.22-bookworm AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /playground .

FROM ubuntu:24.04
RUN apt-get update \
    && apt-get install -y --no-install-recommends gawk \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /playground /usr/local/bin/
EXPOSE 8080
USER 65532
CMD ["playground"]
