/* SPDX-License-Identifier: MIT */
#include "fake_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "fake_server.h"
#include "sys/fd.h"
#include "sys/tree.h"

#define AS_OCI "Content-Type: " SB_MEDIA_OCI_MANIFEST "\r\n"

static void send_broken_layer(struct world *world, size_t from, size_t len, int fd)
{
	if (from > 0)
		fake_sendf(fd, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%d/%d\r\n",
			from, LAYER_BYTES - 1, LAYER_BYTES);
	else
		fake_sendf(fd, "HTTP/1.1 200 OK\r\n");
	fake_sendf(fd, "Content-Length: %zu\r\n\r\n", LAYER_BYTES - from);
	fake_send(fd, world->layer + from, len);
	if (len < LAYER_BYTES - from && world->n_layers % 2 == 0)
		fake_reset(fd);
}

/* What is asked for: "bytes=N-", else 0. */
static size_t range_of(struct world *world, const struct fake_request *request)
{
	char range[64] = "";
	size_t from = 0;

	if (fake_request_header(request, "Range", range, sizeof(range)) == 0)
		return 0;
	world->n_ranges++;
	return sscanf(range, "bytes=%zu-", &from) == 1 && from < LAYER_BYTES ? from : 0;
}

static void serve_breaking_layer(struct world *world, const struct fake_request *request, int fd)
{
	const size_t from = range_of(world, request);
	const size_t left = LAYER_BYTES - from;

	if (world->fault == LAYER_BREAKS_ALWAYS)
		send_broken_layer(world, from, 100 < left ? 100 : left, fd);
	else if (world->fault == LAYER_BREAKS_AFTER_EACH_MIB)
		send_broken_layer(world, from, (1 << 20) < left ? 1 << 20 : left, fd);
	else if (world->n_layers == 1)
		send_broken_layer(world, 0, LAYER_BYTES / 2, fd);
	else if (world->fault == LAYER_BREAKS_ONCE_AND_NO_RANGES)
		fake_answer(fd, "200 OK", "", world->layer, LAYER_BYTES);
	else if (world->fault == LAYER_BREAKS_ONCE_AND_RANGE_REFUSED && from > 0)
		fake_answer(fd, "416 Range Not Satisfiable", "", "", 0);
	else if (world->fault == LAYER_BREAKS_ONCE_AND_WRONG_RANGE)
		send_broken_layer(world, from / 2, LAYER_BYTES - from / 2, fd);
	else
		send_broken_layer(world, from, left, fd);
}

static void send_until_it_is_enough(int fd)
{
	static const char fill[65536];

	fake_sendf(fd, "HTTP/1.1 200 OK\r\n\r\n");
	for (unsigned i = 0; i < 1024; i++)
		fake_send(fd, fill, sizeof(fill));
}

static void redirect(int fd, const char *address, uint16_t port, const char *path)
{
	sb_autofree char *location =
		port != 0 ? sb_asprintf("Location: http://%s:%u%s\r\n", address, port, path)
			  : sb_asprintf("Location: %s%s\r\n", address, path);

	fake_answer(fd, "307 Temporary Redirect", location, "", 0);
}

static void serve_layer(struct world *world, const struct fake_request *request, int fd)
{
	world->n_layers++;
	if (world->fault >= LAYER_BREAKS_ONCE && world->fault <= LAYER_BREAKS_ALWAYS)
		serve_breaking_layer(world, request, fd);
	else if (world->fault == LAYER_MISSING)
		fake_answer(fd, "404 Not Found", "", "", 0);
	else if (world->fault == LAYER_SHORT)
		fake_answer(fd, "200 OK", "", world->layer, LAYER_BYTES - 1);
	else if (world->fault == LAYER_LONG)
		fake_answer(fd, "200 OK", "", world->layer, LAYER_BYTES + 1);
	else if (world->fault == LAYER_ENDLESS)
		send_until_it_is_enough(fd);
	else if (world->fault == LAYER_ELSEWHERE)
		redirect(fd, "127.0.0.2", fake_server_port(world->elsewhere), "/signed?key=hidden");
	else if (world->fault == LAYER_ELSEWHERE_IN_CLEAR)
		redirect(fd, "http://192.0.2.1", 0, "/x?key=hidden");
	else if (world->fault == LAYER_IS_FILE)
		redirect(fd, "file:///etc", 0, "/passwd");
	else if (world->fault == LAYER_IN_CIRCLES)
		redirect(fd, "", 0, request->path);
	else if (world->fault == LAYER_STALLS)
		fake_sendf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nx", LAYER_BYTES),
			(void)sleep(5);
	else
		fake_answer(fd, "200 OK", "", world->layer, LAYER_BYTES);
}

