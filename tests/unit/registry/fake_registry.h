/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_FAKE_REGISTRY_H
#define SB_TEST_FAKE_REGISTRY_H

#include "oci/layout.h"

/*
 * A registry of one image ("a/b:1", for linux/amd64) that does one thing wrong, and the layout that
 * the image is pulled into.
 */
#define TOKEN "sesame-0123456789"

enum { LAYER_BYTES = 3 << 20 };

enum fault {
	NONE,
	AS_INDEX,
	INDEX_OF_OTHER_SIZE,
	INDEX_IN_INDEX,
	LAYER_CHANGED,
	LAYER_SHORT,
	LAYER_LONG,
	LAYER_ENDLESS,
	LAYER_MISSING,
	LAYER_BREAKS_ONCE,
	LAYER_BREAKS_ONCE_AND_NO_RANGES,
	LAYER_BREAKS_ONCE_AND_RANGE_REFUSED,
	LAYER_BREAKS_ONCE_AND_WRONG_RANGE,
	LAYER_BREAKS_AFTER_EACH_MIB,
	LAYER_BREAKS_ALWAYS,
	LAYER_STALLS,
	LAYER_ELSEWHERE,
	LAYER_ELSEWHERE_IN_CLEAR,
	LAYER_IN_CIRCLES,
	LAYER_IS_FILE,
	LAYER_FOREIGN,
	CONFIG_OF_CHART,
	CONFIG_OF_NO_LAYER,
	CONFIG_CUT,
	BUSY_ONCE,
	BUSY_ALWAYS,
	IMAGE_MISSING,
	MANIFEST_OF_SCHEMA_1,
	MANIFEST_CHANGED,
	MANIFEST_HUGE,
	HEADERS_ENDLESS,
	HEADERS_INFORMATIONAL_ENDLESS,
	WANTS_TOKEN,
	WANTS_TOKEN_THAT_RUNS_OUT,
	WANTS_TOKEN_AND_REFUSES_IT,
	WANTS_TOKEN_FROM_STRANGER,
	WANTS_PASSWORD,
	ECHOES_TOKEN,
};

struct world {
	enum fault fault;
	struct fake_server *server;
	struct fake_server *elsewhere;
	char *config;
	char *layer;
	char *manifest;
	char *index;
	char *outer; /* an index that calls the index a manifest */
	struct sb_digest config_digest, layer_digest, manifest_digest, index_digest;
	char token[32];
	/* Counted by the servers' threads, read after they have ended. */
	unsigned n_manifests, n_layers, n_tokens, n_elsewhere;
	unsigned n_secrets_elsewhere, n_ranges, n_with_token;

	char folder[64];
	int folder_fd;
	struct sb_layout *layout;
};

/* Makes the folder and the layout, and starts the servers: the registry on 127.0.0.1, and another
 * host on 127.0.0.2. */
void world_open(struct world *world, enum fault fault);
/* After this what was counted may be read. May be called twice. */
void world_stop_servers(struct world *world);
/* Stops, and removes the folder. */
void world_close(struct world *world);

#endif
