/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/opened.h"
#include "base/mem.h"
#include "build/inventory.h"
#include "safebuild.h"

void sb_opened_release(struct sb_opened *o)
{
	sb_cache_free(o->cache);
	sb_snapshots_free(o->snapshots);
	sb_host_ids_release(&o->host);
	sb_session_release(&o->session);
}

int sb_opened_open(const char *root, struct sb_opened *o, struct sb_error *err)
{
	if (sb_userns_enter(&o->host, err) < 0 || sb_session_open(root, &o->session, err) < 0 ||
		sb_snapshots_open(o->session.store_fd, &o->host, &o->snapshots, err) < 0)
		return -1;
	return sb_cache_open(o->session.store_fd, o->snapshots, &o->cache, err);
}

static void export_list(struct sb_stored_list *list, struct sb_usage **out, size_t *out_len)
{
	struct sb_usage *usage = sb_calloc(list->len + 1, sizeof(*usage));

	for (size_t i = 0; i < list->len; i++) {
		struct sb_stored *item = &list->items[i];
		const char *end = item->kind == SB_STORED_BLOB    ? strchr(item->name, ':')
				  : item->kind == SB_STORED_OTHER ? NULL
								  : strchr(item->name, '/');

		usage[i] = (struct sb_usage){.kind = sb_stored_kind_name(item->kind),
			.id = sb_strdup(end != NULL ? end + 1 : ""),
			.text = item->kind == SB_STORED_OTHER ? sb_strdup(item->name)
							      : SB_STEAL(item->text),
			.size_bytes = item->size_bytes,
			.used_s = item->used_s,
			.is_shared = item->is_shared};
	}
	*out = usage;
	*out_len = list->len;
}

int sb_usage(const struct sb_store_options *options, struct sb_usage **out, size_t *out_len,
	uint64_t *out_total_bytes, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_opened) o = SB_OPENED_INIT;
	SB_AUTO_VALUE(sb_inventory) inventory = {0};

	if (sb_opened_open(options->root, &o, err) < 0 ||
		sb_inventory_take(o.session.store, o.snapshots, o.cache, &inventory, err) < 0)
		return -1;
	export_list(&inventory.items, out, out_len);
	*out_total_bytes = inventory.total_bytes;
	return 0;
}

void sb_usage_free(struct sb_usage *usage, size_t len)
{
	for (size_t i = 0; usage != NULL && i < len; i++) {
		free(usage[i].id);
		free(usage[i].text);
	}
	free(usage);
}

static int read_filter(const char *filter, struct sb_prune_limits *limits, struct sb_error *err)
{
	if (strncmp(filter, "id=", 3) == 0 && filter[3] != '\0') {
		limits->id = filter + 3;
		return 0;
	}
	for (int i = 0; strncmp(filter, "type=", 5) == 0 && i < SB_STORED_OTHER; i++) {
		if (strcmp(filter + 5, sb_stored_kind_name((enum sb_stored_kind)i)) != 0)
			continue;
		limits->kinds[i] = true;
		return 0;
	}
	(void)sb_fail(err, SB_E_USAGE, "unknown filter '%s'", filter);
	return sb_error_hint(err, "filters are type=layer, type=mount, type=blob and id=HEX");
}

int sb_prune(const struct sb_prune_options *options, struct sb_usage **out, size_t *out_len,
	uint64_t *out_bytes, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_opened) o = SB_OPENED_INIT;
	SB_AUTO_VALUE(sb_stored_list) removed = {0};
	struct sb_prune_limits limits = {.is_all = options->all,
		.older_than_s = options->older_than_s,
		.has_keep = options->has_keep_bytes,
		.keep_bytes = options->keep_bytes};

	for (const char *const *filter = options->filters; filter != NULL && *filter != NULL;
		filter++)
		if (read_filter(*filter, &limits, err) < 0)
			return -1;
	if (sb_opened_open(options->root, &o, err) < 0)
		return -1;
	limits.users_fd = o.session.users_fd;
	if (sb_inventory_prune(
		    o.session.store, o.snapshots, o.cache, &limits, &removed, out_bytes, err) < 0)
		return -1;
	export_list(&removed, out, out_len);
	return 0;
}
