/* SPDX-License-Identifier: MIT */
#ifndef SAFEBUILD_H
#define SAFEBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "safebuild/compare.h"
#include "safebuild/error.h"
#include "safebuild/event.h"
#include "safebuild/explore.h"
#include "safebuild/lint.h"
#include "safebuild/plan.h"

/*
 * The library behind the command line. Every option struct starts with its own size and has an
 * initialiser, so that it can grow. Strings in options are borrowed for the length of the call.
 * NULL or 0 means the documented default.
 *
 * A call that works on the store takes the process into namespaces of its own (see
 * runner/README.md, "Processes"): it must be made before the process has threads, and a process
 * makes calls on one store only. Out of memory ends the process.
 */

#define SB_VERSION "0.1.0"

/* One --secret. Exactly one of src and env is set, or neither: then the environment variable or
 * file called id. */
struct sb_secret_option {
	const char *id;
	const char *src; /* a file, FIFO or /dev/fd/N */
	const char *env; /* an environment variable's name */
	bool rekey; /* steps that mount it run again when its value changes: a digest of it, keyed
		       by the store, is part of their keys */
};

/* One --ssh: what RUN --mount=type=ssh,id=ID gets. */
struct sb_ssh_option {
	const char *id;
	/* NULL-terminated; NULL or empty: the agent of $SSH_AUTH_SOCK. Else one socket, or key
	 * files, for which an agent is started for the time of the build. */
	const char *const *paths;
	bool is_raw; /* bytes are passed on unread: for a socket that is no ssh agent's */
};

enum sb_output_type {
	SB_OUTPUT_STORE,
	SB_OUTPUT_OCI,
	SB_OUTPUT_DOCKER,
	SB_OUTPUT_TAR,
	SB_OUTPUT_LOCAL,
	SB_OUTPUT_REGISTRY
};

/* One --output. */
struct sb_output_option {
	enum sb_output_type type;
	const char *dest; /* file or folder; "-" is stdout; not for STORE and REGISTRY */
	bool is_folder;   /* OCI: a layout folder instead of an archive (tar=false) */
	const char *name; /* image name in the output; NULL: the first tag. STORE: one more tag;
			     REGISTRY: where to, several with commas; NULL: all tags */
	const char *compression; /* "gzip" (default), "zstd", "uncompressed" */
	int compression_level;   /* 0: the format's default */
	bool force_compression;  /* also for layers of the base */
	bool has_attestation;    /* OCI, REGISTRY: the record of verify goes with the image, in one
				    index */
};

/* One --cache-from or --cache-to: a build cache in BuildKit's form, in a folder that is an OCI
 * image layout, or in a registry. */
struct sb_cache_option {
	bool is_folder;
	const char *where;  /* the folder, or the reference */
	const char *tag;    /* of a folder: the cache's name in it; NULL: "latest" */
	const char *digest; /* from a folder: the manifest, in place of a name; or NULL */
	/* Of --cache-to. */
	bool has_all;            /* mode=max: also of stages that are no part of the image */
	bool is_index;           /* an index, not an image manifest, lists the layers */
	bool is_docker;          /* the same with Docker's media types */
	const char *compression; /* of the layers there; NULL: as in the image */
	int compression_level;   /* 0: the format's default */
	bool ignores_error;      /* a failure is a warning */
};

struct sb_build_options {
	size_t size;
	const char *root;    /* the store; NULL: $SAFEBUILD_ROOT, then $XDG_DATA_HOME/safebuild,
				~/.local/share/safebuild */
	const char *context; /* folder; default "."; "-" is a tar or Buildfile on stdin; or the URL
				of such, or of a git repository */
	const char
		*buildfile; /* default: Buildfile, then Dockerfile in the context; "-" is stdin */
	const char *target;
	/* NULL-terminated; several: the image is built for each of them, and is an index of these
	 * images. None, or NULL: this machine's. */
	const char *const *platforms;
	const char *network;               /* "default", "none", "host" */
	const char *shm_size;              /* e.g. "64m" */
	const char *const *tags;           /* NULL-terminated lists, each may be NULL */
	const char *const *build_args;     /* "K=V", or "K" for the environment's value */
	const char *const *build_contexts; /* "NAME=VALUE" */
	const char *const *labels;         /* "K=V" */
	const char *const *add_hosts;      /* "NAME:IP" or "NAME=IP" */
	const struct sb_secret_option *secrets;
	size_t n_secrets;
	const struct sb_ssh_option *ssh;
	size_t n_ssh;
	const struct sb_output_option *outputs; /* none: the store */
	size_t n_outputs;
	/* Asked in this order for steps that the store does not have. What can't be read is a
	 * warning. */
	const struct sb_cache_option *cache_from;
	size_t n_cache_from;
	/* Written when the image is. */
	const struct sb_cache_option *cache_to;
	size_t n_cache_to;
	const char *iidfile;
	const char *metadata_file;
	/* Read the finished image back and search all of it, base layers too, for the secrets: one
	 * that holds any gets no name and goes nowhere. The record of it is written to
	 * verification_file (which asks for it too), else beside each output that is a file. */
	bool verify;
	const char *verification_file;
	const char *auth_file;     /* credentials for registries; NULL: where docker and podman keep
				      them */
	int64_t source_date_epoch; /* -1: $SOURCE_DATE_EPOCH, then the time of the build */
	bool strict;               /* no_new_privs for every step */
	bool no_cache;             /* run every step */
	const char *const *no_cache_filter; /* run every step of these stages */
	unsigned n_jobs;                    /* stages that are built at a time; 0: one for each
					       processor, at least 2 */
	bool pull;                          /* ask the registry also where the store has the name */
	bool push;                          /* as one more output, of type REGISTRY, to all tags */
	bool squash;                        /* the layers that are put on the base become one */
	bool check_only;                    /* parse, resolve and lint, run nothing */
	/* check_only: where the linter's report goes, released by sb_lint_report_free; NULL: not
	 * linted. */
	struct sb_lint_report **lint_report;
	/* Not NULL: nothing runs, and *plan_report says what would; released by
	 * sb_plan_report_free. */
	struct sb_plan_report **plan_report;
	sb_event_fn on_event;
	void *event_data;
};
#define SB_BUILD_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_build_options), .source_date_epoch = -1 \
	}

