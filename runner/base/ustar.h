/* SPDX-License-Identifier: MIT */
#ifndef SB_BASE_USTAR_H
#define SB_BASE_USTAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SB_TAR_BLOCK = 512 }; /* bytes; headers and contents fill whole blocks */

/*
 * The header of an entry of a tar archive (POSIX.1-2001, pax(1) "ustar Interchange Format"). Text
 * is padded with NULs, and needs none where it fills the field; numbers are octal digits that end
 * with a NUL.
 */
struct sb_ustar {
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
	char major[8];
	char minor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct sb_ustar) == SB_TAR_BLOCK, "a header is one block");

/* The type of an entry, of those that are written here. */
enum {
	SB_TAR_FILE = '0',
	SB_TAR_HARDLINK = '1',
	SB_TAR_SYMLINK = '2',
	SB_TAR_CHAR = '3',
	SB_TAR_BLOCK_DEVICE = '4',
	SB_TAR_FOLDER = '5',
	SB_TAR_FIFO = '6',
	SB_TAR_PAX = 'x',
};

/* A header of this type whose other fields are empty: mode, owner, size, time and device are 0. */
struct sb_ustar sb_ustar_new(char type);
/* The number's last size - 1 octal digits. */
void sb_ustar_put_octal(char *field, size_t size, uint64_t value);
/* Of a header that is complete but for it. */
void sb_ustar_put_checksum(struct sb_ustar *header);

/*
 * Is the block's checksum right? What no other kind of file has by chance. Some old programs summed
 * up signed characters: that is right, too.
 */
bool sb_ustar_has_valid_sum(const void *block);

#endif
