/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/strv.h"
#include "inspect/report.h"
#include "sys/fd.h"
#include "sys/tree.h"
#include "tar_fixture.h"

/*
 * The story of a secret that was copied in and removed again, as an image in a layout.
 */
enum { N_LAYERS = 4 };

static const struct sb_findings no_findings;

static const struct fixture_entry story[N_LAYERS][3] = {
	{{.kind = 'f',
		 .path = "etc/passwd",
		 .content = "root:x:0:0::/root:/bin/sh\napp:x:7:7::/:/bin/sh\nadmin:x:0:0::/:\n"},
		{.kind = 'f', .path = "bin/sh", .size = 5000, .fill = 's'}},
	{{.kind = 'f', .path = "etc/secret.txt", .content = "super-secure\n"}},
	{{.kind = 'f', .path = "app/run", .size = 100, .fill = 'a'}},
	{{.kind = 'f', .path = "etc/.wh.secret.txt"}},
};

struct world {
	char folder[64];
	int dir_fd;
	struct sb_layout *layout;
	struct sb_image *image;
	struct sb_digest blobs[N_LAYERS];
	struct sb_digest diff_ids[N_LAYERS];
};

/* What a test wants otherwise. */
struct twist {
	const char *user;
	const char *env;
	const char *annotation;
	const char *media_type;    /* of all layers */
	int packing;               /* ARCHIVE_FILTER_… of all layers; 0 is none */
	bool has_wrong_diff_id;    /* of the second layer */
	bool has_one_history_less; /* than layers */
	const char *label_json;    /* a label's value, as JSON text */
};

static int set_up(void **state)
{
	struct world *w = sb_calloc(1, sizeof(*w));
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/safebuild-test-XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return -1;
	w->dir_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = w;
	return sb_layout_open(w->dir_fd, true, &w->layout, &err);
}

static int tear_down(void **state)
{
	struct world *w = *state;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	sb_image_free(w->image);
	sb_layout_free(w->layout);
	(void)close(w->dir_fd);
	if (sb_tree_remove(AT_FDCWD, w->folder, &err) < 0)
		print_error("%s\n", err.message);
	free(w);
	return 0;
}

static void put_layers(struct world *w, const struct twist *twist, struct sb_strv *descriptors)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	for (size_t i = 0; i < N_LAYERS; i++) {
		struct fixture_entry entries[4] = {0};

		memcpy(entries, story[i], sizeof(story[i]));

		struct fixture plain = fixture_tar(entries, ARCHIVE_FILTER_NONE);
		struct fixture packed = fixture_tar(entries, twist->packing);

		sb_digest_of(plain.bytes, plain.len, &w->diff_ids[i]);
		assert_int_equal(sb_layout_put_bytes(
					 w->layout, packed.bytes, packed.len, &w->blobs[i], &err),
			0);
		sb_strv_addf(descriptors, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}",
			twist->media_type != NULL ? twist->media_type : SB_MEDIA_OCI_LAYER,
			w->blobs[i].text, packed.len);
		free(plain.bytes);
		free(packed.bytes);
	}
}

static char *config_json(const struct world *w, const struct twist *twist)
{
	SB_AUTO_STRV diff_ids = SB_STRV_INIT;

	for (size_t i = 0; i < N_LAYERS; i++)
		sb_strv_addf(&diff_ids, "\"%s\"",
			w->diff_ids[twist->has_wrong_diff_id && i == 1 ? 0 : i].text);

	sb_autofree char *ids = sb_strv_join(&diff_ids, ",");

	return sb_asprintf(
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"%s\","
		"\"Env\":[\"PATH=/bin\"%s],\"Labels\":{\"a\":%s}},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]},\"history\":["
		"{\"created_by\":\"/bin/sh -c #(nop) ADD file:1 in / \"},"
		"{\"created_by\":\"COPY super-secure.txt /etc/secret.txt # buildkit\"},"
		"{\"created_by\":\"ENV A=b\",\"empty_layer\":true},"
		"{\"created_by\":\"RUN /bin/sh -c make # buildkit\"}%s]}",
		twist->user != NULL ? twist->user : "", twist->env != NULL ? twist->env : "",
		twist->label_json != NULL ? twist->label_json : "\"b\"", ids,
		twist->has_one_history_less
			? ""
			: ",{\"created_by\":\"RUN /bin/sh -c rm /etc/secret.txt # buildkit\"}");
}

