/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_INSPECT_H
#define SB_INSPECT_INSPECT_H

#include <sys/types.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "leak/pattern.h"
#include "leak/secrets.h"
#include "oci/image.h"
#include "sys/interrupt.h"

/*
 * Reads a finished image, layer by layer as streams: memory grows with the number of entries, never
 * with bytes.
 */

/* A file that was deleted, overwritten or hidden by a later layer, and is still in its own. */
struct sb_dead_file {
	char *path;
	size_t added_layer; /* index in layers */
	size_t removed_layer;
	const char *cause; /* "deleted", "overwritten", "hidden by a replaced folder", … static */
	uint64_t size_bytes;
	struct sb_digest digest;   /* of the content */
	bool is_visible_elsewhere; /* the final file system has the same content, maybe by another
				      name */
};

/* A known secret in the image. */
struct sb_secret_finding {
	char *secret_id;
	const char *form; /* static */
	char *where;      /* "layer 2: etc/secret.txt", "config: Env", "layer 2: name of …" */
	size_t layer;     /* index, or SIZE_MAX for config, manifest, annotations */
	uint64_t offset;
	char *path;           /* of the file in the layer; NULL elsewhere */
	char *inside;         /* as in leak/nested.h, or NULL */
	size_t removed_layer; /* SIZE_MAX: the file is visible, or it is no file */
};

/* A value that looks like a secret. Of one rule in one place the first is told, and how many
 * follow. */
struct sb_pattern_finding {
	const struct sb_pattern_rule *rule;
	char shown[24]; /* the issuer's mark and the length */
	char *where;    /* as above */
	size_t layer;
	char *path;
	char *inside;
	uint64_t offset;
	uint64_t line; /* or 0 */
	uint64_t n_more;
	size_t removed_layer; /* SIZE_MAX: the file is visible, or it is no file */
};

/* What a package manager left, that the image does not need. */
struct sb_cache_finding {
	const char *manager; /* "apt", "pip", …; static */
	char *path;          /* the folder, "var/lib/apt/lists" */
	size_t layer;        /* that holds it */
	uint64_t n_files;
	uint64_t live_bytes;
	uint64_t dead_bytes; /* deleted by a later layer: still downloaded */
};

/* A visible file that gives rights. */
struct sb_privileged_file {
	char *path;
	size_t layer;
	mode_t mode;
	uint32_t uid;
	uint32_t gid;
	char *capabilities; /* "cap_net_raw", or NULL */
};

enum sb_problem_kind {
	SB_PROBLEM_DIGEST, /* of a blob */
	SB_PROBLEM_SIZE,
	SB_PROBLEM_DIFF_ID,
	SB_PROBLEM_ORDER,   /* manifest, config and history do not agree about the layers */
	SB_PROBLEM_PACKING, /* the media type says one thing, the content another */
	SB_PROBLEM_ARCHIVE, /* no valid tar, or not of OCI's kind */
	SB_PROBLEM_MISSING, /* a blob that is not there */
	SB_PROBLEM_OTHER,   /* odd, but the image is what it claims to be */
};
struct sb_problem {
	enum sb_problem_kind kind;
	size_t layer; /* or SIZE_MAX */
	char *text;
};

/* What was not looked at. */
struct sb_gap {
	size_t layer; /* or SIZE_MAX */
	char *what;   /* a path, "layer 3", … */
	char *why;    /* a clause */
};

/*
 * An entry of a layer: for comparing images, and for looking around in one. A whiteout is one for
 * what it takes away, an opaque mark one for each thing in the folder that it takes away. A hard
 * link has type, size and digest of what it names.
 */