static void serve_manifest(struct world *world, const struct fake_request *request, int fd)
{
	static const char schema1[] = "{\"schemaVersion\":1,\"name\":\"x\",\"fsLayers\":[]}";
	static const char gone[] = "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\","
				   "\"message\":\"gone\\u001b[31m\"}]}";
	sb_autofree char *index_path =
		sb_asprintf("/v2/a/b/manifests/%s", world->index_digest.text);
	const bool by_tag = strcmp(request->path, "/v2/a/b/manifests/1") == 0;
	const bool wants_index = by_tag || strcmp(request->path, index_path) == 0;
	const bool has_index = world->fault == AS_INDEX || world->fault == INDEX_OF_OTHER_SIZE ||
			       world->fault == INDEX_IN_INDEX;
	sb_autofree char *headers =
		sb_asprintf(AS_OCI "Docker-Content-Digest: %s\r\n", world->manifest_digest.text);

	world->n_manifests++;
	if (world->fault == BUSY_ALWAYS || (world->fault == BUSY_ONCE && world->n_manifests == 1))
		fake_answer(fd, "429 Too Many Requests", "Retry-After: 0\r\n", "", 0);
	else if (world->fault == IMAGE_MISSING)
		fake_answer(fd, "404 Not Found", "", gone, strlen(gone));
	else if (world->fault == MANIFEST_OF_SCHEMA_1)
		fake_answer(fd, "200 OK", "", schema1, strlen(schema1));
	else if (world->fault == MANIFEST_CHANGED)
		fake_answer(fd, "200 OK", headers, world->index, strlen(world->index));
	else if (world->fault == MANIFEST_HUGE)
		send_until_it_is_enough(fd);
	else if (world->fault == INDEX_IN_INDEX && by_tag)
		fake_answer(fd, "200 OK", "", world->outer, strlen(world->outer));
	else if (has_index && wants_index)
		fake_answer(fd, "200 OK", "Content-Type: " SB_MEDIA_OCI_INDEX "\r\n", world->index,
			strlen(world->index));
	else
		fake_answer(fd, "200 OK", headers, world->manifest, strlen(world->manifest));
}

static void send_headers_without_end(int fd, const char *line, bool informational)
{
	if (!informational)
		fake_sendf(fd, "HTTP/1.1 200 OK\r\n");
	for (unsigned i = 0; i < 100000; i++)
		fake_send(fd, line, strlen(line));
}

/* True if the request was answered here. */
static bool serve_authentication(struct world *world, const struct fake_request *request, int fd)
{
	static const char echo[] = "{\"errors\":[{\"message\":\"no " TOKEN "\"}]}";
	char authorization[128] = "";
	sb_autofree char *expected = sb_asprintf("Bearer %s", world->token);
	sb_autofree char *challenge =
		sb_asprintf("WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Bearer "
			    "realm=\"http://%s:%u/token\""
			    ",service=\"a registry\",scope=\"repository:a/b:pull,push\"\r\n",
			world->fault == WANTS_TOKEN_FROM_STRANGER ? "192.0.2.1" : "127.0.0.1",
			fake_server_port(world->server));

	if (strncmp(request->path, "/token", 6) == 0) {
		const bool right =
			strcmp(request->path,
				"/token?service=a%20registry&scope=repository%3Aa%2Fb%3Apull") == 0;
		sb_autofree char *json = sb_asprintf("{\"token\":\"%s\"}", world->token);

		world->n_tokens++;
		fake_answer(fd, right ? "200 OK" : "400 Bad Request", "", json, strlen(json));
		return true;
	}
	(void)fake_request_header(request, "Authorization", authorization, sizeof(authorization));
	if (strcmp(authorization, expected) == 0) {
		world->n_with_token++;
		if (world->fault == WANTS_TOKEN_THAT_RUNS_OUT && world->n_with_token == 2)
			(void)snprintf(world->token, sizeof(world->token), "another");
		if (world->fault == ECHOES_TOKEN) {
			fake_answer(fd, "403 Forbidden", "", echo, strlen(echo));
			return true;
		}
		if (world->fault != WANTS_TOKEN_AND_REFUSES_IT)
			return false;
	}
	if (world->fault == WANTS_PASSWORD)
		fake_answer(
			fd, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "", 0);
	else
		fake_answer(fd, "401 Unauthorized", challenge, "", 0);
	return true;
}

