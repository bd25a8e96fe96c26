# Everything in one image: compiler, sources, a shell for whoever breaks in, all as root.
FROM gcc:12-bookworm
WORKDIR /src
COPY . .
RUN gcc -O2 -D_GNU_SOURCE -static -o /usr/bin/server server.c
EXPOSE 8080
CMD ["server"]
