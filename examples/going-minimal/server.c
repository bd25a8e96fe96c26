/* SPDX-License-Identifier: MIT */
/*
 * A playground for awk, and a hole: it runs whatever program it is sent. It is here to be put into
 * images, not to be used.
 *
 *	curl -X POST -F 'text=hello world' -F 'awkScript={print $1}' localhost:8080/test
 *	{"stderr":"","stdout":"hello\n"}
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_REQUEST = 1 << 20, MAX_OUTPUT = 1 << 20, PATIENCE_S = 10 };

struct text {
	char *bytes;
	size_t len;
};

/* The request's head and, by its Content-Length, its body. */
static int read_request(int fd, char *request, struct text *body)
{
	size_t len = 0;
	size_t wanted = MAX_REQUEST;

	while (len < wanted) {
		const ssize_t n = read(fd, request + len, wanted - len);
		char *end = NULL;
		const char *length = NULL;

		if (n <= 0)
			return -1;
		len += (size_t)n;
		request[len] = '\0';
		end = strstr(request, "\r\n\r\n");
		if (end == NULL || body->bytes != NULL)
			continue;
		length = strcasestr(request, "\r\nContent-Length:");
		body->bytes = end + 4;
		body->len = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
		wanted = (size_t)(body->bytes - request);
		if (body->len > MAX_REQUEST - wanted)
			return -1;
		wanted += body->len;
		if (strcasestr(request, "\r\nExpect: 100-continue") != NULL)
			(void)!write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	}
	return body->bytes != NULL ? 0 : -1;
}

/* A field of a form (multipart/form-data); its bytes are ended in place. */
static char *form_field(const struct text *body, const char *name)
{
	char wanted[64];
	const char *line_end = memmem(body->bytes, body->len, "\r\n", 2);
	const size_t boundary_len = line_end != NULL ? (size_t)(line_end - body->bytes) : 0;
	char *at = NULL;
	char *end = NULL;

	(void)snprintf(wanted, sizeof(wanted), "; name=\"%s\"", name);
	at = boundary_len > 0 ? memmem(body->bytes, body->len, wanted, strlen(wanted)) : NULL;
	at = at != NULL ? strstr(at, "\r\n\r\n") : NULL;
	if (at == NULL)
		return NULL;
	at += 4;
	end = memmem(at, (size_t)(body->bytes + body->len - at), body->bytes, boundary_len);
	if (end == NULL || end - at < 2)
		return NULL;
	return strndup(at, (size_t)(end - at) - 2);
}

static pid_t start_awk(const char *script, const int fds[6])
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)dup2(fds[0], 0);
	(void)dup2(fds[3], 1);
	(void)dup2(fds[5], 2);
	for (int i = 0; i < 6; i++)
		(void)close(fds[i]);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)alarm(PATIENCE_S);
	(void)execlp("awk", "awk", "--", script, (char *)NULL);
	perror("awk");
	_exit(127);
}

/* Gives it the text and takes what it prints, whichever comes first. */
static void talk(int in, const char *text, const int from[2], struct text out[2])
{
	struct pollfd fds[3] = {{from[0], POLLIN, 0}, {from[1], POLLIN, 0}, {in, POLLOUT, 0}};
	size_t left = strlen(text);

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (left == 0 && fds[2].fd >= 0) {
			(void)close(in);
			fds[2].fd = -1;
		}
		if (poll(fds, 3, -1) < 0)
			break;
		if (fds[2].fd >= 0 && fds[2].revents != 0) {
			const ssize_t n = write(in, text, left > 512 ? 512 : left);

			text += n > 0 ? n : 0;
			left = n > 0 ? left - (size_t)n : 0;
		}
		for (int i = 0; i < 2; i++) {
			char chunk[4096];
			const ssize_t n =
				fds[i].revents != 0 ? read(fds[i].fd, chunk, sizeof(chunk)) : 1;

			if (fds[i].revents == 0)
				continue;
			if (n <= 0 || out[i].len + (size_t)n > MAX_OUTPUT) {
				fds[i].fd = -1;
				continue;
			}
			memcpy(out[i].bytes + out[i].len, chunk, (size_t)n);
			out[i].len += (size_t)n;
		}
	}
	if (fds[2].fd >= 0)
		(void)close(in);
}

static void run_awk(const char *script, const char *text, struct text out[2])
{
	int fds[6];
	pid_t pid = -1;

	if (pipe(fds) < 0 || pipe(fds + 2) < 0 || pipe(fds + 4) < 0)
		exit(1);
	pid = start_awk(script, fds);
	(void)close(fds[0]);
	(void)close(fds[3]);
	(void)close(fds[5]);
	talk(fds[1], text, (const int[]){fds[2], fds[4]}, out);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void print_json(FILE *to, const struct text *text)
{
	(void)fputc('"', to);
	for (size_t i = 0; i < text->len; i++) {
		const unsigned char c = (unsigned char)text->bytes[i];

		if (c == '\n')
			(void)fputs("\\n", to);
		else if (c == '"' || c == '\\')
			(void)fprintf(to, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(to, "\\u%04x", c);
		else
			(void)fputc(c, to);
	}
	(void)fputc('"', to);
}

static void serve(int fd)
{
	static char request[MAX_REQUEST + 1];
	static char printed[2][MAX_OUTPUT];
	struct text out[2] = {{printed[0], 0}, {printed[1], 0}};
	struct text body = {NULL, 0};
	FILE *to = fdopen(fd, "w");
	char *script = NULL;
	char *text = NULL;

	(void)alarm(2 * PATIENCE_S);
	if (to == NULL || read_request(fd, request, &body) < 0)
		exit(1);
	if (strncmp(request, "POST /test ", 11) == 0) {
		script = form_field(&body, "awkScript");
		text = form_field(&body, "text");
	}
	if (script == NULL || text == NULL) {
		(void)fputs("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
			    "POST the fields text and awkScript to /test\n",
			to);
		(void)fclose(to);
		exit(0);
	}
	run_awk(script, text, out);
	(void)fputs("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
		    "{\"stderr\":",
		to);
	print_json(to, &out[1]);
	(void)fputs(",\"stdout\":", to);
	print_json(to, &out[0]);
	(void)fputs("}", to);
	(void)fclose(to);
	exit(0);
}

int main(int argc, char **argv)
{
	const unsigned long port = argc > 1 ? strtoul(argv[1], NULL, 10) : 8080;
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int yes = 1;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listening, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(listening, 16) < 0) {
		perror("listen");
		return 1;
	}
	for (;;) {
		const int fd = accept(listening, NULL, NULL);

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (fd >= 0 && fork() == 0) {
			(void)close(listening);
			serve(fd);
		}
		if (fd >= 0)
			(void)close(fd);
	}
}
