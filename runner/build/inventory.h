/* SPDX-License-Identifier: MIT */
#ifndef SB_BUILD_INVENTORY_H
#define SB_BUILD_INVENTORY_H

#include "base/array.h"
#include "build/cache.h"
#include "oci/layout.h"

/* What the store holds, and what of it can go. */
enum sb_stored_kind {
	SB_STORED_BLOB,
	SB_STORED_LAYER, /* unpacked: an image's, or what a step wrote */
	SB_STORED_MOUNT, /* a cache mount */
	SB_STORED_OTHER, /* records, the index, what running builds write */
};
enum { SB_N_STORED_KINDS = SB_STORED_OTHER + 1 };
/* "blob", "layer", … Static. */
const char *sb_stored_kind_name(enum sb_stored_kind kind);

struct sb_stored {
	enum sb_stored_kind kind;
	char *name; /* a layer's or mount's for sb_snapshots_remove, a blob's digest; owned */
	char *text; /* the instruction that made it, a mount's id; or ""; owned */
	uint64_t size_bytes;
	uint64_t blob_bytes; /* of a step's layer: of its blobs that no image needs */
	int64_t used_s;      /* seconds since 1970; 0: unknown */
	bool is_shared;      /* an image of the store consists of it */
};
SB_ARRAY_STRUCT(sb_stored_list, struct sb_stored);
void sb_stored_list_release(struct sb_stored_list *list);

struct sb_inventory {
	struct sb_stored_list items; /* the one that was used last comes last */
	uint64_t total_bytes;        /* as du -s counts the store's folder */
};
void sb_inventory_release(struct sb_inventory *inventory);
int sb_inventory_take(struct sb_layout *store, struct sb_snapshots *snapshots,
	struct sb_cache *cache, struct sb_inventory *out, struct sb_error *err) SB_MUST_USE;

/* Names of all records (hex digits of keys), sorted. */
int sb_inventory_records(
	struct sb_cache *cache, struct sb_strv *out, struct sb_error *err) SB_MUST_USE;

struct sb_prune_limits {
	bool is_all;                   /* also what images consist of, and cache mounts */
	bool kinds[SB_N_STORED_KINDS]; /* only these; none is true: all */
	const char *id;                /* only those whose digest begins so; or NULL */
	int64_t older_than_s;          /* only what was not used for so long; 0: all */
	bool has_keep;
	uint64_t keep_bytes; /* the ones used last stay, up to so much */
	/* Held shared by all who use the store: where nobody else does, young blobs can go too. */
	int users_fd;
};
/*
 * Removes what no running build holds. What could be made again from what stays is made again when
 * it is needed. *out_removed (may be partly filled on failure) is what went; *out_bytes how much
 * the store shrank by it, blobs that nothing needs any more included.
 */
int sb_inventory_prune(struct sb_layout *store, struct sb_snapshots *snapshots,
	struct sb_cache *cache, const struct sb_prune_limits *limits,
	struct sb_stored_list *out_removed, uint64_t *out_bytes, struct sb_error *err) SB_MUST_USE;

#endif
