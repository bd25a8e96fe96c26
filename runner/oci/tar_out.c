/* SPDX-License-Identifier: MIT */
#include "oci/tar_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sys/transfer.h"

enum { BLOCK = 512, RECORD = 20 * BLOCK };

/* POSIX ustar interchange format, pax(1). */
struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char device_major[8];
	char device_minor[8];
	char prefix[155];
	char unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

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

static void set_size(struct header *h, uint64_t size)
{
	if (size < UINT64_C(1) << 33) {
		(void)snprintf(h->size, sizeof(h->size), "%011" PRIo64, size);
		return;
	}
	h->size[0] = (char)0x80;
	for (size_t i = sizeof(h->size) - 1; i > 0; i--, size >>= 8)
		h->size[i] = (char)(size & 0xff);
}

static int put_header(struct sb_tar_out *tar, const char *name, char type, unsigned mode,
	uint64_t size, struct sb_error *err)
{
	struct header h = {.type = type, .version = {'0', '0'}};
	const unsigned char *bytes = (const unsigned char *)&h;
	unsigned sum = 0;

	SB_BUG_ON(strlen(name) > sizeof(h.name));
	memcpy(h.name, name, strlen(name));
	memcpy(h.magic, "ustar", sizeof(h.magic));
	(void)snprintf(h.mode, sizeof(h.mode), "%07o", mode & 0777);
	(void)snprintf(h.uid, sizeof(h.uid), "%07o", 0U);
	(void)snprintf(h.gid, sizeof(h.gid), "%07o", 0U);
	(void)snprintf(h.mtime, sizeof(h.mtime), "%011o", 0U);
	(void)snprintf(h.device_major, sizeof(h.device_major), "%07o", 0U);
	(void)snprintf(h.device_minor, sizeof(h.device_minor), "%07o", 0U);
	set_size(&h, size);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += bytes[i];
	(void)snprintf(h.checksum, sizeof(h.checksum), "%06o", sum & 0777777);
	return put(tar, &h, sizeof(h), err);
}

int sb_tar_out_folder(struct sb_tar_out *tar, const char *name, struct sb_error *err)
{
	return put_header(tar, name, '5', 0755, 0, err);
}

int sb_tar_out_bytes(struct sb_tar_out *tar, const char *name, const void *bytes, size_t len,
	struct sb_error *err)
{
	if (put_header(tar, name, '0', 0644, len, err) < 0 || put(tar, bytes, len, err) < 0)
		return -1;
	return pad_to(tar, BLOCK, err);
}

int sb_tar_out_file(
	struct sb_tar_out *tar, const char *name, int from, uint64_t size, struct sb_error *err)
{
	if (put_header(tar, name, '0', 0644, size, err) < 0 ||
		sb_transfer_range(tar->interrupt, from, 0, size, tar->fd, err) < 0)
		return -1;
	tar->written += size;
	return pad_to(tar, BLOCK, err);
}

int sb_tar_out_end(struct sb_tar_out *tar, struct sb_error *err)
{
	static const char end[2 * BLOCK];

	if (put(tar, end, sizeof(end), err) < 0)
		return -1;
	return pad_to(tar, RECORD, err);
}
