/* SPDX-License-Identifier: MIT */
#include "oci/tar_out.h"

#include <string.h>

#include "base/ustar.h"
#include "sys/transfer.h"

enum { RECORD = 20 * SB_TAR_BLOCK };

static int put(struct sb_tar_out *tar, const void *bytes, size_t len, struct sb_error *err)
{
	if (sb_transfer_write(tar->interrupt, tar->fd, bytes, len, err) < 0)
		return -1;
	tar->written += len;
	return 0;
}

static int pad_to(struct sb_tar_out *tar, size_t unit, struct sb_error *err)
{
	static const char zeros[RECORD];
	const size_t over = (size_t)(tar->written % unit);

	return over == 0 ? 0 : put(tar, zeros, unit - over, err);
}

static void put_size(struct sb_ustar *header, uint64_t size)
{
	if (size < UINT64_C(1) << 33) {
		sb_ustar_put_octal(header->size, sizeof(header->size), size);
		return;
	}
	header->size[0] = (char)0x80;
	for (size_t i = sizeof(header->size) - 1; i > 0; i--, size >>= 8)
		header->size[i] = (char)(size & 0xff);
}

static int put_header(struct sb_tar_out *tar, const char *name, char type, unsigned mode,
	uint64_t size, struct sb_error *err)
{
	struct sb_ustar header = sb_ustar_new(type);

	SB_BUG_ON(strlen(name) > sizeof(header.name));
	memcpy(header.name, name, strlen(name));
	sb_ustar_put_octal(header.mode, sizeof(header.mode), mode);
	put_size(&header, size);
	sb_ustar_put_checksum(&header);
	return put(tar, &header, sizeof(header), err);
}

int sb_tar_out_folder(struct sb_tar_out *tar, const char *name, struct sb_error *err)
{
	return put_header(tar, name, SB_TAR_FOLDER, 0755, 0, err);
}

int sb_tar_out_bytes(struct sb_tar_out *tar, const char *name, const void *bytes, size_t len,
	struct sb_error *err)
{
	if (put_header(tar, name, SB_TAR_FILE, 0644, len, err) < 0 || put(tar, bytes, len, err) < 0)
		return -1;
	return pad_to(tar, SB_TAR_BLOCK, err);
}

int sb_tar_out_file(
	struct sb_tar_out *tar, const char *name, int from, uint64_t size, struct sb_error *err)
{
	if (put_header(tar, name, SB_TAR_FILE, 0644, size, err) < 0 ||
		sb_transfer_range(tar->interrupt, from, 0, size, tar->fd, err) < 0)
		return -1;
	tar->written += size;
	return pad_to(tar, SB_TAR_BLOCK, err);
}

int sb_tar_out_end(struct sb_tar_out *tar, struct sb_error *err)
{
	static const char end[2 * SB_TAR_BLOCK];

	if (put(tar, end, sizeof(end), err) < 0)
		return -1;
	return pad_to(tar, RECORD, err);
}
