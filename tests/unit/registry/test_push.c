/* SPDX-License-Identifier: MIT */
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
#include "base/size.h"
#include "fake_server.h"
#include "oci/descriptor.h"
#include "registry/push_within.h"
#include "sys/fd.h"
#include "sys/tree.h"

#define SECRET "sesame-0123456789"

enum { LAYER_BYTES = 3 << 20 };

static const struct sb_http_limits quick = {.connect_timeout_ms = 5000,
	.stall_bytes_per_s = 1000,
	.stall_s = 1,
	.n_tries = 4,
	.first_delay_ms = 1,
	.max_delay_ms = 10};

enum fault {
	NONE,
	HAS_ALL,
	MOUNTS,
	MOUNT_REFUSED,
	PATCH_BREAKS_ONCE,
	PATCH_BREAKS_AND_IS_FORGOTTEN,
	PATCH_BREAKS_ALWAYS,
	PATCH_BUSY_ONCE,
	PATCH_TOO_LARGE,
	PATCH_HAS_LESS_THAN_IT_SAYS,
	END_IS_LOST,
	BLOB_OF_OTHER_DIGEST,
	MANIFEST_OF_OTHER_DIGEST,
	LOCATION_ELSEWHERE,
	LOCATION_IN_CLEAR,
	NO_LOCATION,
	REFUSES_UPLOADS,
	ECHOES_SECRET,
};

/* A registry that takes images, and does one thing wrong. It asks for a password. */
struct world {
	enum fault fault;
	struct fake_server *server;
	struct fake_server *elsewhere;
	char *layer;
	struct sb_digest layer_digest, config_digest, manifest_digest;
	struct sb_descriptor manifest;

	struct upload {
		char *got;
		size_t n_got;
		bool is_known;
	} uploads[8];
	/* What has arrived. */
	bool has_layer, has_config, has_manifest;
	char media_type[128];
	unsigned n_posts, n_patches, n_heads, n_mounts, n_broken, n_elsewhere, n_secrets_elsewhere;
	size_t largest;

	char folder[64];
	int folder_fd;
	struct sb_layout *layout;
};

static size_t body_len(const struct fake_request *request)
{
	char text[32] = "0";
	uint64_t n = 0;

	(void)fake_request_header(request, "Content-Length", text, sizeof(text));
	assert_true(sb_number_parse(text, 10, SIZE_MAX, &n));
	return (size_t)n;
}

/* "…/u/N?…" */
static struct upload *upload_of(struct world *world, const struct fake_request *request)
{
	const char *at = strstr(request->path, "/u/");

	assert_non_null(at);
	return &world->uploads[(at[3] - '0') % 8];
}

static void answer_accepted(struct world *world, const struct upload *upload, int fd)
{
	const size_t i = (size_t)(upload - world->uploads);

	sb_autofree char *location =
		world->fault == LOCATION_IN_CLEAR ? sb_strdup("Location: http://192.0.2.1/x\r\n")
		: world->fault == NO_LOCATION     ? sb_strdup("")
		: world->fault == LOCATION_ELSEWHERE
			? sb_asprintf("Location: http://127.0.0.2:%u/u/%zu\r\n",
				  fake_server_port(world->elsewhere), i)
			: sb_asprintf("Location: /v2/a/b/blobs/uploads/u/%zu?state=%zu\r\n", i,
				  upload->n_got);
	sb_autofree char *headers = sb_asprintf(
		"%sRange: 0-%zu\r\n", location, upload->n_got > 0 ? upload->n_got - 1 : 0);

	fake_answer(fd, "202 Accepted", headers, "", 0);
}

static void take_piece(struct world *world, const struct fake_request *request, int fd)
{
	struct upload *upload = upload_of(world, request);
	const size_t len = body_len(request);
	const bool breaks = world->fault == PATCH_BREAKS_ALWAYS ||
			    ((world->fault == PATCH_BREAKS_ONCE ||
				     world->fault == PATCH_BREAKS_AND_IS_FORGOTTEN) &&
				    world->n_broken == 0);
	char range[64] = "";
	size_t start = 0;

	world->n_patches++;
	if (world->fault == PATCH_TOO_LARGE && len > 2 << 20) {
		fake_answer(fd, "413 Request Entity Too Large", "", "", 0);
		return;
	}
	if (world->fault == PATCH_BUSY_ONCE && world->n_patches == 1) {
		(void)fake_read_body(request, fd, NULL, len);
		fake_answer(fd, "503 Service Unavailable", "Retry-After: 0\r\n", "", 0);
		return;
	}
	if (fake_request_header(request, "Content-Range", range, sizeof(range)) &&
		(sscanf(range, "%zu-", &start) != 1 || start != upload->n_got)) {
		fake_answer(fd, "416 Range Not Satisfiable", "", "", 0);
		return;
	}
	world->largest = len > world->largest ? len : world->largest;
	if (breaks) {
		world->n_broken++;
		upload->n_got += fake_read_body(request, fd, upload->got + upload->n_got,
			world->fault == PATCH_BREAKS_ALWAYS ? 100 : len / 2);
		upload->is_known = world->fault != PATCH_BREAKS_AND_IS_FORGOTTEN;
		fake_reset(fd);
		return;
	}
	upload->n_got += fake_read_body(request, fd, upload->got + upload->n_got, len);
	if (world->fault == PATCH_HAS_LESS_THAN_IT_SAYS && world->n_broken++ == 0)
		upload->n_got -= 1000;
	answer_accepted(world, upload, fd);
}

