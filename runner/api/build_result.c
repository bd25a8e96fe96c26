/* SPDX-License-Identifier: MIT */
#include "api/build_job.h"

#include <string.h>

#include "base/mem.h"

/* As buildx writes it. Digests and whole names need no escaping. */
static int write_metadata(
	const struct sb_build_job *job, const struct sb_descriptor *manifest, struct sb_error *err)
{
	sb_autofree char *names = sb_strv_join(&job->tags, ",");
	sb_autofree char *name_line = names[0] != '\0'
					      ? sb_asprintf(",\n  \"image.name\": \"%s\"", names)
					      : sb_strdup("");
	sb_autofree char *proof_line =
		job->proof.json != NULL
			? sb_asprintf(",\n  \"safebuild.verification\": %s", job->proof.json)
			: sb_strdup("");
	sb_autofree char *json =
		sb_asprintf("{\n  \"containerimage.config.digest\": \"%s\",\n"
			    "  \"containerimage.digest\": \"%s\",\n"
			    "  \"containerimage.descriptor\": {\"mediaType\": \"%s\", "
			    "\"digest\": \"%s\", \"size\": %llu}%s%s\n}\n",
			job->build.config_digest.text, manifest->digest.text, manifest->media_type,
			manifest->digest.text, (unsigned long long)manifest->size_bytes, name_line,
			proof_line);

	return sb_session_write_file(job->options->metadata_file, json, strlen(json), err);
}

static bool wants_attestation(const struct sb_build_options *o)
{
	for (size_t i = 0; i < o->n_outputs; i++)
		if (o->outputs[i].has_attestation)
			return true;
	return false;
}

/* The record is written also where it tells of a secret: that is when it is needed most. */
static int prove(
	struct sb_build_job *job, const struct sb_descriptor *manifest, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	const bool attests = wants_attestation(o);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	int rc = 0;

	if (!o->verify && o->verification_file == NULL && !attests)
		return 0;
	rc = sb_proof_make(&job->build, manifest, &job->proof, err);
	if (job->proof.json != NULL && (o->verify || o->verification_file != NULL) &&
		sb_proof_write(&job->proof, o->verification_file, o->outputs, o->n_outputs,
			rc < 0 ? &failed : err) < 0) {
		if (rc == 0)
			return sb_error_context(err, "verification record");
		sb_error_ignore(&failed, "what the record would say is what is told");
	}
	if (rc < 0 || !attests)
		return rc;
	return sb_proof_attest(&job->proof, job->session.store, manifest,
		job->tags.len > 0 ? job->tags.items[0] : NULL, &job->attested, err);
}

/* Names are in the index of the store and of archives, and in the metadata file. */
static int search_name(
	const struct sb_build_job *job, const char *option, const char *name, struct sb_error *err)
{
	struct sb_leak leak;

	if (name == NULL ||
		!sb_content_search_text(job->build.worker.search, name, strlen(name), &leak))
		return 0;
	return sb_fail(err, SB_E_LEAK, "%s: secret '%s' found in the image's name (%s)", option,
		leak.secret_id, leak.form);
}

static int search_names(const struct sb_build_job *job, struct sb_error *err)
{
	for (size_t i = 0; i < job->tags.len; i++)
		if (search_name(job, "--tag", job->tags.items[i], err) < 0)
			return -1;
	for (size_t i = 0; i < job->options->n_outputs; i++)
		if (search_name(job, "--output", job->options->outputs[i].name, err) < 0)
			return -1;
	return 0;
}

int sb_build_job_keep(
	struct sb_build_job *job, const struct sb_descriptor *manifest, struct sb_error *err)
{
	if (search_names(job, err) < 0 || prove(job, manifest, err) < 0)
		return -1;
	if (sb_exports_has_store(job->exports)) {
		if (job->tags.len == 0 &&
			sb_layout_add(job->session.store, manifest, NULL, err) < 0)
			return -1;
		for (size_t i = 0; i < job->tags.len; i++)
			if (sb_layout_add(job->session.store, manifest, job->tags.items[i], err) <
				0)
				return -1;
	}
	if (sb_exports_write(job->exports, &job->build, manifest, &job->attested, &job->tags, err) <
		0)
		return -1;
	if (job->options->iidfile != NULL &&
		sb_session_write_file(job->options->iidfile, manifest->digest.text,
			strlen(manifest->digest.text), err) < 0)
		return sb_error_context(err, "--iidfile");
	if (job->options->metadata_file != NULL && write_metadata(job, manifest, err) < 0)
		return sb_error_context(err, "--metadata-file");
	return 0;
}
