/* SPDX-License-Identifier: MIT */
#ifndef SB_OCI_CONFIG_H
#define SB_OCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/strv.h"
#include "oci/platform.h"

/*
 * An image's configuration (OCI config.md, with Docker's additions Shell, Healthcheck, OnBuild,
 * ArgsEscaped). Fields that this program does not know are kept as they were.
 *
 * Where "not there" and "empty" differ, a has_ flag says so.
 */
struct sb_history {
	char *created;    /* RFC 3339 or NULL */
	char *created_by; /* or NULL */
	char *author;
	char *comment;
	bool is_empty_layer;
};

struct sb_healthcheck {
	struct sb_strv test; /* "NONE", or "CMD"/"CMD-SHELL" and arguments */
	int64_t interval_ns;
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	int64_t retries;
};

struct sb_image_config {
	char *created; /* RFC 3339 or NULL */
	char *author;
	struct sb_platform platform;
	char *os_version;

	struct sb_strv env;
	struct sb_strv entrypoint;
	bool has_entrypoint;
	struct sb_strv cmd;
	bool has_cmd;
	bool args_escaped;
	char *user;            /* never NULL */
	char *working_dir;     /* never NULL, "" for none */
	struct sb_strv labels; /* "key=value", by key when written */
	struct sb_strv exposed_ports;
	struct sb_strv volumes;
	char *stop_signal; /* or NULL */
	struct sb_strv shell;
	struct sb_strv onbuild;
	bool has_healthcheck;
	struct sb_healthcheck healthcheck;

	SB_ARRAY(struct sb_digest) diff_ids;
	SB_ARRAY(struct sb_history) history;

	void *rest; /* the JSON object this was read from, for the fields that are not above; owned
		     */
};

struct sb_image_config *sb_image_config_new(void);
void sb_image_config_free(struct sb_image_config *config);
SB_DEFINE_FREEP(sb_image_config)
struct sb_image_config *sb_image_config_dup(const struct sb_image_config *config);

int sb_image_config_parse(const char *json, size_t len, struct sb_image_config **out,
	struct sb_error *err) SB_MUST_USE;
/* Compact JSON, keys in a fixed order: the same config gives the same bytes. Caller releases *out.
 */
int sb_image_config_write(
	const struct sb_image_config *config, struct sb_buf *out, struct sb_error *err) SB_MUST_USE;
/* Appends a history entry (copies). */
void sb_image_config_add_history(struct sb_image_config *config, const struct sb_history *entry);

#endif