static void end_upload(struct world *world, const struct fake_request *request, int fd)
{
	struct upload *upload = upload_of(world, request);
	const size_t len = body_len(request);
	struct sb_digest digest;
	sb_autofree char *headers = NULL;

	if (!upload->is_known) {
		fake_answer(fd, "404 Not Found", "", "", 0);
		return;
	}
	upload->n_got += fake_read_body(request, fd, upload->got + upload->n_got, len);
	sb_digest_of(upload->got, upload->n_got, &digest);
	world->has_layer |= sb_digest_equal(&digest, &world->layer_digest);
	world->has_config |= sb_digest_equal(&digest, &world->config_digest);
	upload->is_known = false;
	if (world->fault == END_IS_LOST && world->n_broken++ == 0) {
		fake_reset(fd);
		return;
	}
	headers = sb_asprintf("Docker-Content-Digest: %s\r\n",
		world->fault == BLOB_OF_OTHER_DIGEST ? world->manifest_digest.text : digest.text);
	fake_answer(fd, "201 Created", headers, "", 0);
}

static void begin_upload(struct world *world, const struct fake_request *request, int fd)
{
	static const char echo[] = "{\"errors\":[{\"message\":\"not with " SECRET "\"}]}";

	struct upload *upload = &world->uploads[world->n_posts++ % 8];

	free(upload->got);
	*upload = (struct upload){.got = sb_calloc(2 * LAYER_BYTES, 1), .is_known = true};
	if (strstr(request->path, "mount=") != NULL) {
		world->n_mounts++;
		assert_non_null(strstr(request->path, "from=other%2Fimage"));
		if (world->fault == MOUNTS) {
			fake_answer(fd, "201 Created", "", "", 0);
			return;
		}
		if (world->fault == MOUNT_REFUSED) {
			fake_answer(fd, "400 Bad Request", "", "", 0);
			return;
		}
	}
	if (world->fault == ECHOES_SECRET)
		fake_answer(fd, "403 Forbidden", "", echo, strlen(echo));
	else if (world->fault == REFUSES_UPLOADS)
		fake_answer(fd, "405 Method Not Allowed", "", "", 0);
	else
		answer_accepted(world, upload, fd);
}

static void look(struct world *world, const struct fake_request *request, int fd)
{
	const bool has =
		world->fault == HAS_ALL ||
		(strstr(request->path, world->layer_digest.text) != NULL && world->has_layer) ||
		(strstr(request->path, world->config_digest.text) != NULL && world->has_config);

	world->n_heads++;
	fake_sendf(
		fd, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n", has ? "200 OK" : "404 Not Found");
}

static void take_manifest(struct world *world, const struct fake_request *request, int fd)
{
	char body[4096];
	const size_t len = fake_read_body(request, fd, body, body_len(request));
	struct sb_digest digest;
	sb_autofree char *headers = NULL;

	sb_digest_of(body, len, &digest);
	world->has_manifest = sb_digest_equal(&digest, &world->manifest_digest) &&
			      strcmp(request->path, "/v2/a/b/manifests/1") == 0;
	(void)fake_request_header(
		request, "Content-Type", world->media_type, sizeof(world->media_type));
	headers = sb_asprintf("Docker-Content-Digest: %s\r\n",
		world->fault == MANIFEST_OF_OTHER_DIGEST ? world->layer_digest.text : digest.text);
	fake_answer(fd, "201 Created", headers, "", 0);
}

static void serve(void *data, const struct fake_request *request, int fd)
{
	struct world *world = data;
	char authorization[128] = "";

	if (!fake_request_header(request, "Authorization", authorization, sizeof(authorization))) {
		fake_answer(
			fd, "401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "", 0);
		return;
	}
	if (strcmp(request->method, "HEAD") == 0)
		look(world, request, fd);
	else if (strcmp(request->method, "POST") == 0)
		begin_upload(world, request, fd);
	else if (strcmp(request->method, "PATCH") == 0)
		take_piece(world, request, fd);
	else if (strcmp(request->method, "GET") == 0 && upload_of(world, request)->is_known)
		fake_sendf(fd,
			"HTTP/1.1 204 No Content\r\nConnection: close\r\nRange: 0-%zu\r\n\r\n",
			upload_of(world, request)->n_got - 1);
	else if (strcmp(request->method, "GET") == 0)
		fake_answer(fd, "404 Not Found", "", "", 0);
	else if (strstr(request->path, "/manifests/") != NULL)
		take_manifest(world, request, fd);
	else
		end_upload(world, request, fd);
}

static void serve_elsewhere(void *data, const struct fake_request *request, int fd)
{
	struct world *world = data;
	char authorization[128];

	world->n_elsewhere++;
	if (fake_request_header(request, "Authorization", authorization, sizeof(authorization)))
		world->n_secrets_elsewhere++;
	if (strcmp(request->method, "PATCH") == 0)
		take_piece(world, request, fd);
	else
		end_upload(world, request, fd);
}

static void store(struct world *world, const void *bytes, size_t len, struct sb_digest *out)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_layout_put_bytes(world->layout, bytes, len, out, &err), 0);
}