/* out_digest gets the digest of the manifest, or of the index of several platforms ("sha256:…", 72
 * bytes with the NUL); may be NULL. */
int sb_build(const struct sb_build_options *options, char *out_digest, struct sb_error *err);

void sb_plan_report_free(struct sb_plan_report *report);

/*
 * A program of an image, run as a step of a build is, on a throwaway overlay of the image's layers:
 * nothing of what it writes stays.
 */
struct sb_run_options {
	size_t size;
	const char *root;
	/* A name in the store; else what sb_inspect takes: then it is in the store for as long as
	 * the program runs. */
	const char *image;
	const char *platform;
	const char *auth_file;        /* for docker://; as in sb_build_options */
	const char *const *command;   /* in place of the image's CMD; NULL-terminated lists, each
					 may be NULL */
	const char *const *env;       /* "K=V", or "K" for the environment's value */
	const char *const *env_files; /* lines like these */
	const char *user;             /* in place of the image's */
	const char *workdir;
	const char *entrypoint; /* one word; "" for none; the image's CMD goes with its own */
	const char *network;    /* "default", "none", "host" */
	const char *hostname;
	const char *shm_size;
	const char *const *add_hosts;
	const char *const *volumes;             /* "SRC:DST[:ro]" */
	const char *const *publish;             /* "[ADDRESS:]HOST:PORT[/tcp|udp]" */
	const char *const *mounts;              /* "type=secret,id=…", "type=tmpfs,target=…" */
	const struct sb_secret_option *secrets; /* one that no mount names is at /run/secrets/ID */
	size_t n_secrets;
	bool strict;   /* no_new_privs */
	bool is_stdin; /* it reads our standard input */
	sb_event_fn on_event;
	void *event_data;
};
#define SB_RUN_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_run_options) \
	}

/*
 * The program's output goes to our standard output and error as it comes; where our standard input
 * and output are a terminal, it has one too. Signals are passed on. *out_status is its exit status,
 * 128 + N for a signal. SB_E_STEP_FAILED where it could not be started, with err->step_status 126
 * or 127 as a shell has them.
 */
int sb_run(const struct sb_run_options *options, int *out_status, struct sb_error *err);

/* The linter. */
struct sb_lint_options {
	size_t size;
	const char *root;      /* the store: what it has is known of base images; nothing is made */
	const char *buildfile; /* a file; a folder that has one; "-" is stdin; default: Buildfile,
				  then Dockerfile in the context */
	const char *context;   /* folder; default: the file's, and none for stdin */
	const char *target;
	const char *platform;
	const char *const *build_args; /* NULL-terminated lists, each may be NULL */
	const char *const *skip;       /* names of rules, or "all" */
	const char *const *experimental;
};
#define SB_LINT_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_lint_options) \
	}

/* *out is released by sb_lint_report_free. SB_E_SYNTAX for a Buildfile that does not parse. */
int sb_lint(
	const struct sb_lint_options *options, struct sb_lint_report **out, struct sb_error *err);
void sb_lint_report_free(struct sb_lint_report *report);
/* All rules. NULL past the last. Static. */
const struct sb_lint_rule *sb_lint_rule_at(size_t i);

/* The inspector. */
enum sb_report_form { SB_REPORT_PAGE, SB_REPORT_JSON, SB_REPORT_SARIF, SB_REPORT_HTML };

