/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "inspect/layer_private.h"
#include "inspect/notes.h"

/* Of all layers together; each entry takes some 400 bytes of memory. */
enum { MAX_NAMES = 2 << 20, MAX_ENTRIES = 2 << 20 };

static const char whiteout_prefix[] = ".wh.";
static const char opaque_name[] = ".wh..wh..opq";
static const char aufs_prefix[] = ".wh..wh.";

static const char cause_mark[] = "the content of a mark, which is never shown";
static const char cause_aufs[] = "in what aufs left, which is never shown";
static const char cause_kind[] = "of a kind that is never shown";
static const char cause_name[] = "its name can't be used, so it is never shown";

/* One entry's reading. */
struct reading {
	struct sb_layer_reading *r;
	const struct sb_tar_entry *tar;
	char *path; /* cleaned */
	char *name; /* its last part */
	bool is_usable;
	size_t content; /* number in the file system, or SB_NO_CONTENT */
};

static void add_problem(const struct reading *e, const char *what)
{
	sb_report_problem(e->r->in->report, SB_PROBLEM_ARCHIVE, e->r->layer, e->path, "%s", what);
}

static struct sb_file_entry *entry_of(const struct sb_inspector *in, const struct sb_name *name)
{
	return name->entry == SB_NO_ENTRY
		       ? NULL
		       : &in->report->layers.items[name->layer].entries.items[name->entry];
}

static uint32_t next_number(const struct reading *e)
{
	return (uint32_t)e->r->report->entries.len;
}

/* Searching what names the entry: first each part, so that the finding says which. */
static bool search_part(const struct reading *e, const char *what, const void *bytes, size_t len)
{
	sb_autofree char *where =
		sb_asprintf("layer %zu: %s of %s", e->r->layer + 1, what, e->path);
	const struct sb_place place = {e->r->layer, where, e->path};

	return sb_sweep_value(e->r->in->sweep, &place, NULL, bytes, len);
}

static void search_parts(const struct reading *e)
{
	struct sb_inspector *in = e->r->in;
	bool found = search_part(e, "name", e->tar->path, strlen(e->tar->path));

	if (e->tar->link != NULL)
		found |= search_part(e, "link target", e->tar->link, strlen(e->tar->link));
	SB_ARRAY_FOREACH (&e->tar->attributes, attribute) {
		sb_autofree char *what = sb_asprintf("attribute %s", attribute->name);

		found |= search_part(e, "attribute name", attribute->name, strlen(attribute->name));
		found |= search_part(e, what, attribute->value, attribute->len);
	}
	in->has_found_in_names |= found;
}

static bool search_region(const struct reading *e, const struct sb_tar_region *region)
{
	sb_autofree char *where =
		sb_asprintf("layer %zu: tar header or padding of %s", e->r->layer + 1, e->path);
	const struct sb_place place = {e->r->layer, where, e->path};

	return region->len > 0 &&
	       sb_sweep_raw(e->r->in->sweep, &place, region->offset, region->bytes, region->len);
}