static void make_image(struct world *world)
{
	uint32_t seed = 1;

	world->layer = sb_calloc(LAYER_BYTES, 1);
	for (size_t i = 0; i < LAYER_BYTES; i++) {
		seed = seed * 1664525u + 1013904223u;
		world->layer[i] = (char)(seed >> 24);
	}
	store(world, world->layer, LAYER_BYTES, &world->layer_digest);

	sb_autofree char *config = sb_asprintf("{\"os\":\"linux\",\"architecture\":\"amd64\","
					       "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
					       "\"%s\"]}}",
		world->layer_digest.text);

	store(world, config, strlen(config), &world->config_digest);

	sb_autofree char *manifest = sb_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"" SB_MEDIA_DOCKER_MANIFEST
		"\",\"config\":{\"mediaType\":\"" SB_MEDIA_DOCKER_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
		"\"" SB_MEDIA_DOCKER_LAYER "\",\"digest\":\"%s\",\"size\":%d}]}",
		world->config_digest.text, strlen(config), world->layer_digest.text, LAYER_BYTES);

	store(world, manifest, strlen(manifest), &world->manifest_digest);
	world->manifest = (struct sb_descriptor){.media_type = sb_strdup(SB_MEDIA_DOCKER_MANIFEST),
		.digest = world->manifest_digest,
		.size_bytes = strlen(manifest)};
}

static void world_open(struct world *world, enum fault fault)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *auth_file = NULL;
	sb_autofd int fd = -1;

	*world = (struct world){.fault = fault, .folder = "/tmp/sb-push-XXXXXX"};
	assert_non_null(mkdtemp(world->folder));
	assert_int_equal(sb_fd_open_dir_user(world->folder, "test", &world->folder_fd, &err), 0);
	assert_int_equal(sb_layout_open(world->folder_fd, true, &world->layout, &err), 0);
	make_image(world);
	world->elsewhere = fake_server_start("127.0.0.2", serve_elsewhere, world);
	world->server = fake_server_start("127.0.0.1", serve, world);
	fd = openat(world->folder_fd, "auth.json", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	auth_file = sb_asprintf("{\"auths\":{\"127.0.0.1:%u\":{\"username\":\"u\","
				"\"password\":\"" SECRET "\"}}}",
		fake_server_port(world->server));
	assert_int_equal(sb_fd_write_all(fd, auth_file, strlen(auth_file), &err), 0);
}

static void world_close(struct world *world)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_layout_free(world->layout);
	sb_fd_closep(&world->folder_fd);
	assert_int_equal(sb_tree_remove(AT_FDCWD, world->folder, &err), 0);
	sb_descriptor_release(&world->manifest);
	free(world->layer);
	for (size_t i = 0; i < 8; i++)
		free(world->uploads[i].got);
}

static bool on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	uint64_t *last = data;

	assert_non_null(what);
	assert_true(done <= total);
	*last = done;
	return true;
}

