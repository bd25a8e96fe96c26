/* SPDX-License-Identifier: MIT */
#ifndef SB_TEST_REPORT_FIXTURE_H
#define SB_TEST_REPORT_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "inspect/report.h"

/*
 * An inspection as if an image had been read: something of everything that a report has to say, and
 * names that are out to break it.
 */
#define FIXTURE_HOSTILE \
	"etc/<script>alert(\"1\")</script>'&\033[2J\n\xe2\x80\xae" \
	"end\xff{0}"

static const struct sb_finding_rule fixture_rules[] = {
	{"known-secret", "a secret of the build is in the image", SB_LEVEL_ERROR,
		"Whoever has the image has the secret.",
		"Mount the secret with RUN --mount=type=secret, and make a new one."},
	{"secret-github-token", "a GitHub token", SB_LEVEL_ERROR, "It can be used by anybody.",
		"Revoke it, and mount it in the step that needs it."},
	{"runs-as-root", "the program runs as root", SB_LEVEL_WARNING,
		"A hole in the program is a hole in the host.", "Add a USER instruction."},
	{"deleted-file", "a file is deleted and can be read all the same", SB_LEVEL_NOTE,
		"A later layer hides it only.", "Delete it in the RUN that made it."},
	{"package-cache", "a package manager's cache", SB_LEVEL_NOTE, "It is dead weight.",
		"Mount it with RUN --mount=type=cache."},
};

static const struct sb_pattern_rule fixture_pattern = {
	"github-token", "a GitHub token", SB_PATTERN_ERROR, "Revoke it."};

static inline void fixture_digest(struct sb_digest *out, const char *text)
{
	sb_digest_of(text, strlen(text), out);
}

static inline void fixture_layer(struct sb_inspection *in, const char *created_by, uint64_t size,
	uint64_t payload, uint64_t dead, uint64_t n_whiteouts)
{
	struct sb_layer_report *layer = SB_ARRAY_ADD(&in->layers);

	fixture_digest(&layer->digest, created_by != NULL ? created_by : "none");
	fixture_digest(&layer->diff_id, created_by != NULL ? created_by + 1 : "none");
	layer->media_type = sb_strdup("application/vnd.oci.image.layer.v1.tar+gzip");
	layer->size_bytes = size;
	layer->tar_bytes = payload + 10240;
	layer->payload_bytes = payload;
	layer->dead_bytes = dead;
	layer->n_entries = 40 + n_whiteouts;
	layer->n_whiteouts = n_whiteouts;
	layer->created_by = sb_strdup_or_null(created_by);
}

static inline void fixture_dead(struct sb_inspection *in, const char *path, size_t added,
	size_t removed, const char *cause, uint64_t size)
{
	struct sb_dead_file *file = SB_ARRAY_ADD(&in->dead);

	*file = (struct sb_dead_file){.path = sb_strdup(path),
		.added_layer = added,
		.removed_layer = removed,
		.cause = cause,
		.size_bytes = size,
		.is_visible_elsewhere = size == 500};
	fixture_digest(&file->digest, path);
}

static inline void fixture_details(struct sb_inspection *in)
{
	*SB_ARRAY_ADD(&in->secrets) = (struct sb_secret_finding){.secret_id = sb_strdup("npm"),
		.form = "base64",
		.where = sb_strdup("layer 2: etc/secret.txt"),
		.layer = 1,
		.offset = 22,
		.path = sb_strdup("etc/secret.txt"),
		.inside = sb_strdup("lib.jar!conf/token"),
		.removed_layer = 3};
	*SB_ARRAY_ADD(&in->patterns) = (struct sb_pattern_finding){.rule = &fixture_pattern,
		.shown = "ghp_\xe2\x80\xa6(40)",
		.where = sb_strdup("config: Env"),
		.layer = SIZE_MAX,
		.removed_layer = SIZE_MAX,
		.line = 3,
		.n_more = 2};
	*SB_ARRAY_ADD(&in->caches) = (struct sb_cache_finding){.manager = "apt",
		.path = sb_strdup("var/lib/apt/lists"),
		.layer = 2,
		.n_files = 12,
		.live_bytes = 40200300,
		.dead_bytes = 7000};
	*SB_ARRAY_ADD(&in->privileged) = (struct sb_privileged_file){
		.path = sb_strdup("usr/bin/sudo"), .layer = 0, .mode = 0104755};
	*SB_ARRAY_ADD(&in->privileged) =
		(struct sb_privileged_file){.path = sb_strdup("usr/bin/ping"),
			.layer = 0,
			.mode = 0100755,
			.capabilities = sb_strdup("cap_net_raw")};
	sb_strv_add(&in->shells, "bin/bash");
	sb_strv_add(&in->shells, "bin/sh");
	sb_strv_add(&in->package_managers, "usr/bin/apt");
	sb_strv_add(&in->secret_ids, "npm");
	sb_strv_add(&in->secret_ids, "other");
	in->n_secrets_searched = 2;
	in->scanned_bytes = 123456789;
	in->unpacked_bytes = 5000000;
	in->n_files_scanned = 4711;
	in->n_blobs_scanned = 6;
	in->visible_bytes = 90000000;
	*SB_ARRAY_ADD(&in->problems) = (struct sb_problem){.kind = SB_PROBLEM_DIFF_ID,
		.layer = 1,
		.text = sb_strdup("layer 2: diff_id is another")};
	*SB_ARRAY_ADD(&in->gaps) = (struct sb_gap){.layer = 2,
		.what = sb_strdup("srv/backup.zip"),
		.why = sb_strdup("it is encrypted")};
}

