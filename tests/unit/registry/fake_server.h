/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_FAKE_SERVER_H
#define SB_TEST_FAKE_SERVER_H

#include <stddef.h>
#include <stdint.h>

/*
 * An HTTP server on a loopback address, on a thread of its own: one request a connection, one
 * connection at a time, every answer written byte by byte by the test's handler.
 */
struct fake_request {
	char method[8];
	char path[512];   /* with the query */
	char head[16384]; /* the whole request, as it came */
};

typedef void (*fake_handler_fn)(void *data, const struct fake_request *request, int fd);

struct fake_server;
/* address: "127.0.0.1" or another of 127.0.0.0/8. Aborts where it can't start. */
struct fake_server *fake_server_start(const char *address, fake_handler_fn handler, void *data);
uint16_t fake_server_port(const struct fake_server *server);
/* Ends the thread; after this the handler's data may be read without a race. */
void fake_server_stop(struct fake_server *server);

/* A header's value in the request, copied into out (cut to size); 0 where it is not there. */
int fake_request_header(
	const struct fake_request *request, const char *name, char *out, size_t size);

/* Reads up to len bytes of a request's body, which has Content-Length bytes, into out (or nowhere
 * where that is NULL), with "100 Continue" where the client waits for it. How many came. */
size_t fake_read_body(const struct fake_request *request, int fd, void *out, size_t len);

/* Writes as far as the other side reads. */
void fake_send(int fd, const void *bytes, size_t len);
void fake_sendf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "200 OK" and so on, more header lines (each with its end, may be ""), and a body. */
void fake_answer(int fd, const char *status, const char *headers, const void *body, size_t len);
/* The connection ends with a reset, not with an end of file. */
void fake_reset(int fd);

#endif
