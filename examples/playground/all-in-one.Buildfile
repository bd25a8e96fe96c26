# Everything in one image: compiler, sources, caches, a shell for whoever breaks in, all as root.
FROM golang:1.22-bookworm
WORKDIR /src
COPY . .
RUN apt-get update && apt-get install -y gawk
RUN go build -o /usr/local/bin/playground .
EXPOSE 8080
CMD ["playground"]