/* A report that is wanted. */
struct sb_report_option {
	enum sb_report_form form;
	const char *dest; /* file to write it to; NULL: it is in the result */
};

struct sb_inspect_options {
	size_t size;
	const char *root;
	const char *image; /* name in the store, docker://REF, layout folder, archive, "-" */
	const char *name;  /* of several images in a folder or archive */
	const char *platform;
	const struct sb_secret_option *secrets;
	size_t n_secrets;
	const char *policy; /* file; default: .safebuild.json in the current folder, if any */
	/* NULL-terminated: levels and rules, instead of what the policy says; or NULL. */
	const char *const *fail_on;
	bool strict; /* what was not looked at makes the image incomplete */
	const struct sb_report_option *reports; /* none: the page */
	size_t n_reports;
	bool color;     /* the page may use terminal colours */
	unsigned width; /* of the terminal; 0: do not shorten */
};
#define SB_INSPECT_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_inspect_options) \
	}

enum sb_inspect_verdict {
	SB_INSPECT_PASSED,
	SB_INSPECT_FAILED,    /* a known secret, or another finding to fail on */
	SB_INSPECT_NO_ANSWER, /* no known secret, but the image is broken or (strict) not all of it
				 could be looked at */
};

struct sb_inspect_result {
	enum sb_inspect_verdict verdict;
	/* In the order of the options, at least one; without a secret's value. NULL for what went
	 * to a file. */
	char **reports;
	size_t n_reports;
};

/* SB_E_INTEGRITY, SB_E_NOT_FOUND and others where the image can't be read, SB_E_SYNTAX for a wrong
 * policy. The result is released by sb_inspect_result_release. */
int sb_inspect(const struct sb_inspect_options *options, struct sb_inspect_result *out,
	struct sb_error *err);
void sb_inspect_result_release(struct sb_inspect_result *result);

/* One file of one layer. */
struct sb_inspect_cat_options {
	size_t size;
	const char *root;
	const char *image;
	const char *name;
	const char *platform;
	const char *layer; /* its number from 1, or the beginning of its digest or diff_id */
	const char *path;
	bool is_for_terminal; /* SB_E_USAGE, before anything is given out, for what has control
				 characters */
	/* The content piece by piece; false ends the reading, as success. */
	bool (*on_bytes)(void *data, const void *bytes, size_t len);
	void *data;
};
#define SB_INSPECT_CAT_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_inspect_cat_options) \
	}
int sb_inspect_cat(const struct sb_inspect_cat_options *options, struct sb_error *err);

/* The store. */
struct sb_store_options {
	size_t size;
	const char *root;
	const char *auth_file; /* for pull and push; as in sb_build_options */
	sb_event_fn on_event;
	void *event_data;
};
#define SB_STORE_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_store_options) \
	}
/* name: NAME[:TAG]; path "-" is stdin. changes: instructions of a Buildfile on how the image runs;
 * ends with NULL, or is NULL. */
int sb_import(const struct sb_store_options *options, const char *rootfs_tar, const char *name,
	const char *const *changes, char *out_digest, struct sb_error *err);
/* platform: NULL is the host's; "all" is the whole index, with all that it lists. */
int sb_pull(const struct sb_store_options *options, const char *ref, const char *platform,
	char *out_digest, struct sb_error *err);

struct sb_push_request {
	size_t size;
	const char *image;        /* of the store */
	const char *const *names; /* where to, NULL-terminated; NULL or empty: the image's */
	const char *chunk_size;   /* e.g. "64m": no request sends more; NULL: as it comes */
};
#define SB_PUSH_REQUEST_INIT \
	{ \
		.size = sizeof(struct sb_push_request) \
	}
int sb_push(const struct sb_store_options *options, const struct sb_push_request *request,
	char *out_digest, struct sb_error *err);

/* Credentials of registries. */
struct sb_login_options {
	size_t size;
	const char *registry;  /* NULL: docker.io */
	const char *auth_file; /* as in sb_build_options */
	const char *user;
	const char *password;
};
#define SB_LOGIN_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_login_options) \
	}
/* Tries them first. *out_where (caller frees with sb_free) says where they are kept. SB_E_AUTH
 * where the registry does not take them. */
int sb_login(const struct sb_login_options *options, char **out_where, struct sb_error *err);
/* user and password are not looked at. SB_E_NOT_FOUND where there are none. */
int sb_logout(const struct sb_login_options *options, struct sb_error *err);

/* Images of an archive or layout, with all their names there. input: a folder or file, or "-". */
struct sb_loaded_image {
	char *name;   /* familiar form; NULL for an image without one */
	char *digest; /* of the manifest or index */
};
int sb_load(const struct sb_store_options *options, const char *input, struct sb_loaded_image **out,
	size_t *out_len, struct sb_error *err);