static int push_in(struct world *world, uint64_t chunk_bytes, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_ERROR parsed = SB_ERROR_INIT;
	sb_autofree char *text = sb_asprintf("127.0.0.1:%u/a/b:1", fake_server_port(world->server));
	sb_autofree char *other =
		sb_asprintf("127.0.0.1:%u/other/image:1", fake_server_port(world->server));
	sb_autofree char *auth_file = sb_asprintf("%s/auth.json", world->folder);
	uint64_t done = 0;
	const struct sb_push_options options = {.auth_file = auth_file,
		.chunk_bytes = chunk_bytes,
		.on_progress = on_progress,
		.data = &done};

	if (world->fault == MOUNTS || world->fault == MOUNT_REFUSED)
		assert_int_equal(sb_layout_add(world->layout, &world->manifest, other, &parsed), 0);
	assert_int_equal(sb_reference_parse(text, &ref, &parsed), 0);

	const int rc = sb_registry_push_within(
		world->layout, &world->manifest, &ref, 1, &options, &quick, err);

	fake_server_stop(world->server);
	fake_server_stop(world->elsewhere);
	if (rc == 0)
		assert_true(done > LAYER_BYTES);
	return rc;
}

static void an_image_gets_there_in_spite_of(void **state)
{
	static const struct {
		enum fault fault;
		unsigned n_patches;
		uint64_t chunk_bytes;
		size_t largest;
	} cases[] = {
		{NONE, 1, 0, LAYER_BYTES},
		{NONE, 3, 1 << 20, 1 << 20},
		{NONE, 4, 1000000, 1000000},
		{MOUNT_REFUSED, 1, 0, LAYER_BYTES},
		{PATCH_BREAKS_ONCE, 2, 0, LAYER_BYTES},
		{PATCH_BREAKS_AND_IS_FORGOTTEN, 2, 0, LAYER_BYTES},
		{PATCH_BUSY_ONCE, 2, 0, LAYER_BYTES},
		{PATCH_TOO_LARGE, 5, 0, 1 << 20},
		{PATCH_HAS_LESS_THAN_IT_SAYS, 2, 0, LAYER_BYTES},
		{END_IS_LOST, 1, 0, LAYER_BYTES},
		{LOCATION_ELSEWHERE, 1, 0, LAYER_BYTES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct world world;

		world_open(&world, cases[i].fault);
		if (push_in(&world, cases[i].chunk_bytes, &err) < 0)
			fail_msg("%zu: %s", i, err.message);
		assert_true(world.has_layer && world.has_config && world.has_manifest);
		assert_string_equal(world.media_type, SB_MEDIA_DOCKER_MANIFEST);
		if (world.n_patches != cases[i].n_patches)
			fail_msg("%zu: %u pieces", i, world.n_patches);
		assert_int_equal(world.largest, cases[i].largest);
		assert_int_equal(world.n_secrets_elsewhere, 0);
		if (cases[i].fault == LOCATION_ELSEWHERE)
			assert_int_equal(world.n_elsewhere, 3);
		world_close(&world);
	}
}

static void only_what_is_missing_is_sent(void **state)
{
	static const enum fault faults[] = {HAS_ALL, MOUNTS};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct world world;

		world_open(&world, faults[i]);
		assert_int_equal(push_in(&world, 0, &err), 0);
		assert_true(world.has_manifest);
		assert_int_equal(world.n_patches, 0);
		assert_int_equal(world.n_posts, faults[i] == MOUNTS ? 2 : 0);
		assert_int_equal(world.n_mounts, world.n_posts);
		world_close(&world);
	}
}

static void what_goes_wrong_is_said(void **state)
{
	static const struct {
		enum fault fault;
		enum sb_code code;
		const char *words;
	} cases[] = {
		{PATCH_BREAKS_ALWAYS, SB_E_NETWORK, "after 4 tries"},
		{BLOB_OF_OTHER_DIGEST, SB_E_INTEGRITY, "names the blob"},
		{MANIFEST_OF_OTHER_DIGEST, SB_E_INTEGRITY, "names the manifest"},
		{LOCATION_IN_CLEAR, SB_E_NETWORK, "plain http"},
		{NO_LOCATION, SB_E_NETWORK, "no Location"},
		{REFUSES_UPLOADS, SB_E_NETWORK, "status 405"},
		{ECHOES_SECRET, SB_E_AUTH, "[credential]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SB_AUTO_ERROR err = SB_ERROR_INIT;
		struct world world;

		world_open(&world, cases[i].fault);
		assert_int_equal(push_in(&world, 0, &err), -1);
		if (err.code != cases[i].code || strstr(err.message, cases[i].words) == NULL)
			fail_msg("%zu: %s", i, err.message);
		assert_null(strstr(err.message, SECRET));
		assert_non_null(strstr(err.message, "/a/b:1'"));
		assert_int_equal(world.n_secrets_elsewhere, 0);
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_gets_there_in_spite_of),
		cmocka_unit_test(only_what_is_missing_is_sent),
		cmocka_unit_test(what_goes_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