static void make_image(struct world *w, const struct twist *twist)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_STRV descriptors = SB_STRV_INIT;
	struct sb_descriptor d = {.media_type = sb_strdup(SB_MEDIA_OCI_MANIFEST)};
	struct sb_digest config_digest;

	put_layers(w, twist, &descriptors);

	sb_autofree char *config = config_json(w, twist);

	assert_int_equal(
		sb_layout_put_bytes(w->layout, config, strlen(config), &config_digest, &err), 0);

	sb_autofree char *layers = sb_strv_join(&descriptors, ",");
	sb_autofree char *manifest = sb_asprintf(
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s],\"annotations\":{\"note\":\"%s\"}"
		"}",
		SB_MEDIA_OCI_MANIFEST, SB_MEDIA_OCI_CONFIG, config_digest.text, strlen(config),
		layers, twist->annotation != NULL ? twist->annotation : "");

	d.size_bytes = strlen(manifest);
	assert_int_equal(
		sb_layout_put_bytes(w->layout, manifest, strlen(manifest), &d.digest, &err), 0);
	if (sb_image_from_layout(w->layout, &d, NULL, &w->image, &err) < 0)
		fail_msg("%s", err.message);
	sb_descriptor_release(&d);
}

static struct sb_secrets *the_secret(void)
{
	struct sb_secrets *secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "mysecret", "super-secure\n", 13, &err), 0);
	return secrets;
}

static struct sb_inspection *inspect(
	struct world *w, const struct twist *twist, const struct sb_secrets *secrets)
{
	struct sb_inspection *report = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (w->image == NULL)
		make_image(w, twist);
	assert_int_equal(sb_inspect_image(w->image, secrets, &report, &err), 0);
	return report;
}

static char *page_of(const struct sb_inspection *report, unsigned width, bool color)
{
	const struct sb_report_style style = {.color = color, .width = width};
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	struct sb_findings findings;
	char *page = NULL;

	sb_inspection_findings(report, &findings);
	assert_int_equal(sb_inspection_page(report, &findings, &style, &page, &err), 0);
	sb_findings_release(&findings);
	return page;
}

static void removed_secret_is_shown_with_both_instructions(void **state)
{
	const struct twist twist = {
		.packing = ARCHIVE_FILTER_GZIP, .media_type = SB_MEDIA_OCI_LAYER_GZIP};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);
	sb_autofree char *page = page_of(report, 0, false);

	assert_int_equal(report->problems.len, 0);
	assert_int_equal(report->gaps.len, 0);
	assert_int_equal(report->dead.len, 1);
	assert_string_equal(report->dead.items[0].path, "etc/secret.txt");
	assert_int_equal(report->dead.items[0].added_layer, 1);
	assert_int_equal(report->dead.items[0].removed_layer, 3);
	assert_int_equal(report->layers.items[1].dead_bytes, 13);
	assert_int_equal(report->layers.items[3].n_whiteouts, 1);
	assert_non_null(strstr(page, "etc/secret.txt  13 B"));
	assert_non_null(
		strstr(page, "added in layer 2 by COPY super-secure.txt /etc/secret.txt\n"));
	assert_non_null(strstr(page, "deleted in layer 4 by RUN rm /etc/secret.txt\n"));
	assert_non_null(strstr(page, "runs as root"));
	assert_non_null(strstr(page, "WASTE: 13 B"));
	assert_null(strstr(page, "\033"));
}