void sb_loaded_images_free(struct sb_loaded_image *images, size_t len);
/* Writes images of the store to one output (OCI or DOCKER; its name is not looked at). A name that
 * is given is the image's name in it; an image that is given by its digest has none. images ends
 * with NULL. */
int sb_save(const struct sb_store_options *options, const char *const *images,
	const struct sb_output_option *output, struct sb_error *err);

struct sb_image_info {
	char *name;            /* familiar form, or "<none>" */
	char *digest;          /* of the manifest or index */
	char *created;         /* RFC 3339 or "" */
	uint64_t size_bytes;   /* of config and layers as stored; of an index, of all its images */
	char *platform;        /* of an index, those whose images the store has, with commas */
	uint64_t unique_bytes; /* of what no other image of the store needs */
};
int sb_images(const struct sb_store_options *options, struct sb_image_info **out, size_t *out_len,
	struct sb_error *err);
void sb_images_free(struct sb_image_info *images, size_t len);
int sb_tag(const struct sb_store_options *options, const char *image, const char *name,
	struct sb_error *err);
/* images ends with NULL. By a name, that name goes, and the image with its last one; by a digest
 * the image, which without `force` may have one name at most. force: one that is not there is no
 * error. Nothing is removed where one of them can't be. */
int sb_remove(const struct sb_store_options *options, const char *const *images, bool force,
	struct sb_error *err);

/* du: what the store's folder holds, by its use: the one used last comes last. */
struct sb_usage {
	const char *kind;    /* "blob", "layer" (unpacked), "mount", "other"; static */
	char *id;            /* hex digits; "" for "other" */
	char *text;          /* the instruction that made it, a cache mount's id, or "" */
	uint64_t size_bytes; /* on disk */
	int64_t used_s;      /* when it was last used, seconds since 1970; 0: unknown */
	bool is_shared;      /* an image of the store consists of it */
};
/* *out_total_bytes is what `du -s` says of the folder. */
int sb_usage(const struct sb_store_options *options, struct sb_usage **out, size_t *out_len,
	uint64_t *out_total_bytes, struct sb_error *err);
void sb_usage_free(struct sb_usage *usage, size_t len);

/* Removes cached steps, unpacked layers and cache mounts that no running build uses. */
struct sb_prune_options {
	size_t size;
	const char *root;
	bool all;             /* also layers of images, unpacked again at need, and cache mounts */
	int64_t older_than_s; /* only what was not used for so long; 0: all */
	bool has_keep_bytes;
	uint64_t keep_bytes;        /* what was used last stays, up to so much */
	const char *const *filters; /* "type=layer|mount|blob", "id=HEX"; NULL-terminated, or NULL
				     */
};
#define SB_PRUNE_OPTIONS_INIT \
	{ \
		.size = sizeof(struct sb_prune_options) \
	}
/* *out is what went (released by sb_usage_free), *out_bytes the space that it took, with that of
 * blobs that nothing needs any more. */
int sb_prune(const struct sb_prune_options *options, struct sb_usage **out, size_t *out_len,
	uint64_t *out_bytes, struct sb_error *err);

/* Cache mounts (RUN --mount=type=cache) of a store as an OCI archive, for another store. */
struct sb_cache_mounts_export {
	size_t size;
	const char *root;
	const char *dest;       /* file; NULL, "-": stdout */
	const char *const *ids; /* ids as in the Buildfile, or the beginning of their hex digits
				   (sb_usage); NULL-terminated; NULL or empty: all */
	const struct sb_secret_option *secrets; /* SB_E_LEAK where a mount holds one */
	size_t n_secrets;
	sb_event_fn on_event;
	void *event_data;
};
#define SB_CACHE_MOUNTS_EXPORT_INIT \
	{ \
		.size = sizeof(struct sb_cache_mounts_export) \
	}
int sb_export_cache_mounts(const struct sb_cache_mounts_export *options, struct sb_error *err);
/* Each takes the place of the one that the store has. input: a file or folder, or "-". *out_ids is
 * what came, each and the list freed by sb_free. */
int sb_import_cache_mounts(const struct sb_store_options *options, const char *input,
	char ***out_ids, size_t *out_len, struct sb_error *err);

/* doctor: one line a check, in the order in which a build needs them. */
enum sb_check_state { SB_CHECK_OK, SB_CHECK_DEGRADED, SB_CHECK_FAILED };
struct sb_check {
	const char *name; /* static, e.g. "user namespaces" */
	enum sb_check_state state;
	char *detail; /* what was seen */
	char *fix;    /* the command that mends it, or NULL */
};
int sb_check_host(const char *root, struct sb_check **out, size_t *out_len, struct sb_error *err);
void sb_checks_free(struct sb_check *checks, size_t len);

const char *sb_version(void);
void sb_free(void *p);

#endif
