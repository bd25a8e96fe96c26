/* SPDX-License-Identifier: MIT */
#include "api/verify.h"

#include <string.h>

#include "api/session.h"
#include "base/mem.h"
#include "base/size.h"
#include "inspect/verification.h"
#include "oci/attestation.h"

void sb_proof_release(struct sb_proof *proof)
{
	free(proof->json);
	*proof = (struct sb_proof){0};
}

static int fail_leak(const struct sb_inspection *in, struct sb_error *err)
{
	const struct sb_secret_finding *first = &in->secrets.items[0];
	sb_autofree char *inside =
		first->inside != NULL ? sb_asprintf(", inside %s", first->inside) : sb_strdup("");
	sb_autofree char *more = in->secrets.len > 1
					 ? sb_asprintf("; and %zu more", in->secrets.len - 1)
					 : sb_strdup("");

	(void)sb_fail(err, SB_E_LEAK, "the image holds secret '%s': %s (%s, at byte %llu%s)%s",
		first->secret_id, first->where, first->form, (unsigned long long)first->offset,
		inside, more);
	return sb_error_hint(err,
		"the steps of this build were searched before: it came with the base image, so "
		"change the secret and have that image rebuilt");
}

static int judge(const struct sb_inspection *in, struct sb_error *err)
{
	switch (sb_verification_result(in)) {
	case SB_VERIFIED_LEAK:
		return fail_leak(in, err);
	case SB_VERIFIED_BROKEN:
		return sb_fail(err, SB_E_INTEGRITY, "the image in the store is broken: %s",
			in->problems.items[0].text);
	case SB_VERIFIED_IN_PART:
	case SB_VERIFIED_CLEAN:
		break;
	}
	return 0;
}

static void tell(struct sb_build *build, const struct sb_inspection *in)
{
	sb_autofree char *size = sb_size_format(in->scanned_bytes + in->unpacked_bytes);

	SB_ARRAY_FOREACH (&in->gaps, gap) {
		sb_autofree char *text =
			sb_asprintf("not searched for secrets: %s: %s", gap->what, gap->why);

		sb_events_warn(&build->events, text, NULL);
	}

	sb_autofree char *platform =
		build->is_one_of_several ? sb_platform_format(&build->platform) : sb_strdup("");
	sb_autofree char *text = sb_asprintf("verified%s%s: %zu secret%s, not in the image's %zu "
					     "layer%s (%s in %llu files searched)",
		platform[0] != '\0' ? " " : "", platform, in->n_secrets_searched,
		in->n_secrets_searched == 1 ? "" : "s", in->layers.len,
		in->layers.len == 1 ? "" : "s", size, (unsigned long long)in->n_files_scanned);

	sb_events_notice(&build->events, text, NULL);
}

int sb_proof_make(struct sb_build *build, const struct sb_descriptor *manifest,
	struct sb_proof *out, struct sb_error *err)
{
	SB_AUTO(sb_image) image = NULL;
	SB_AUTO(sb_inspection) inspection = NULL;

	if (sb_image_from_layout(build->store, manifest, &build->platform, &image, err) < 0 ||
		sb_inspect_known_secrets(
			image, build->secrets, build->interrupt, &inspection, err) < 0 ||
		sb_verification_json(
			inspection, build->secrets, "safebuild " SB_VERSION, &out->json, err) < 0)
		return sb_error_context(err, "verify the image");
	out->json_len = strlen(out->json);
	if (judge(inspection, err) < 0)
		return -1;
	tell(build, inspection);
	return 0;
}

static bool has_place(const struct sb_output_option *o)
{
	return o->dest != NULL && strcmp(o->dest, "-") != 0;
}

static int write_beside(const char *record, const struct sb_output_option *o, struct sb_error *err)
{
	size_t len = strlen(o->dest);

	while (len > 1 && o->dest[len - 1] == '/')
		len--;

	sb_autofree char *path = sb_asprintf("%.*s.verification.json", (int)len, o->dest);

	return sb_session_write_file(path, record, strlen(record), err);
}

int sb_proof_write(const char *record, const char *file, const struct sb_output_option *outputs,
	size_t n_outputs, struct sb_error *err)
{
	if (file != NULL)
		return sb_session_write_file(file, record, strlen(record), err);
	for (size_t i = 0; i < n_outputs; i++)
		if (has_place(&outputs[i]) && write_beside(record, &outputs[i], err) < 0)
			return -1;
	return 0;
}

int sb_proof_attest(const struct sb_proof *proof, struct sb_layout *store,
	const struct sb_descriptor *manifest, const char *name, struct sb_descriptor *out,
	struct sb_error *err)
{
	const struct sb_attestation attestation = {
		.subject = name,
		.predicate_type = SB_VERIFICATION_PREDICATE,
		.predicate = proof->json,
		.predicate_len = proof->json_len,
	};

	return sb_attestation_store(store, manifest, &attestation, out, err);
}
