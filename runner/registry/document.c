/* SPDX-License-Identifier: MIT */
#include "registry/document.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "oci/descriptor.h"
#include "oci/json.h"

enum {
	MAX_SHOWN = 200,      /* of a registry's words in a message: one or two lines */
	MAX_TOKEN = 48 << 10, /* servers take 8 to 64 KiB of headers */
	USUAL_TOKEN_LIFE_S = 60,
};

static const char *string_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const char *known_type(const char *text, size_t len)
{
	static const char *const types[] = {SB_MEDIA_OCI_INDEX, SB_MEDIA_OCI_MANIFEST,
		SB_MEDIA_DOCKER_LIST, SB_MEDIA_DOCKER_MANIFEST};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i]) == len && strncasecmp(types[i], text, len) == 0)
			return types[i];
	return NULL;
}

static bool is_index(const char *type)
{
	return strcmp(type, SB_MEDIA_OCI_INDEX) == 0 || strcmp(type, SB_MEDIA_DOCKER_LIST) == 0;
}

static bool is_schema1(const json_t *root, const char *content_type)
{
	const json_t *version = json_object_get(root, "schemaVersion");

	if (json_is_integer(version))
		return json_integer_value(version) == 1;
	return content_type != NULL &&
	       strncasecmp(content_type, "application/vnd.docker.distribution.manifest.v1",
		       strlen("application/vnd.docker.distribution."
			      "manifest.v1")) == 0;
}

/* A text that reads as both would be one image to us and another to the next program, so that
 * what was checked is not what is run (CVE-2021-41190). */
static int check_members(const json_t *root, const char *type, struct sb_error *err)
{
	const bool has_manifests = json_object_get(root, "manifests") != NULL;
	const bool has_layers =
		json_object_get(root, "layers") != NULL || json_object_get(root, "config") != NULL;

	if (is_index(type) ? has_layers || !has_manifests : has_manifests || !has_layers)
		return sb_fail(err, SB_E_INTEGRITY,
			"the manifest is '%s' by name, but has another kind's members", type);
	return 0;
}

int sb_document_media_type(const char *json, size_t len, const char *content_type, const char **out,
	struct sb_error *err)
{
	SB_AUTO_JSON root = NULL;
	const size_t header_len = content_type != NULL ? strcspn(content_type, "; \t") : 0;
	const char *header = content_type != NULL ? known_type(content_type, header_len) : NULL;

	if (sb_json_parse_object(json, len, "manifest", &root, err) < 0)
		return -1;
	if (is_schema1(root, content_type)) {
		sb_fail(err, SB_E_UNSUPPORTED,
			"the image has a manifest of Docker's schema 1, which was given up in "
			"2017");
		return sb_error_hint(err, "push the image again with a current tool, or pull it "
					  "by a newer tag");
	}

	const char *said = string_of(root, "mediaType");
	const char *type = said != NULL ? known_type(said, strlen(said)) : header;

	if (said != NULL && type == NULL)
		return sb_fail(err, SB_E_UNSUPPORTED, "a manifest of type '%.*s' is not an image",
			MAX_SHOWN, said);
	if (said != NULL && header != NULL && type != header)
		return sb_fail(err, SB_E_INTEGRITY,
			"the manifest is '%s', but the registry serves it as '%s'", type, header);
	if (type == NULL)
		type = json_object_get(root, "manifests") != NULL ? SB_MEDIA_OCI_INDEX
								  : SB_MEDIA_OCI_MANIFEST;
	if (check_members(root, type, err) < 0)
		return -1;
	*out = type;
	return 0;
}

int sb_document_token(
	const char *json, size_t len, char **out, uint64_t *out_life_s, struct sb_error *err)
{
	SB_AUTO_JSON root = NULL;

	if (sb_json_parse_object(json, len, "token server's answer", &root, err) < 0)
		return -1;

	const char *token = string_of(root, "token");

	if (token == NULL || *token == '\0')
		token = string_of(root, "access_token");
	if (token == NULL || *token == '\0')
		return sb_fail(err, SB_E_AUTH, "the token server's answer holds no token");
	if (strlen(token) > MAX_TOKEN)
		return sb_fail(
			err, SB_E_AUTH, "the token server's token is over %d bytes", MAX_TOKEN);
	for (const char *c = token; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return sb_fail(err, SB_E_AUTH,
				"the token server's token holds characters that no token may have");

	const json_int_t life_s = json_integer_value(json_object_get(root, "expires_in"));

	*out = sb_strdup(token);
	*out_life_s = life_s > 0 ? (uint64_t)life_s : USUAL_TOKEN_LIFE_S;
	return 0;
}

char *sb_document_error(const char *json, size_t len)
{
	SB_AUTO_JSON root = NULL;
	SB_AUTO_ERROR ignored = SB_ERROR_INIT;

	if (sb_json_parse_object(json, len, "error", &root, &ignored) < 0)
		return NULL;

	const json_t *errors = json_object_get(root, "errors");
	/* Token servers, and Docker Hub's rate limit, have one message and no list. */
	const json_t *first = json_array_size(errors) > 0 ? json_array_get(errors, 0) : root;
	const char *code = string_of(first, "code");
	const char *message = string_of(first, "message");

	if (message == NULL)
		message = string_of(first, "details");
	if (code == NULL && message == NULL)
		return NULL;
	return sb_asprintf("%.*s%s%.*s", MAX_SHOWN / 4, code != NULL ? code : "",
		code != NULL && message != NULL ? ": " : "", MAX_SHOWN,
		message != NULL ? message : "");
}
