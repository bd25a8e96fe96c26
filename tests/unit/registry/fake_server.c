/* SPDX-License-Identifier: MIT */
#include "fake_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

struct fake_server {
	int fd;
	uint16_t port;
	pthread_t thread;
	fake_handler_fn handler;
	void *data;
};

void fake_send(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

void fake_sendf(int fd, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	sb_autofree char *text = sb_vasprintf(fmt, args);
	va_end(args);
	fake_send(fd, text, strlen(text));
}

void fake_answer(int fd, const char *status, const char *headers, const void *body, size_t len)
{
	fake_sendf(fd, "HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n", status,
		headers, len);
	fake_send(fd, body, len);
}

void fake_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

int fake_request_header(
	const struct fake_request *request, const char *name, char *out, size_t size)
{
	const size_t name_len = strlen(name);

	for (const char *line = strstr(request->head, "\r\n"); line != NULL;
		line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, name_len) != 0 || line[2 + name_len] != ':')
			continue;

		const char *value = line + 2 + name_len + 1;

		value += strspn(value, " ");
		(void)snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
		return 1;
	}
	return 0;
}

static int read_request(int fd, struct fake_request *request)
{
	size_t len = 0;

	while (len < sizeof(request->head) - 1) {
		const ssize_t n = recv(fd, request->head + len, sizeof(request->head) - 1 - len, 0);

		if (n <= 0)
			return -1;
		len += (size_t)n;
		request->head[len] = '\0';
		if (strstr(request->head, "\r\n\r\n") != NULL)
			return sscanf(request->head, "%7s %511s HTTP/1.1", request->method,
				       request->path) == 2
				       ? 0
				       : -1;
	}
	return -1;
}

size_t fake_read_body(const struct fake_request *request, int fd, void *out, size_t len)
{
	const char *end = strstr(request->head, "\r\n\r\n") + 4;
	const size_t first = strlen(end);
	char expect[64];
	char nowhere[65536];
	size_t n = first < len ? first : len;

	if (out != NULL)
		memcpy(out, end, n);
	if (fake_request_header(request, "Expect", expect, sizeof(expect)))
		fake_sendf(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	while (n < len) {
		const size_t want =
			out != NULL || len - n < sizeof(nowhere) ? len - n : sizeof(nowhere);
		const ssize_t got = recv(fd, out != NULL ? (char *)out + n : nowhere, want, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return n;
}

static void *serve(void *data)
{
	const struct fake_server *server = data;

	for (;;) {
		struct fake_request request = {0};
		const int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL; /* the listening socket was shut down */
		if (read_request(fd, &request) == 0)
			server->handler(server->data, &request, fd);
		(void)close(fd);
	}
}

struct fake_server *fake_server_start(const char *address, fake_handler_fn handler, void *data)
{
	struct fake_server *server = SB_NEW(struct fake_server);
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	server->handler = handler;
	server->data = data;
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SB_BUG_ON(inet_pton(AF_INET, address, &at.sin_addr) != 1);
	SB_BUG_ON(bind(server->fd, (struct sockaddr *)&at, sizeof(at)) < 0);
	SB_BUG_ON(listen(server->fd, 8) < 0);
	SB_BUG_ON(getsockname(server->fd, (struct sockaddr *)&at, &len) < 0);
	server->port = ntohs(at.sin_port);
	SB_BUG_ON(pthread_create(&server->thread, NULL, serve, server) != 0);
	return server;
}

uint16_t fake_server_port(const struct fake_server *server)
{
	return server->port;
}

void fake_server_stop(struct fake_server *server)
{
	(void)shutdown(server->fd, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->fd);
	free(server);
}
