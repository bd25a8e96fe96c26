/* SPDX-License-Identifier: MIT */
#include "api/build_job.h"

#include <string.h>

#include "base/mem.h"

/* One record, or, of several platforms, an object that has one for each that was searched. Caller
 * frees; NULL where there is none. */
static char *join_proofs(const struct sb_build_job *job)
{
	SB_AUTO_STRV members = SB_STRV_INIT;

	if (job->parts.len == 1)
		return sb_strdup_or_null(job->parts.items[0].proof.json);
	SB_ARRAY_FOREACH (&job->parts, part) {
		sb_autofree char *name = sb_platform_format(&part->platform);

		if (part->proof.json != NULL)
			sb_strv_addf(&members, "\"%s\": %s", name, part->proof.json);
	}
	if (members.len == 0)
		return NULL;

	sb_autofree char *text = sb_strv_join(&members, ",\n");

	return sb_asprintf("{\n%s\n}\n", text);
}

/* As buildx writes it: an index has no config. Digests and whole names need no escaping. */
static int write_metadata(const struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_descriptor *image = &job->image;
	sb_autofree char *names = sb_strv_join(&job->tags, ",");
	sb_autofree char *proof = join_proofs(job);
	sb_autofree char *config_line =
		job->parts.len == 1 ? sb_asprintf("  \"containerimage.config.digest\": \"%s\",\n",
					      job->parts.items[0].build.config_digest.text)
				    : sb_strdup("");
	sb_autofree char *name_line = names[0] != '\0'
					      ? sb_asprintf(",\n  \"image.name\": \"%s\"", names)
					      : sb_strdup("");
	sb_autofree char *proof_line =
		proof != NULL ? sb_asprintf(",\n  \"safebuild.verification\": %s", proof)
			      : sb_strdup("");
	sb_autofree char *json =
		sb_asprintf("{\n%s  \"containerimage.digest\": \"%s\",\n"
			    "  \"containerimage.descriptor\": {\"mediaType\": \"%s\", "
			    "\"digest\": \"%s\", \"size\": %llu}%s%s\n}\n",
			config_line, image->digest.text, image->media_type, image->digest.text,
			(unsigned long long)image->size_bytes, name_line, proof_line);

	return sb_session_write_file(job->options->metadata_file, json, strlen(json), err);
}

static bool wants_attestation(const struct sb_build_options *o)
{
	for (size_t i = 0; i < o->n_outputs; i++)
		if (o->outputs[i].has_attestation)
			return true;
	return false;
}

static int write_proofs(const struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	sb_autofree char *record = join_proofs(job);

	if (record == NULL || (!o->verify && o->verification_file == NULL))
		return 0;
	return sb_proof_write(record, o->verification_file, o->outputs, o->n_outputs, err);
}

/* The record is written also where it tells of a secret: that is when it is needed most. */
static int prove(struct sb_build_job *job, struct sb_error *err)
{
	const struct sb_build_options *o = job->options;
	const bool attests = wants_attestation(o);
	SB_AUTO_ERROR failed = SB_ERROR_INIT;
	int rc = 0;

	if (!o->verify && o->verification_file == NULL && !attests)
		return 0;
	for (size_t i = 0; rc == 0 && i < job->parts.len; i++) {
		struct sb_build_part *part = &job->parts.items[i];

		rc = sb_proof_make(&part->build, &part->manifest, &part->proof, err);
	}
	if (write_proofs(job, rc < 0 ? &failed : err) < 0) {
		if (rc == 0)
			return sb_error_context(err, "verification record");
		sb_error_ignore(&failed, "what the record would say is what is told");
	}
	for (size_t i = 0; rc == 0 && attests && i < job->parts.len; i++) {
		struct sb_build_part *part = &job->parts.items[i];

		rc = sb_proof_attest(&part->proof, job->session.store, &part->manifest,
			job->tags.len > 0 ? job->tags.items[0] : NULL, &part->attestation, err);
	}
	return rc;
}

/* In BuildKit's order: the images, then what is attested of them. */
static int make_image(struct sb_build_job *job, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_descriptors) entries = {0};

	SB_ARRAY_FOREACH (&job->parts, part)
		sb_descriptor_copy(SB_ARRAY_ADD(&entries), &part->manifest);
	if (job->parts.len == 1)
		sb_descriptor_copy(&job->image, &entries.items[0]);
	else if (sb_layout_put_index(job->session.store, &entries, &job->image, err) < 0)
		return -1;
	if (!wants_attestation(job->options))
		return 0;
	SB_ARRAY_FOREACH (&job->parts, part)
		sb_descriptor_copy(SB_ARRAY_ADD(&entries), &part->attestation);
	return sb_layout_put_index(job->session.store, &entries, &job->attested, err);
}

/* Names are in the index of the store and of archives, and in the metadata file. */
static int search_name(
	const struct sb_build_job *job, const char *option, const char *name, struct sb_error *err)
{
	struct sb_leak leak;

	if (name == NULL || !sb_content_search_text(job->parts.items[0].build.worker.search, name,
				    strlen(name), &leak))
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

static int write_outputs(struct sb_build_job *job, struct sb_error *err)
{
	sb_autofree struct sb_build **builds = sb_calloc(job->parts.len, sizeof(struct sb_build *));

	for (size_t i = 0; i < job->parts.len; i++)
		builds[i] = &job->parts.items[i].build;

	const struct sb_export what = {.builds = builds,
		.n_builds = job->parts.len,
		.image = &job->image,
		.attested = &job->attested,
		.tags = &job->tags};

	return sb_exports_write(job->exports, &what, err);
}

int sb_build_job_keep(struct sb_build_job *job, struct sb_error *err)
{
	if (search_names(job, err) < 0 || prove(job, err) < 0 || make_image(job, err) < 0)
		return -1;
	if (sb_exports_has_store(job->exports)) {
		if (job->tags.len == 0 &&
			sb_layout_add(job->session.store, &job->image, NULL, err) < 0)
			return -1;
		for (size_t i = 0; i < job->tags.len; i++)
			if (sb_layout_add(
				    job->session.store, &job->image, job->tags.items[i], err) < 0)
				return -1;
	}
	if (write_outputs(job, err) < 0)
		return -1;
	if (job->options->iidfile != NULL &&
		sb_session_write_file(job->options->iidfile, job->image.digest.text,
			strlen(job->image.digest.text), err) < 0)
		return sb_error_context(err, "--iidfile");
	if (job->options->metadata_file != NULL && write_metadata(job, err) < 0)
		return sb_error_context(err, "--metadata-file");
	return 0;
}