static bool has_parent_part(const char *name)
{
	for (const char *p = name; (p = strstr(p, "..")) != NULL; p += 2)
		if ((p == name || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

/* An entry's name is searched as it stands in the archive, before it is cleaned. */
static void take_name(struct reading *e)
{
	const char *name = e->tar->path;

	e->is_usable = name[0] != '\0' && strlen(name) < SB_MAX_PATH;
	if (!e->is_usable) {
		e->path = sb_strdup("(unreadable name)");
		add_problem(e, name[0] == '\0' ? "an entry without a name"
					       : "its name is too long for a file system");
	} else {
		e->path = sb_path_below_root(name);
	}
	e->name = sb_path_base(e->path);
	if (!e->is_usable)
		return;
	if (has_parent_part(name))
		add_problem(e, "its name in the archive has '..' in it");
	else if (strcmp(e->path, ".") == 0 && e->tar->type != '5')
		add_problem(e, "the root itself, and no folder");
	e->is_usable = strcmp(e->path, ".") != 0 || e->tar->type == '5';
}

static bool has_room(struct sb_layer_reading *r)
{
	if (sb_filesystem_names(r->in->fs) < MAX_NAMES && r->in->n_entries < MAX_ENTRIES)
		return true;
	if (!r->in->is_full)
		sb_report_gap(r->in->report, r->layer, NULL,
			"there are too many entries: they are searched, but not listed from here "
			"on");
	r->in->is_full = true;
	return false;
}

static bool is_same_link(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The content is the same, or there is none; what was there before may be what lower layers had. */
static bool is_same(const struct sb_file_entry *a, const struct sb_file_entry *b)
{
	if (a == NULL || a->type != b->type)
		return false;
	if (a->type == 'l')
		return is_same_link(a->link, b->link);
	return a->type != '-' || (a->size_bytes == b->size_bytes && sb_digest_is_set(&a->digest) &&
					 sb_digest_equal(&a->digest, &b->digest));
}

/* Says what the entry does to what is there, which must be asked before it is done. */
static void set_change(const struct reading *e, struct sb_file_entry *entry)
{
	struct sb_name before;

	entry->change = SB_FILE_ADDED;
	if (!sb_filesystem_find(e->r->in->fs, e->path, &before))
		return;

	const struct sb_file_entry *old = entry_of(e->r->in, &before);

	if (old == NULL)
		return;
	/* A second entry of one path does what the first one did. */
	entry->change = before.layer == e->r->layer ? old->change : SB_FILE_MODIFIED;
	entry->is_metadata_only = entry->change == SB_FILE_MODIFIED &&
				  before.layer != e->r->layer && is_same(old, entry);
}

/* FNV-1a. */
static uint64_t add_hash(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

/* In whatever order the archive has them. */
static uint64_t hash_attributes(const struct sb_tar_entry *tar)
{
	uint64_t sum = 0;

	SB_ARRAY_FOREACH (&tar->attributes, attribute) {
		const uint64_t hash = add_hash(
			0xcbf29ce484222325ULL, attribute->name, strlen(attribute->name) + 1);

		sum += add_hash(hash, attribute->value, attribute->len) | 1;
	}
	return sum;
}

static struct sb_file_entry *add_entry(const struct reading *e, char type)
{
	struct sb_file_entry *entry = SB_ARRAY_ADD(&e->r->report->entries);

	e->r->in->n_entries++;
	entry->path = sb_strdup(e->path);
	entry->type = type;
	entry->mode = e->tar->mode;
	entry->uid = e->tar->uid;
	entry->gid = e->tar->gid;
	entry->link = sb_strdup_or_null(e->tar->link);
	entry->major = e->tar->major;
	entry->minor = e->tar->minor;
	entry->attributes = hash_attributes(e->tar);
	entry->gone_layer = SB_NEVER_GONE;
	entry->content_layer = type == '-' ? (uint32_t)e->r->layer : SB_NO_LAYER;
	entry->content_offset = sb_tar_reader_header(e->r->tar).offset;
	return entry;
}

static struct sb_file_entry *add_removed(const struct reading *e, const char *path, char type)
{
	struct sb_file_entry *entry = SB_ARRAY_ADD(&e->r->report->entries);

	entry->path = sb_strdup(path);
	entry->type = type;
	entry->change = SB_FILE_REMOVED;
	entry->gone_layer = (uint32_t)e->r->layer;
	entry->content_layer = SB_NO_LAYER;
	return entry;
}

struct opaque {
	const struct reading *e;
	const char *folder;
};

static void on_removed(void *self, const char *name, char type)
{
	const struct opaque *opaque = self;
	sb_autofree char *path = sb_path_join(opaque->folder, name);

	add_removed(opaque->e, path, type)->is_by_opaque = true;
}

static void whiteout(const struct reading *e, const char *folder, const char *name)
{
	struct sb_name before = {.type = '?', .was = '?'};
	sb_autofree char *target = sb_path_join(folder, name);
	const bool is_there = sb_filesystem_find(e->r->in->fs, target, &before);

	(void)add_removed(
		e, target, before.layer == e->r->layer && is_there ? before.was : before.type);
	if (!sb_filesystem_whiteout(e->r->in->fs, target))
		sb_report_problem(e->r->in->report, SB_PROBLEM_OTHER, e->r->layer, e->path,
			"a whiteout of what no lower layer has");
}

static void read_mark(const struct reading *e)
{
	const char *name = e->name + sizeof(whiteout_prefix) - 1;
	sb_autofree char *folder = sb_path_dir(e->path);
	struct opaque opaque = {e, folder};

	if (strcmp(e->name, opaque_name) == 0) {
		e->r->report->n_whiteouts++;
		sb_filesystem_opaque(e->r->in->fs, folder, on_removed, &opaque);
		return;
	}
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		add_problem(e, "a whiteout that names nothing");
		return;
	}
	e->r->report->n_whiteouts++;
	whiteout(e, folder, name);
}

/* `.wh..wh.plnk` and the like, and what is in them. */
static bool is_left_by_aufs(const struct reading *e)
{
	const size_t n = sizeof(aufs_prefix) - 1;

	for (const char *p = e->path; p != NULL; p = strchr(p, '/')) {
		p += p[0] == '/';
		if (strncmp(p, aufs_prefix, n) == 0 && strcmp(p, opaque_name) != 0)
			return true;
	}
	return false;
}

static bool is_mark(const struct reading *e)
{
	return strncmp(e->name, whiteout_prefix, sizeof(whiteout_prefix) - 1) == 0;
}

/* The etc file that this is a copy of worth keeping, or NULL. */
static struct sb_id_file *id_file_of(const struct reading *e)
{
	struct sb_id_file *file = NULL;

	if (strcmp(e->path, "etc/passwd") == 0)
		file = &e->r->in->passwd;
	else if (strcmp(e->path, "etc/group") == 0)
		file = &e->r->in->group;
	return file != NULL && e->tar->real_bytes <= SB_MAX_PASSWD ? file : NULL;
}

static int read_content(
	struct reading *e, struct sb_buf *keep, struct sb_digest *out, struct sb_error *err)
{
	sb_autofree char *where = sb_asprintf("layer %zu: %s", e->r->layer + 1, e->path);
	const struct sb_place place = {e->r->layer, where, e->path};

	e->r->report->payload_bytes += e->tar->stored_bytes;
	e->r->in->report->n_files_scanned++;
	return sb_layer_read_content(e->r, e->tar, &place, keep, out, err);
}

/* What is in the archive, and in no file that anybody sees. */
static int read_hidden(struct reading *e, const char *cause, struct sb_error *err)
{
	struct sb_digest digest;
	const uint32_t number = next_number(e);

	if (e->tar->stored_bytes == 0)
		return 0;
	if (read_content(e, NULL, &digest, err) < 0)
		return -1;
	if (e->r->in->is_full)
		return 0;

	struct sb_file_entry *entry = add_entry(e, '-');

	entry->size_bytes = e->tar->stored_bytes;
	entry->digest = digest;
	entry->gone_layer = (uint32_t)e->r->layer;
	e->content = sb_filesystem_add_hidden(e->r->in->fs, number, e->tar->stored_bytes, cause);
	return 0;
}

static int read_file(struct reading *e, struct sb_error *err)
{
	struct sb_id_file *file = id_file_of(e);
	const uint32_t number = next_number(e);
	struct sb_digest digest;

	if (file != NULL) {
		sb_buf_clear(&file->text);
		file->content = SB_NO_CONTENT;
	}
	if (read_content(e, file != NULL ? &file->text : NULL, &digest, err) < 0)
		return -1;

	struct sb_file_entry *entry = add_entry(e, '-');

	entry->size_bytes = e->tar->stored_bytes;
	entry->digest = digest;
	set_change(e, entry);
	e->content = sb_filesystem_add_file(
		e->r->in->fs, e->path, number, e->tar->stored_bytes, entry->is_metadata_only);
	if (file != NULL)
		file->content = e->content;
	return 0;
}

static void read_hard_link(struct reading *e)
{
	struct sb_filesystem *fs = e->r->in->fs;
	sb_autofree char *target = sb_path_below_root(e->tar->link);
	const uint32_t number = next_number(e);
	struct sb_name first = {.content = SB_NO_CONTENT};
	const bool is_there = sb_filesystem_find(fs, target, &first) && first.type != 'd';
	struct sb_file_entry *entry = add_entry(e, is_there ? first.type : '-');
	const struct sb_file_entry *old = is_there ? entry_of(e->r->in, &first) : NULL;

	entry->content_layer = SB_NO_LAYER;
	if (old != NULL) {
		entry->size_bytes = old->size_bytes;
		entry->digest = old->digest;
		entry->content_layer = old->content_layer;
		entry->content_offset = old->content_offset;
	}
	set_change(e, entry);
	if (!sb_filesystem_add_hard_link(fs, e->path, number, target, entry->is_metadata_only))
		add_problem(e, "a hard link to a file that is not there");
	e->content = first.content;
}

static char type_char(char tar_type)
{
	static const char kinds[] = "-hlcbdp";

	return kinds[tar_type - '0'];
}

static void read_other(struct reading *e)
{
	const uint32_t number = next_number(e);
	const char type = type_char(e->tar->type);

	set_change(e, add_entry(e, type));
	if (type == 'd')
		sb_filesystem_add_folder(e->r->in->fs, e->path, number);
	else
		sb_filesystem_add_other(e->r->in->fs, e->path, number, type);
	if (type == 'c' && e->tar->major == 0 && e->tar->minor == 0)
		add_problem(e, "a whiteout of overlayfs, which is not OCI");
}

static void look_at_attributes(const struct reading *e)
{
	SB_ARRAY_FOREACH (&e->tar->attributes, attribute) {
		if (strcmp(attribute->name, "trusted.overlay.opaque") == 0 ||
			strcmp(attribute->name, "user.overlay.opaque") == 0)
			add_problem(e, "marked opaque by an overlay attribute, which is not OCI");
		if (strcmp(attribute->name, "security.capability") == 0 && e->tar->type == '0')
			sb_inspector_add_capabilities(e->r->in, e->r->layer, next_number(e),
				attribute->value, attribute->len);
	}
}

static int read_by_kind(struct reading *e, struct sb_error *err)
{
	const char type = e->tar->type;

	if (!e->is_usable)
		return read_hidden(e, cause_name, err);
	if (is_left_by_aufs(e)) {
		add_problem(e, "left by aufs, which is not OCI");
		return read_hidden(e, cause_aufs, err);
	}
	if (is_mark(e)) {
		read_mark(e);
		/* Such an entry should be empty: what it holds all the same is searched. */
		return read_hidden(e, cause_mark, err);
	}
	if (type < '0' || type > '6') {
		sb_report_problem(e->r->in->report, SB_PROBLEM_ARCHIVE, e->r->layer, e->path,
			"an entry of a kind (0x%02x) that is not OCI", (unsigned char)type);
		return read_hidden(e, cause_kind, err);
	}
	look_at_attributes(e);
	if (type == '0')
		return read_file(e, err);
	if (type == '1')
		read_hard_link(e);
	else
		read_other(e);
	return 0;
}

/* What is found in a second entry of one name counts with what the first one held. */
static void wait_for_namesake(const struct reading *e)
{
	struct sb_name before;

	if (sb_contents_collect(e->r->in->contents) &&
		sb_filesystem_find(e->r->in->fs, e->path, &before) && before.layer == e->r->layer)
		(void)sb_contents_settle(e->r->in->contents);
}

/* Not to find again in the padding what the content has. */
static void search_padding(const struct reading *e, const struct sb_tar_region *padding,
	size_t *n_secrets, size_t *n_patterns)
{
	if (padding->len == 0)
		return;

	const struct sb_report_place shift = sb_contents_settle(e->r->in->contents);

	*n_secrets += shift.secret;
	*n_patterns += shift.pattern;
	(void)search_region(e, padding);
}

int sb_layer_read_entry(
	struct sb_layer_reading *r, const struct sb_tar_entry *tar, struct sb_error *err)
{
	struct reading e = {.r = r, .tar = tar, .content = SB_NO_CONTENT};
	const struct sb_tar_region header = sb_tar_reader_header(r->tar);
	struct sb_tar_region padding = {0};

	r->report->n_entries++;
	sb_sweep_begin_entry(r->in->sweep);
	take_name(&e);
	wait_for_namesake(&e);

	size_t n_secrets = r->in->report->secrets.len;
	size_t n_patterns = r->in->report->patterns.len;

	if (tar->oddity != NULL)
		add_problem(&e, tar->oddity);
	search_parts(&e);
	(void)search_region(&e, &header);

	int rc = has_room(r) ? read_by_kind(&e, err) : read_hidden(&e, cause_name, err);

	if (rc == 0)
		rc = sb_tar_reader_padding(r->tar, &padding, err);
	if (rc == 0)
		search_padding(&e, &padding, &n_secrets, &n_patterns);
	sb_inspector_set_contents(r->in, n_secrets, n_patterns, e.content);
	sb_contents_end_entry(r->in->contents, e.content);
	free(e.path);
	free(e.name);
	return rc;
}