enum sb_file_change { SB_FILE_ADDED, SB_FILE_MODIFIED, SB_FILE_REMOVED };
struct sb_file_entry {
	char *path; /* cleaned; of a whiteout: what it takes away */
	char type;  /* as ls shows it: - d l b c p; of what is removed: what it was, or ? */
	enum sb_file_change change;
	bool is_metadata_only; /* modified, with the same content */
	mode_t mode;           /* permission bits and setuid, setgid, sticky */
	uint32_t uid;
	uint32_t gid;
	uint64_t size_bytes;
	char *link;              /* target of a symbolic or hard link, or NULL */
	struct sb_digest digest; /* of a regular file's content, unset otherwise */
	bool is_visible;         /* in the final file system */
	bool is_by_opaque;       /* removed, by an opaque mark */
	uint32_t major;          /* of a device */
	uint32_t minor;
	uint64_t attributes; /* a hash of the extended attributes, 0 for none: for comparing */
	/* The layer that took the name away or put something else there: the entry's own where it
	 * was never to be seen, SB_NEVER_GONE while it is visible. */
	uint32_t gone_layer;
	/* Where a regular file's content is, for sb_image_read_file: SB_NO_LAYER where it is in no
	 * layer (a hard link to nothing). */
	uint32_t content_layer;
	uint64_t content_offset;
};
#define SB_NEVER_GONE UINT32_MAX
#define SB_NO_LAYER UINT32_MAX

/* A setting of the config or the manifest. `field` is static: "Env", "Cmd", … */
struct sb_config_item {
	const char *field;
	char *key;   /* of a variable, label, port, …; NULL where the field has one value */
	char *value; /* for reading: lists as JSON, secrets masked */
	struct sb_digest digest; /* of the value itself, for comparing; not for showing */
};

struct sb_layer_report {
	struct sb_digest digest;
	struct sb_digest diff_id;
	char *media_type;
	uint64_t size_bytes; /* of the blob */
	uint64_t tar_bytes;
	uint64_t payload_bytes; /* of all regular files in it */
	uint64_t dead_bytes;    /* of those not visible in the final file system */
	uint64_t n_entries;
	uint64_t n_whiteouts;
	char *created_by; /* the instruction, or NULL where the history does not say */
	bool is_foreign;  /* not in the image, by its media type */
	SB_ARRAY(struct sb_file_entry) entries; /* in the archive's order */
};

struct sb_inspection {
	char *form;
	char *name;
	struct sb_digest manifest_digest;
	struct sb_platform platform;
	char *user; /* config's User, "" for root by default */
	bool runs_as_root;
	SB_ARRAY(struct sb_layer_report) layers;
	SB_ARRAY(struct sb_dead_file) dead;
	SB_ARRAY(struct sb_secret_finding) secrets;
	SB_ARRAY(struct sb_problem) problems;
	SB_ARRAY(struct sb_gap) gaps;
	uint64_t scanned_bytes;
	SB_ARRAY(struct sb_pattern_finding) patterns;
	SB_ARRAY(struct sb_cache_finding) caches;
	SB_ARRAY(struct sb_privileged_file) privileged;
	struct sb_strv shells;           /* visible programs, by path */
	struct sb_strv package_managers; /* the same */
	uint64_t n_files_scanned;
	uint64_t unpacked_bytes; /* of archives in files */
	uint64_t n_blobs_scanned;
	uint64_t visible_bytes; /* payload of the final file system */
	size_t n_secrets_searched;
	struct sb_strv secret_ids;
	SB_ARRAY(struct sb_config_item) config; /* by field, then by key */
	struct sb_digest config_digest;         /* of the whole config as stored */
};

/*
 * What is wrong with the image (a missing blob, a digest that does not fit) is in the report; an
 * error is only what leaves nothing to report. Every text in it is free of the secrets' values. In
 * texts layers count from 1, as on the page. Dead files of 0 bytes are not listed.
 */
int sb_inspect_image(struct sb_image *image, const struct sb_secrets *secrets,
	struct sb_inspection **out, struct sb_error *err) SB_MUST_USE;
/* The same, but without a search for what has the look of a secret: for proving that an image holds
 * none of the known ones. The interrupt (or NULL) ends it with SB_E_CANCELLED. */
int sb_inspect_known_secrets(struct sb_image *image, const struct sb_secrets *secrets,
	struct sb_interrupt *interrupt, struct sb_inspection **out,
	struct sb_error *err) SB_MUST_USE;
/* True where a problem is more than odd: the image is not, or not wholly, what it claims to be. */
bool sb_inspection_is_broken(const struct sb_inspection *inspection);
void sb_inspection_free(struct sb_inspection *inspection);
SB_DEFINE_FREEP(sb_inspection)

#endif
