/* SPDX-License-Identifier: MIT */
#include "layer/tar_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/ustar.h"
#include "layer/whiteout.h"

static const uint64_t MAX_OCTAL_7 = 07777777;      /* of an 8-byte field */
static const uint64_t MAX_OCTAL_11 = 077777777777; /* of a 12-byte field */

static void put_text(char *field, size_t size, const char *text, size_t len)
{
	memcpy(field, text, len < size ? len : size);
}

static size_t digits(size_t n)
{
	size_t count = 1;

	for (; n >= 10; n /= 10)
		count++;
	return count;
}

/* "LENGTH NAME=VALUE\n", where the length counts itself. */
static int add_record(struct sb_buf *pax, const char *prefix, const char *name, const void *value,
	size_t len, struct sb_error *err)
{
	const size_t rest = 1 + strlen(prefix) + strlen(name) + 1 + len + 1;
	size_t total = rest + digits(rest);

	if (digits(total) != digits(rest))
		total = rest + digits(total);
	if (sb_buf_addf(pax, err, "%zu %s%s=", total, prefix, name) < 0 ||
		sb_buf_add(pax, value, len, err) < 0)
		return -1;
	return sb_buf_add_char(pax, '\n', err);
}

static int add_number(struct sb_buf *pax, const char *name, int64_t value, struct sb_error *err)
{
	char text[32];
	const int len = snprintf(text, sizeof(text), "%" PRId64, value);

	return add_record(pax, "", name, text, (size_t)len, err);
}

/* Splits a name over 100 bytes at a slash, as ustar allows. */
static bool put_split_name(struct sb_ustar *header, const char *name, size_t len)
{
	size_t slash = len - 1 < sizeof(header->prefix) ? len - 1 : sizeof(header->prefix) + 1;

	while (slash-- > 1) {
		if (name[slash] != '/' || slash + 1 == len)
			continue;
		if (len - slash - 1 > sizeof(header->name))
			return false;
		put_text(header->prefix, sizeof(header->prefix), name, slash);
		put_text(header->name, sizeof(header->name), name + slash + 1, len - slash - 1);
		return true;
	}
	return false;
}

static int put_name(
	struct sb_ustar *header, struct sb_buf *pax, const char *name, struct sb_error *err)
{
	const size_t len = strlen(name);

	if (len > sizeof(header->name) && put_split_name(header, name, len))
		return 0;
	put_text(header->name, sizeof(header->name), name, len);
	return len > sizeof(header->name) ? add_record(pax, "", "path", name, len, err) : 0;
}

static int put_link(
	struct sb_ustar *header, struct sb_buf *pax, const char *link, struct sb_error *err)
{
	const size_t len = strlen(link);

	put_text(header->link, sizeof(header->link), link, len);
	return len > sizeof(header->link) ? add_record(pax, "", "linkpath", link, len, err) : 0;
}

static int put_number(char *field, size_t size, struct sb_buf *pax, const char *name, int64_t value,
	struct sb_error *err)
{
	const uint64_t max = size == 8 ? MAX_OCTAL_7 : MAX_OCTAL_11;
	const bool fits = value >= 0 && (uint64_t)value <= max;

	sb_ustar_put_octal(field, size, fits ? (uint64_t)value : 0);
	return fits ? 0 : add_number(pax, name, value, err);
}

static char type_of(const struct sb_change *change)
{
	if (change->kind == SB_CHANGE_DELETE)
		return SB_TAR_FILE;
	if (change->is_hardlink)
		return SB_TAR_HARDLINK;
	switch (change->mode & S_IFMT) {
	case S_IFDIR:
		return SB_TAR_FOLDER;
	case S_IFLNK:
		return SB_TAR_SYMLINK;
	case S_IFCHR:
		return SB_TAR_CHAR;
	case S_IFBLK:
		return SB_TAR_BLOCK_DEVICE;
	case S_IFIFO:
		return SB_TAR_FIFO;
	default:
		return SB_TAR_FILE;
	}
}

char *sb_tar_name(const struct sb_change *change)
{
	const char *slash = strrchr(change->path, '/');
	const char *base = slash != NULL ? slash + 1 : change->path;

	if (change->kind == SB_CHANGE_DELETE)
		return sb_asprintf("%.*s" SB_WHITEOUT_PREFIX "%s", (int)(base - change->path),
			change->path, base);
	return sb_asprintf("%s%s", change->path, S_ISDIR(change->mode) ? "/" : "");
}

static int fill(const struct sb_change *change, int64_t max_mtime, struct sb_ustar *header,
	struct sb_buf *pax, struct sb_error *err)
{
	sb_autofree char *name = sb_tar_name(change);
	const int64_t mtime = change->mtime < max_mtime ? change->mtime : max_mtime;

	*header = sb_ustar_new(type_of(change));
	sb_ustar_put_octal(header->mode, sizeof(header->mode), change->mode & 07777);
	if (S_ISCHR(change->mode) || S_ISBLK(change->mode)) {
		sb_ustar_put_octal(header->major, sizeof(header->major), major(change->rdev));
		sb_ustar_put_octal(header->minor, sizeof(header->minor), minor(change->rdev));
	}
	if (put_name(header, pax, name, err) < 0 ||
		put_number(header->uid, sizeof(header->uid), pax, "uid", change->uid, err) < 0 ||
		put_number(header->gid, sizeof(header->gid), pax, "gid", change->gid, err) < 0 ||
		put_number(header->size, sizeof(header->size), pax, "size", (int64_t)change->size,
			err) < 0 ||
		put_number(header->mtime, sizeof(header->mtime), pax, "mtime", mtime, err) < 0)
		return -1;
	if (change->link != NULL && put_link(header, pax, change->link, err) < 0)
		return -1;
	SB_ARRAY_FOREACH (&change->xattrs, attr)
		if (add_record(pax, "SCHILY.xattr.", attr->name, attr->value, attr->len, err) < 0)
			return -1;
	return 0;
}

static int add_padding(struct sb_buf *out, size_t len, struct sb_error *err)
{
	static const char zeros[SB_TAR_BLOCK];
	const size_t over = len % SB_TAR_BLOCK;

	return over != 0 ? sb_buf_add(out, zeros, SB_TAR_BLOCK - over, err) : 0;
}

/* The pax header is itself an entry; its name is for readers that know nothing of it. */
static int add_pax(const struct sb_buf *pax, struct sb_buf *out, struct sb_error *err)
{
	static const char name[] = "PaxHeaders/entry";
	struct sb_ustar header = sb_ustar_new(SB_TAR_PAX);

	put_text(header.name, sizeof(header.name), name, strlen(name));
	sb_ustar_put_octal(header.mode, sizeof(header.mode), 0644);
	sb_ustar_put_octal(header.size, sizeof(header.size), pax->len);
	sb_ustar_put_checksum(&header);
	if (sb_buf_add(out, &header, sizeof(header), err) < 0 ||
		sb_buf_add(out, pax->data, pax->len, err) < 0)
		return -1;
	return add_padding(out, pax->len, err);
}

int sb_tar_header(
	const struct sb_change *change, int64_t max_mtime, struct sb_buf *out, struct sb_error *err)
{
	SB_AUTO_BUF pax = SB_BUF_INIT(SB_MAX_TAR_RECORD);
	struct sb_ustar header;

	if (fill(change, max_mtime, &header, &pax, err) < 0 ||
		(pax.len > 0 && add_pax(&pax, out, err) < 0))
		return -1;
	sb_ustar_put_checksum(&header);
	return sb_buf_add(out, &header, sizeof(header), err);
}