static inline void fixture_entries(struct sb_inspection *in)
{
	struct sb_layer_report *layer = &in->layers.items[1];
	struct sb_file_entry *entry = SB_ARRAY_ADD(&layer->entries);

	*entry = (struct sb_file_entry){.path = sb_strdup("etc/secret.txt"),
		.type = '-',
		.change = SB_FILE_ADDED,
		.mode = 0600,
		.uid = 7,
		.gid = 8,
		.size_bytes = 13};
	entry = SB_ARRAY_ADD(&layer->entries);
	*entry = (struct sb_file_entry){.path = sb_strdup(FIXTURE_HOSTILE),
		.type = 'l',
		.change = SB_FILE_MODIFIED,
		.mode = 0777,
		.link = sb_strdup("../x"),
		.is_visible = true};
}

static inline struct sb_inspection *fixture_inspection(void)
{
	struct sb_inspection *in = SB_NEW(struct sb_inspection);

	in->form = sb_strdup("oci archive");
	in->name = sb_strdup("registry.example/team/app:1.2.3");
	fixture_digest(&in->manifest_digest, "manifest");
	in->platform = sb_platform_host();
	in->user = sb_strdup("");
	in->runs_as_root = true;
	fixture_layer(in, "/bin/sh -c #(nop) ADD file:1 in / ", 29000000, 77000000, 0, 0);
	fixture_layer(in, "COPY super-secure.txt /etc/secret.txt # buildkit", 400, 13, 13, 0);
	fixture_layer(in,
		"RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends git "
		"curl ca-certificates build-essential python3 # buildkit",
		14000000, 60000000, 4000500, 2);
	fixture_layer(in, "RUN rm /etc/secret.txt && echo '" FIXTURE_HOSTILE "'", 200, 0, 0, 1);
	fixture_dead(in, "etc/secret.txt", 1, 3, "deleted", 13);
	fixture_dead(in, "usr/share/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e/e\xcc\x81.txt", 2, 3,
		"overwritten", 4000000);
	fixture_dead(in, FIXTURE_HOSTILE, 2, 3, "deleted", 500);
	fixture_entries(in);
	fixture_details(in);
	return in;
}

static inline void fixture_finding(struct sb_findings *findings, size_t rule, const char *message,
	size_t layer, const char *path, size_t removed_layer)
{
	struct sb_finding *finding = SB_ARRAY_ADD(findings);

	*finding = (struct sb_finding){.rule = &fixture_rules[rule],
		.level = fixture_rules[rule].level,
		.message = sb_strdup(message),
		.layer = layer,
		.path = sb_strdup_or_null(path),
		.removed_layer = removed_layer};
	(void)snprintf(finding->fingerprint, sizeof(finding->fingerprint), "%032zx", rule);
}

static inline struct sb_findings fixture_findings(void)
{
	struct sb_findings findings = {0};

	fixture_finding(&findings, 0, "the secret 'npm' (base64) is in etc/secret.txt", 1,
		"etc/secret.txt", 3);
	fixture_finding(&findings, 1, "Env holds ghp_\xe2\x80\xa6(40) and 2 more", SIZE_MAX,
		"config", SIZE_MAX);
	fixture_finding(
		&findings, 2, "the config names no user, so it is root", SIZE_MAX, NULL, SIZE_MAX);
	fixture_finding(&findings, 3, "it is deleted in layer 4", 2, FIXTURE_HOSTILE, 3);
	fixture_finding(&findings, 3, "it is deleted in layer 4 too", 1, "etc/secret.txt", 3);
	fixture_finding(&findings, 4, "40.2 MB of apt in var/lib/apt/lists", 2, "var/lib/apt/lists",
		SIZE_MAX);
	findings.items[5].waived_by = "me@example.org";
	return findings;
}

static inline void fixture_release(struct sb_findings *findings)
{
	SB_ARRAY_FOREACH (findings, finding) {
		free(finding->message);
		free(finding->path);
	}
	SB_ARRAY_RELEASE(findings);
}

#endif
