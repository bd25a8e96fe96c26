/* SPDX-License-Identifier: MIT */

/*
 * Runs inside a step (static, so that any base will do) and talks to the agent behind
 * $SSH_AUTH_SOCK. Usage: agent-probe WHAT [ARGUMENT…]; prints one line, "closed" where the
 * connection ends without an answer. Exit status 1 where there is no connection at all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct message {
	uint8_t bytes[300000];
	size_t len;
};

static struct message request, answer;

static void put_number(uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		request.bytes[request.len++] = (uint8_t)(n >> shift);
}

static void put(const void *bytes, size_t len)
{
	put_number((uint32_t)len);
	memcpy(request.bytes + request.len, bytes, len);
	request.len += len;
}

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The length comes last, when it is known. */
static void begin(uint8_t type)
{
	request.len = 4;
	request.bytes[request.len++] = type;
}

static void end(void)
{
	const size_t len = request.len;

	request.len = 0;
	put_number((uint32_t)(len - 4));
	request.len = len;
}

static int dial(void)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!path) {
		puts("SSH_AUTH_SOCK is not set");
		exit(1);
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		puts(strerrorname_np(errno));
		exit(1);
	}
	return fd;
}

/* Writes in pieces of `piece` bytes, 0: all at once. False where the other side has closed. */
static int send_request(int fd, size_t piece)
{
	for (size_t at = 0; at < request.len;) {
		size_t most = piece && piece < request.len - at ? piece : request.len - at;
		ssize_t n = send(fd, request.bytes + at, most, MSG_NOSIGNAL);

		if (n < 0)
			return 0;
		at += (size_t)n;
		if (piece)
			usleep(1000);
	}
	return 1;
}

static int receive(int fd)
{
	size_t want = 4;

	for (answer.len = 0; answer.len < want;) {
		ssize_t n = read(fd, answer.bytes + answer.len, want - answer.len);

		if (n <= 0)
			return 0;
		answer.len += (size_t)n;
		if (answer.len == 4)
			want = 4 + number_at(answer.bytes);
		if (want > sizeof(answer.bytes))
			return 0;
	}
	return 1;
}

static int ask(int fd, size_t piece)
{
	return send_request(fd, piece) && receive(fd);
}

static int list(int fd)
{
	begin(11);
	end();
	return ask(fd, 0) && answer.bytes[4] == 12;
}

/* "N keys: COMMENT COMMENT", or only the first key's blob. */
static void print_list(void)
{
	const uint8_t *p = answer.bytes + 9;
	uint32_t n = number_at(answer.bytes + 5);

	printf("%u keys:", n);
	for (uint32_t i = 0; i < n; i++) {
		p += 4 + number_at(p);
		printf(" %.*s", (int)number_at(p), (const char *)p + 4);
		p += 4 + number_at(p);
	}
	puts("");
}

static void ask_for_signature(int fd)
{
	static uint8_t key[20000];
	uint32_t len;

	if (!list(fd) || number_at(answer.bytes + 5) == 0) {
		puts("no key");
		return;
	}
	len = number_at(answer.bytes + 9);
	memcpy(key, answer.bytes + 13, len);
	begin(13);
	put(key, len);
	put("what is signed", 14);
	put_number(0);
	end();
	if (!ask(fd, 7))
		puts("closed");
	else if (answer.bytes[4] != 14)
		printf("answer %d\n", answer.bytes[4]);
	else /* a string of two strings: the algorithm and the signature itself */
		printf("signature of %u bytes\n",
			number_at(answer.bytes + 5 + 4 + 4 + number_at(answer.bytes + 9)));
}

/* A request of a type byte and strings. */
static void ask_words(int fd, char **words)
{
	begin((uint8_t)atoi(words[0]));
	for (words++; *words; words++)
		put(*words, strlen(*words));
	end();
	if (ask(fd, 0))
		printf("answer %d\n", answer.bytes[4]);
	else
		puts("closed");
}

static void ask_hex(int fd, const char *hex)
{
	unsigned byte;

	for (request.len = 0; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		request.bytes[request.len++] = (uint8_t)byte;
	if (ask(fd, 0))
		printf("answer %d\n", answer.bytes[4]);
	else
		puts("closed");
}

/* Two requests at once, the first of them refused: answers come in their order. */
static void ask_two(int fd)
{
	static const uint8_t both[] = {0, 0, 0, 1, 19, 0, 0, 0, 1, 11};

	memcpy(request.bytes, both, sizeof(both));
	request.len = sizeof(both);
	if (!ask(fd, 0))
		return;
	printf("answer %d", answer.bytes[4]);
	printf(" then %d\n", receive(fd) ? answer.bytes[4] : -1);
}

/* How many connections, held open, have an answer each. */
static void hold(int most)
{
	int alive = 0;

	for (int i = 0; i < most; i++)
		alive += list(dial());
	printf("%d of %d\n", alive, most);
}

/* Half a message, and then nothing: in the background, so that it is still there at the end. */
static void leave_open(int fd)
{
	if (fork() == 0) {
		(void)!write(fd, "\0\0", 2);
		close(1);
		close(2);
		pause();
	}
	puts("left");
}

static void echo(int fd, const char *text)
{
	ssize_t n;

	(void)!write(fd, text, strlen(text));
	shutdown(fd, SHUT_WR);
	while ((n = read(fd, answer.bytes, sizeof(answer.bytes))) > 0)
		fwrite(answer.bytes, 1, (size_t)n, stdout);
	puts("");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "hold") && argc > 2) {
		hold(atoi(argv[2]));
		return 0;
	}

	int fd = dial();

	if (!strcmp(what, "list") && list(fd))
		print_list();
	else if (!strcmp(what, "list"))
		puts("closed");
	else if (!strcmp(what, "sign"))
		ask_for_signature(fd);
	else if (!strcmp(what, "ask") && argc > 2)
		ask_words(fd, argv + 2);
	else if (!strcmp(what, "hex") && argc > 2)
		ask_hex(fd, argv[2]);
	else if (!strcmp(what, "two"))
		ask_two(fd);
	else if (!strcmp(what, "leave-open"))
		leave_open(fd);
	else if (!strcmp(what, "echo") && argc > 2)
		echo(fd, argv[2]);
	else
		return 2;
	return 0;
}