static void serve(void *data, const struct fake_request *request, int fd)
{
	struct world *world = data;
	const bool wants_token = (world->fault >= WANTS_TOKEN && world->fault <= ECHOES_TOKEN) ||
				 world->fault == LAYER_ELSEWHERE;

	if (world->fault == HEADERS_ENDLESS)
		send_headers_without_end(fd, "X-More: and more of it\r\n", false);
	else if (world->fault == HEADERS_INFORMATIONAL_ENDLESS)
		send_headers_without_end(fd, "HTTP/1.1 103 Early Hints\r\nX-M: m\r\n\r\n", true);
	else if (wants_token && serve_authentication(world, request, fd))
		return;
	else if (strstr(request->path, "/manifests/") != NULL)
		serve_manifest(world, request, fd);
	else if (strstr(request->path, world->config_digest.text) != NULL)
		fake_answer(fd, "200 OK", "", world->config, strlen(world->config));
	else if (strstr(request->path, world->layer_digest.text) != NULL)
		serve_layer(world, request, fd);
	else
		fake_answer(fd, "404 Not Found", "", "", 0);
}

static void serve_elsewhere(void *data, const struct fake_request *request, int fd)
{
	struct world *world = data;
	char authorization[128];

	world->n_elsewhere++;
	if (fake_request_header(request, "Authorization", authorization, sizeof(authorization)) ||
		strstr(request->head, TOKEN) != NULL)
		world->n_secrets_elsewhere++;
	fake_answer(fd, "200 OK", "", world->layer, LAYER_BYTES);
}

static void make_image(struct world *world)
{
	const char *config_type = world->fault == CONFIG_OF_CHART
					  ? "application/vnd.cncf.helm.config.v1+json"
					  : SB_MEDIA_OCI_CONFIG;
	const char *layer_type =
		world->fault == LAYER_FOREIGN
			? "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
			: SB_MEDIA_OCI_LAYER;
	uint32_t seed = 1;

	world->layer = sb_calloc(LAYER_BYTES + 1, 1);
	for (size_t i = 0; i < LAYER_BYTES; i++) {
		seed = seed * 1664525u + 1013904223u;
		world->layer[i] = (char)(seed >> 24);
	}
	sb_digest_of(world->layer, LAYER_BYTES, &world->layer_digest);
	if (world->fault == LAYER_CHANGED)
		world->layer[LAYER_BYTES - 1] ^= 1;
	world->config = sb_asprintf("{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{"
				    "\"type\":\"layers\",\"diff_ids\":[%s%s%s]}%s",
		world->fault == CONFIG_OF_NO_LAYER ? "" : "\"",
		world->fault == CONFIG_OF_NO_LAYER ? "" : world->layer_digest.text,
		world->fault == CONFIG_OF_NO_LAYER ? "" : "\"",
		world->fault == CONFIG_CUT ? "" : "}");
	sb_digest_of(world->config, strlen(world->config), &world->config_digest);
	world->manifest = sb_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\",\"config\":{"
		"\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"%s\",\"digest\":\"%s\",\"size\":%d}]}",
		config_type, world->config_digest.text, strlen(world->config), layer_type,
		world->layer_digest.text, LAYER_BYTES);
	sb_digest_of(world->manifest, strlen(world->manifest), &world->manifest_digest);
	world->index = sb_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:"
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size\":9,"
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
		"{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}",
		world->manifest_digest.text,
		strlen(world->manifest) + (world->fault == INDEX_OF_OTHER_SIZE ? 1 : 0));
	sb_digest_of(world->index, strlen(world->index), &world->index_digest);
	world->outer = sb_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_OCI_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"" SB_MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}",
		world->index_digest.text, strlen(world->index));
}

void world_open(struct world *world, enum fault fault)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	*world = (struct world){.fault = fault, .token = TOKEN, .folder = "/tmp/sb-pull-XXXXXX"};
	make_image(world);
	assert_non_null(mkdtemp(world->folder));
	assert_int_equal(sb_fd_open_dir_user(world->folder, "test", &world->folder_fd, &err), 0);
	assert_int_equal(sb_layout_open(world->folder_fd, true, &world->layout, &err), 0);
	world->elsewhere = fake_server_start("127.0.0.2", serve_elsewhere, world);
	world->server = fake_server_start("127.0.0.1", serve, world);
}

void world_stop_servers(struct world *world)
{
	if (world->server == NULL)
		return;
	fake_server_stop(world->server);
	fake_server_stop(world->elsewhere);
	world->server = world->elsewhere = NULL;
}

void world_close(struct world *world)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	world_stop_servers(world);
	sb_layout_free(world->layout);
	sb_fd_closep(&world->folder_fd);
	assert_int_equal(sb_tree_remove(AT_FDCWD, world->folder, &err), 0);
	free(world->config);
	free(world->layer);
	free(world->manifest);
	free(world->index);
	free(world->outer);
}
