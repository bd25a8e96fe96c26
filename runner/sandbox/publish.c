/* SPDX-License-Identifier: MIT */
#include "sandbox/publish.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/size.h"
#include "sys/fd.h"

const char sb_publish_socket[] = "slirp4netns.sock";

enum { COME_UP_MS = 10000, PAUSE_MS = 5, MAX_ANSWER = 4096, ANSWER_S = 10 };

static int parse_port(const char *text, const char *port, uint64_t *out, struct sb_error *err)
{
	if (sb_number_parse(port, 10, 65535, out) && *out != 0)
		return 0;
	return sb_fail(err, SB_E_USAGE, "'%s': '%s' is not a port from 1 to 65535", text, port);
}

int sb_publish_parse(const char *text, struct sb_strv *out, struct sb_error *err)
{
	sb_autofree char *copy = sb_strdup(text);
	char *protocol = strchr(copy, '/');
	char *port = strrchr(copy, ':');
	char *host = NULL;
	const char *address = "127.0.0.1";
	uint64_t from = 0;
	uint64_t to = 0;
	struct in_addr parsed;

	if (protocol != NULL)
		*protocol++ = '\0';
	if (port == NULL || (protocol != NULL && port > protocol))
		return sb_fail(err, SB_E_USAGE, "'%s' is not [ADDRESS:]HOST:PORT, two ports", text);
	*port++ = '\0';
	host = strrchr(copy, ':');
	if (host != NULL) {
		*host++ = '\0';
		address = copy;
	} else {
		host = copy;
	}
	if (protocol != NULL && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return sb_fail(err, SB_E_USAGE, "'%s': the protocol is tcp or udp, not '%s'", text,
			protocol);
	if (inet_pton(AF_INET, address, &parsed) != 1)
		return sb_fail(err, SB_E_USAGE, "'%s': '%s' is not an IPv4 address", text, address);
	if (parse_port(text, host, &from, err) < 0 || parse_port(text, port, &to, err) < 0)
		return -1;
	sb_strv_add(out, text);
	sb_strv_addf(out,
		"{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"%s\",\"host_addr\":\"%s\","
		"\"host_port\":%" PRIu64 ",\"guest_port\":%" PRIu64 "}}",
		protocol != NULL ? protocol : "tcp", address, from, to);
	return 0;
}

/* It makes its socket while we are on our way here. */
static int connect_to(int dir_fd, int *out_fd, struct sb_error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	const struct timeval patience = {.tv_sec = ANSWER_S};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	sb_autofree char *path = sb_asprintf("/proc/self/fd/%d/%s", dir_fd, sb_publish_socket);
	sb_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return sb_fail_errno(err, "make a socket");
	memcpy(address.sun_path, path, strlen(path));
	for (int waited_ms = 0; waited_ms < COME_UP_MS; waited_ms += PAUSE_MS) {
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
			*out_fd = sb_fd_steal(&fd);
			return 0;
		}
		(void)nanosleep(&pause, NULL);
	}
	return sb_fail(err, SB_E_SYSTEM, "slirp4netns does not answer");
}

static int ask(int dir_fd, const char *shown, const char *request, struct sb_error *err)
{
	SB_AUTO_BUF answer = SB_BUF_INIT(MAX_ANSWER);
	sb_autofd int fd = -1;

	if (connect_to(dir_fd, &fd, err) < 0 ||
		sb_fd_write_all(fd, request, strlen(request), err) < 0)
		return -1;
	(void)shutdown(fd, SHUT_WR);
	if (sb_fd_read_all(fd, &answer, err) < 0)
		return -1;
	if (strstr(answer.data, "\"error\"") == NULL)
		return 0;
	(void)sb_fail(err, SB_E_SYSTEM, "slirp4netns can't listen for '%s'", shown);
	return sb_error_hint(
		err, "another program may have the port, or it takes root (under 1024)");
}

int sb_publish(int dir_fd, const struct sb_strv *entries, struct sb_error *err)
{
	for (size_t i = 0; i + 1 < entries->len; i += 2)
		if (ask(dir_fd, entries->items[i], entries->items[i + 1], err) < 0)
			return -1;
	return 0;
}