static void known_secret_is_found_and_never_shown(void **state)
{
	const struct twist twist = {.env = ",\"TOKEN=super-secure\"",
		.annotation = "super-secure",
		.user = "super-secure"};
	SB_AUTO(sb_secrets) secrets = the_secret();
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, secrets);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *page = page_of(report, 100, true);
	sb_autofree char *json = NULL;
	static const char *const wheres[] = {"layer 2: etc/secret.txt", "config: history entry 2",
		"config: Env", "config: User", "manifest annotations"};

	assert_int_equal(sb_inspection_json(report, &no_findings, &json, &err), 0);
	for (size_t i = 0; i < sizeof(wheres) / sizeof(wheres[0]); i++) {
		assert_non_null(strstr(page, wheres[i]));
		assert_non_null(strstr(json, wheres[i]));
	}
	assert_non_null(strstr(page, "LEAK"));
	assert_non_null(strstr(page, "\033[31m"));
	assert_null(strstr(page, "super-secure"));
	assert_null(strstr(json, "super-secure"));
	assert_int_equal(report->n_secrets_searched, 1);
}

static void secret_of_another_image_is_not_found(void **state)
{
	const struct twist twist = {.user = "app"};
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", "quite another", 13, &err), 0);

	SB_AUTO(sb_inspection) report = inspect(*state, &twist, secrets);
	sb_autofree char *page = page_of(report, 0, false);

	assert_int_equal(report->secrets.len, 0);
	assert_false(report->runs_as_root);
	assert_non_null(strstr(page, "  no known secret found\n  1 secret: s\n"));
	assert_non_null(strstr(page, "  forms: raw, base64"));
	assert_non_null(strstr(page, "  searched "));
	assert_null(strstr(page, "runs as root"));
}

static void escaped_label_is_searched_as_text(void **state)
{
	const struct twist twist = {.label_json = "\"say \\\"hi\\\" there\""};
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "s", "say \"hi\" there", 14, &err), 0);

	SB_AUTO(sb_inspection) report = inspect(*state, &twist, secrets);

	assert_int_equal(report->secrets.len, 1);
	assert_string_equal(report->secrets.items[0].where, "config: Labels a");
	assert_int_equal(report->secrets.items[0].layer, SIZE_MAX);
}

static void short_secrets_are_named_as_not_proven(void **state)
{
	const struct twist twist = {0};
	SB_AUTO(sb_secrets) secrets = sb_secrets_new();
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_secrets_add_bytes(secrets, "tiny", "abc", 3, &err), 0);
	assert_int_equal(sb_secrets_add_bytes(secrets, "weak", "abcde", 5, &err), 0);

	SB_AUTO(sb_inspection) report = inspect(*state, &twist, secrets);

	assert_int_equal(report->n_secrets_searched, 1);
	assert_int_equal(report->gaps.len, 2);
	assert_non_null(strstr(report->gaps.items[0].what, "'tiny'"));
	assert_non_null(strstr(report->gaps.items[1].what, "'weak'"));
}

static void user_is_looked_up_in_the_image(void **state)
{
	const struct twist twist = {.user = "admin"};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);

	assert_true(report->runs_as_root);
}

static void wrong_diff_id_is_a_problem(void **state)
{
	const struct twist twist = {.has_wrong_diff_id = true};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);

	assert_int_equal(report->problems.len, 1);
	assert_non_null(strstr(report->problems.items[0].text, "layer 2: diff_id"));
}

static void content_of_another_packing_than_the_media_type_is_a_problem(void **state)
{
	const struct twist twist = {
		.packing = ARCHIVE_FILTER_ZSTD, .media_type = SB_MEDIA_OCI_LAYER_GZIP};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);

	assert_int_equal(report->problems.len, N_LAYERS);
	assert_non_null(strstr(report->problems.items[0].text, "zstd"));
}

static void history_that_does_not_fit_is_not_shifted(void **state)
{
	const struct twist twist = {.has_one_history_less = true};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);
	sb_autofree char *page = page_of(report, 0, false);

	for (size_t i = 0; i < N_LAYERS; i++)
		assert_null(report->layers.items[i].created_by);
	assert_non_null(strstr(page, "added in layer 2 by (no history)"));
}

static char *blob_path(const struct world *w, size_t i)
{
	return sb_asprintf("%s/blobs/sha256/%s", w->folder, sb_digest_hex(&w->blobs[i]));
}

