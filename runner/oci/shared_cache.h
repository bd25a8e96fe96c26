/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_SHARED_CACHE_H
#define SB_OCI_SHARED_CACHE_H

#include "oci/manifest.h"

/*
 * A build cache that lies in a registry or an image layout, in BuildKit's form (moby/buildkit,
 * cache/remotecache/v1/types): an image index or manifest that lists the blobs of layers, each with
 * its diff_id in the annotation containerd.io/uncompressed, and a config,
 *
 *	{"layers":  [{"blob": DIGEST, "parent": LAYER or -1, "annotations": {…}}, …],
 *	 "records": [{"digest": KEY, "layers": [{"layer": LAYER, "createdAt": TIME}],
 *	              "inputs": [[{"link": RECORD}]]}, …]}
 *
 * A "parent" that is left out is 0, as BuildKit writes it. The keys are ours (plan/key.h), and mean
 * nothing to BuildKit, as its own mean nothing to us. Beside its form stand, where it passes over
 * what it does not know, the annotations safebuild.tar-size and safebuild.compression-level of a
 * blob, and the member safebuild.content of a record that has no layer: the digest of the files
 * that the key stands for (build/from.h).
 */
#define SB_MEDIA_CACHE_CONFIG "application/vnd.buildkit.cacheconfig.v0"

/* No such layer or record. */
#define SB_SHARED_NONE SIZE_MAX

struct sb_shared_layer {
	struct sb_descriptor blob;
	struct sb_digest diff_id; /* unset: not said */
	uint64_t tar_bytes;       /* uncompressed; 0: not said */
	int level;                /* of the compression; 0: the format's own */
	size_t parent;            /* what it lies on; SB_SHARED_NONE */
};

struct sb_shared_record {
	struct sb_digest key;
	size_t layer;             /* SB_SHARED_NONE where it has none … */
	char *created;            /* RFC 3339; owned; NULL without a layer */
	struct sb_digest content; /* … but perhaps this */
	size_t input;             /* the record of the step before, or SB_SHARED_NONE */
};

struct sb_shared_cache {
	SB_ARRAY(struct sb_shared_layer) layers;
	SB_ARRAY(struct sb_shared_record) records;
};
void sb_shared_cache_release(struct sb_shared_cache *cache);

/* Puts layers and records in an order that depends on nothing but what they are. */
void sb_shared_cache_sort(struct sb_shared_cache *cache);
/* The config's JSON. */
int sb_shared_cache_write_config(
	const struct sb_shared_cache *cache, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;

enum sb_shared_form {
	SB_SHARED_MANIFEST, /* an OCI image manifest, which every registry takes */
	SB_SHARED_INDEX,    /* an OCI index: the older form */
	SB_SHARED_LIST,     /* the same as a Docker manifest list, with Docker's media types */
};
/* The document that lists the blobs and the config; *out_type (static) is its media type. */
int sb_shared_cache_write(const struct sb_shared_cache *cache, enum sb_shared_form form,
	const struct sb_descriptor *config, struct sb_buf *out, const char **out_type,
	struct sb_error *err) SB_MUST_USE;

/* Reads that document: the blobs, each once, and the config. SB_E_UNSUPPORTED for an image that is
 * no cache. */
int sb_shared_cache_parse(const char *json, size_t len, struct sb_descriptors *out_blobs,
	struct sb_descriptor *out_config, struct sb_error *err) SB_MUST_USE;
/*
 * Reads the config. Layers whose blob is not listed keep an unset digest. Records are sorted by
 * key, one a key; those that BuildKit wrote are there too. SB_E_INTEGRITY for what does not have
 * the form: numbers out of range, layers that lie on themselves, times that are none.
 */
int sb_shared_cache_parse_config(const char *json, size_t len, const struct sb_descriptors *blobs,
	struct sb_shared_cache *out, struct sb_error *err) SB_MUST_USE;
/* In sorted records; NULL where there is none. Borrowed. */
const struct sb_shared_record *sb_shared_cache_find(
	const struct sb_shared_cache *cache, const struct sb_digest *key);

#endif
