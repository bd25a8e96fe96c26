# The same on a small distribution: busybox has an awk, and little else.
FROM golang:1.22-alpine AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /playground .

FROM alpine:3.20
COPY --from=build /playground /usr/local/bin/
EXPOSE 8080
USER 65532
CMD ["playground"]
