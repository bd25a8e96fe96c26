/* SPDX-License-Identifier: MIT */
#include "build/cache_mounts.h"

#include <string.h>
#include <unistd.h>

#include "api/opened.h"
#include "base/mem.h"
#include "build/destination.h"
#include "build/events.h"
#include "safebuild.h"
#include "sys/fd.h"

/* All that one of the two calls owns. */
struct moving {
	struct sb_opened opened;
	struct sb_secrets *secrets;
	struct sb_scanner *scanner;
	struct sb_content_search *search;
	struct sb_events events;
	struct sb_strv warnings;
};

static void moving_release(struct moving *m)
{
	sb_events_release(&m->events);
	sb_content_search_free(m->search);
	sb_scanner_free(m->scanner);
	sb_opened_release(&m->opened);
	sb_secrets_free(m->secrets);
	sb_strv_release(&m->warnings);
}
#define MOVING_INIT \
	{ \
		.opened = SB_OPENED_INIT \
	}

static struct sb_cache_mounts mounts_of(struct moving *m)
{
	return (struct sb_cache_mounts){.store = m->opened.session.store,
		.snapshots = m->opened.snapshots,
		.host = &m->opened.host,
		.interrupt = m->opened.session.interrupt,
		.search = m->search,
		.warnings = &m->warnings};
}

static void tell_warnings(struct moving *m)
{
	for (size_t i = 0; i < m->warnings.len; i++)
		sb_events_warn(&m->events, m->warnings.items[i], NULL);
}

/* By the beginning of its digest, or by its id as a Buildfile has it. */
static bool is_meant(const struct sb_stored *item, const char *id)
{
	const size_t len = strcspn(item->text, "|");

	return strncmp(item->name + strlen("cache/"), id, strlen(id)) == 0 ||
	       (strlen(id) == len && strncmp(item->text, id, len) == 0);
}

static int choose(const struct sb_stored_list *items, const char *const *ids, struct sb_strv *out,
	struct sb_error *err)
{
	for (; ids != NULL && *ids != NULL; ids++) {
		const size_t before = out->len;

		SB_ARRAY_FOREACH (items, item)
			if (item->kind == SB_STORED_MOUNT && is_meant(item, *ids) &&
				!sb_strv_contains(out, item->name))
				sb_strv_add(out, item->name);
		if (out->len > before)
			continue;
		(void)sb_fail(err, SB_E_NOT_FOUND, "there is no cache mount '%s'", *ids);
		return sb_error_hint(err, "'safebuild cache' lists them");
	}
	return 0;
}

static int find(struct moving *m, const char *const *ids, struct sb_strv *out, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_inventory) inventory = {0};

	if (sb_inventory_take(m->opened.session.store, m->opened.snapshots, m->opened.cache,
		    &inventory, err) < 0)
		return -1;
	if (ids != NULL && *ids != NULL)
		return choose(&inventory.items, ids, out, err);
	SB_ARRAY_FOREACH (&inventory.items, item)
		if (item->kind == SB_STORED_MOUNT)
			sb_strv_add(out, item->name);
	sb_strv_sort(out);
	return out->len > 0 ? 0 : sb_fail(err, SB_E_NOT_FOUND, "the store has no cache mounts");
}

static int write_archive(struct moving *m, const struct sb_strv *names,
	const struct sb_destination *to, struct sb_error *err)
{
	const struct sb_cache_mounts mounts = mounts_of(m);
	SB_AUTO_VALUE(sb_named_images) images = {0};
	struct sb_named_image *image = SB_ARRAY_ADD(&images);

	if (sb_cache_mounts_write(&mounts, names, &image->manifest, err) < 0)
		return -1;

	const int rc = sb_image_write_oci_archive(m->opened.session.store, &images, to->fd, err);

	sb_cache_mounts_clean(&mounts, &image->manifest);
	return rc;
}

static int export(struct moving *m, const struct sb_cache_mounts_export *o, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_destination) to = SB_DESTINATION_INIT;
	SB_AUTO_STRV names = SB_STRV_INIT;
	uint64_t bytes = 0;

	if (sb_session_read_secrets(o->secrets, o->n_secrets, &m->secrets, err) < 0)
		return -1;
	sb_events_init(&m->events, o->on_event, o->event_data);
	sb_events_hide(&m->events, m->secrets);
	if (sb_destination_open(o->dest != NULL ? o->dest : "-", false, &to, err) < 0 ||
		sb_opened_open(o->root, &m->opened, err) < 0 || find(m, o->ids, &names, err) < 0)
		return -1;
	m->scanner = sb_scanner_new(m->secrets);
	m->search = sb_content_search_new(m->scanner);
	if (write_archive(m, &names, &to, err) < 0)
		return -1;
	tell_warnings(m);
	return sb_destination_finish(&to, m->opened.session.interrupt, &bytes, err);
}

int sb_export_cache_mounts(const struct sb_cache_mounts_export *options, struct sb_error *err)
{
	__attribute__((cleanup(moving_release))) struct moving m = MOVING_INIT;
	const int rc = export(&m, options, err);

	if (rc < 0)
		sb_session_redact_error(m.secrets, err);
	return rc;
}

static int import(struct moving *m, int fd, struct sb_strv *keys, struct sb_error *err)
{
	const struct sb_cache_mounts mounts = mounts_of(m);
	const struct sb_image_open_options open = {
		.tmp_dir_fd = m->opened.session.store_fd, .interrupt = m->opened.session.interrupt};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	SB_AUTO(sb_image) image = NULL;

	if (sb_image_open_fd(fd, &open, &image, err) < 0 ||
		sb_image_copy_to_layout(image, m->opened.session.store, &d, err) < 0)
		return -1;

	const int rc = sb_cache_mounts_read(&mounts, image, keys, err);

	sb_cache_mounts_clean(&mounts, &d);
	return rc;
}

int sb_import_cache_mounts(const struct sb_store_options *options, const char *input,
	char ***out_ids, size_t *out_len, struct sb_error *err)
{
	__attribute__((cleanup(moving_release))) struct moving m = MOVING_INIT;
	const bool is_stdin = strcmp(input, "-") == 0;
	SB_AUTO_STRV keys = SB_STRV_INIT;
	sb_autofd int fd = -1;

	sb_events_init(&m.events, options->on_event, options->event_data);
	if ((is_stdin ? sb_fd_dup(STDIN_FILENO, &fd, err)
		      : sb_fd_open_user(input, "archive of cache mounts", &fd, err)) < 0 ||
		sb_opened_open(options->root, &m.opened, err) < 0)
		return -1;
	if (import(&m, fd, &keys, err) < 0)
		return sb_error_context(err, "'%s'", is_stdin ? "standard input" : input);
	tell_warnings(&m);
	*out_ids = sb_calloc(keys.len + 1, sizeof(char *));
	*out_len = keys.len;
	for (size_t i = 0; i < keys.len; i++)
		(*out_ids)[i] = sb_memdup0(keys.items[i], strcspn(keys.items[i], "|"));
	return 0;
}