static void missing_blob_is_a_problem_and_the_rest_is_read(void **state)
{
	struct world *w = *state;
	const struct twist twist = {0};

	make_image(w, &twist);

	sb_autofree char *path = blob_path(w, 2);

	assert_int_equal(unlink(path), 0);

	SB_AUTO(sb_inspection) report = inspect(w, &twist, NULL);

	assert_int_equal(report->problems.len, 1);
	assert_int_equal(report->gaps.len, 1);
	assert_int_equal(report->layers.len, N_LAYERS);
	assert_int_equal(report->dead.len, 1);
}

static void missing_foreign_layer_is_not_scanned(void **state)
{
	struct world *w = *state;
	const struct twist twist = {
		.media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar"};

	make_image(w, &twist);

	sb_autofree char *path = blob_path(w, 0);

	assert_int_equal(unlink(path), 0);

	SB_AUTO(sb_inspection) report = inspect(w, &twist, NULL);

	assert_int_equal(report->problems.len, 0);
	assert_int_equal(report->gaps.len, 1);
	assert_non_null(strstr(report->gaps.items[0].why, "foreign"));
}

static void changed_blob_is_a_problem(void **state)
{
	struct world *w = *state;
	const struct twist twist = {0};

	make_image(w, &twist);

	sb_autofree char *path = blob_path(w, 1);

	assert_int_equal(chmod(path, 0600), 0);

	sb_autofd int fd = open(path, O_WRONLY | O_CLOEXEC | O_APPEND);

	assert_int_equal(write(fd, "x", 1), 1);

	SB_AUTO(sb_inspection) report = inspect(w, &twist, NULL);

	/* digest, size, diff_id, and bytes behind the end */
	assert_int_equal(report->problems.len, 4);
}

static void page_is_cut_to_its_width_and_escapes_control_bytes(void **state)
{
	const struct twist twist = {.user = "\\u001b[31mred"};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);
	sb_autofree char *page = page_of(report, 70, false);

	assert_null(strchr(page, '\033'));
	assert_non_null(strstr(page, "\\x1b[31mred"));
	/* The only lines that may be longer hold paths, digests and problems. */
	assert_non_null(strstr(page, "COPY super-secure.txt /e\xe2\x80\xa6\n"));
}

static void json_has_its_schema_and_every_list(void **state)
{
	const struct twist twist = {0};
	SB_AUTO(sb_inspection) report = inspect(*state, &twist, NULL);
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	sb_autofree char *json = NULL;
	static const char *const parts[] = {"\"schema\": 1", "\"dead_bytes\": 13",
		"\"platform\": \"linux/amd64\"", "\"runs_as_root\": true", "\"layers\": [",
		"\"cause\": \"deleted\"", "\"not_scanned\": []", "\"problems\": []",
		"\"removed_layer\": 3"};

	assert_int_equal(sb_inspection_json(report, &no_findings, &json, &err), 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_non_null(strstr(json, parts[i]));
}

#define IMAGE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IMAGE_TEST(removed_secret_is_shown_with_both_instructions),
		IMAGE_TEST(known_secret_is_found_and_never_shown),
		IMAGE_TEST(secret_of_another_image_is_not_found),
		IMAGE_TEST(escaped_label_is_searched_as_text),
		IMAGE_TEST(short_secrets_are_named_as_not_proven),
		IMAGE_TEST(user_is_looked_up_in_the_image),
		IMAGE_TEST(wrong_diff_id_is_a_problem),
		IMAGE_TEST(content_of_another_packing_than_the_media_type_is_a_problem),
		IMAGE_TEST(history_that_does_not_fit_is_not_shifted),
		IMAGE_TEST(missing_blob_is_a_problem_and_the_rest_is_read),
		IMAGE_TEST(missing_foreign_layer_is_not_scanned),
		IMAGE_TEST(changed_blob_is_a_problem),
		IMAGE_TEST(page_is_cut_to_its_width_and_escapes_control_bytes),
		IMAGE_TEST(json_has_its_schema_and_every_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
