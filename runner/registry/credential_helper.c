/* SPDX-License-Identifier: MIT */
#include "registry/credential_helper.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strv.h"
#include "oci/json.h"
#include "sys/command.h"

/* The only words by which a program tells "none there" from "broken". */
static const char not_found[] = "credentials not found in native keychain";

static int check_name(const char *name, struct sb_error *err)
{
	const size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789._-");

	if (len > 0 && name[len] == '\0')
		return 0;
	return sb_fail(err, SB_E_USAGE, "'%s' is no name of a credential helper", name);
}

static bool says_not_found(const struct sb_command_result *result)
{
	return strncmp(result->out.data, not_found, strlen(not_found)) == 0;
}

/* Its own words may repeat what it was given: only the first line, and never of its output where
 * that may be the secret. */
static int fail_run(const char *program, const char *verb, const struct sb_command_result *result,
	struct sb_error *err)
{
	const char *words = strcmp(verb, "get") == 0 ? "" : result->out.data;

	if (*words == '\0')
		words = result->error.data;
	return sb_fail(err, SB_E_AUTH, "%s %s ends with status %d%s%.*s", program, verb,
		result->status, *words != '\0' ? ": " : "", (int)strcspn(words, "\n"), words);
}

static int run(const char *name, const char *verb, const char *input,
	struct sb_interrupt *interrupt, struct sb_command_result *result, struct sb_error *err)
{
	sb_autofree char *program = sb_asprintf("docker-credential-%s", name);
	SB_AUTO_STRV argv = SB_STRV_INIT;
	SB_AUTO_STRV env = SB_STRV_INIT;

	if (check_name(name, err) < 0)
		return -1;
	sb_strv_add(&argv, program);
	sb_strv_add(&argv, verb);
	for (char **variable = environ; *variable != NULL; variable++)
		sb_strv_add(&env, *variable);

	const struct sb_command command = {
		.argv = &argv,
		.env = &env,
		.dir_fd = -1,
		.passed_fd = -1,
		.input = input,
		.input_len = strlen(input),
		.timeout_s = 120,
		.interrupt = interrupt,
	};

	if (sb_command_run(&command, result, err) < 0)
		return sb_error_context(err, "credential helper");
	if (result->status != 0 && !says_not_found(result))
		return fail_run(program, verb, result, err);
	return 0;
}

static void wipe(struct sb_command_result *result)
{
	explicit_bzero(result->out.data, result->out.len);
}

static int read_answer(const struct sb_command_result *result, struct sb_credential *out,
	bool *out_found, struct sb_error *err)
{
	SB_AUTO_JSON root = NULL;

	if (sb_json_parse_object(result->out.data, result->out.len, "credential helper's answer",
		    &root, err) < 0)
		return -1;

	const char *user = json_string_value(json_object_get(root, "Username"));
	const char *secret = json_string_value(json_object_get(root, "Secret"));

	*out_found = user != NULL && secret != NULL && *secret != '\0';
	if (*out_found)
		sb_credential_set(out, user, secret);
	return 0;
}

int sb_credential_helper_get(const char *name, const char *server, struct sb_interrupt *interrupt,
	struct sb_credential *out, bool *out_found, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_command_result) result = SB_COMMAND_RESULT_INIT;

	*out_found = false;
	if (run(name, "get", server, interrupt, &result, err) < 0)
		return -1;
	if (says_not_found(&result))
		return 0;

	const int rc = read_answer(&result, out, out_found, err);

	wipe(&result);
	if (rc < 0)
		return sb_error_context(err, "docker-credential-%s", name);
	if (*out_found)
		out->source = sb_asprintf("docker-credential-%s", name);
	return 0;
}

int sb_credential_helper_store(const char *name, const char *server,
	const struct sb_credential *credential, struct sb_interrupt *interrupt,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_command_result) result = SB_COMMAND_RESULT_INIT;
	SB_AUTO_BUF json = SB_BUF_INIT(0);
	SB_AUTO_JSON root = json_object();
	const char *bad = NULL;
	const bool is_token = credential->identity_token != NULL;

	sb_json_put_string(root, "ServerURL", server, &bad);
	sb_json_put_string(root, "Username", is_token ? "<token>" : credential->user, &bad);
	sb_json_put_string(
		root, "Secret", is_token ? credential->identity_token : credential->password, &bad);
	if (sb_json_dump(root, "credential", bad, &json, err) < 0)
		return -1;

	const int rc = run(name, "store", json.data, interrupt, &result, err);

	explicit_bzero(json.data, json.len);
	return rc;
}

int sb_credential_helper_erase(const char *name, const char *server, struct sb_interrupt *interrupt,
	bool *out_found, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_command_result) result = SB_COMMAND_RESULT_INIT;

	if (run(name, "erase", server, interrupt, &result, err) < 0)
		return -1;
	*out_found = !says_not_found(&result);
	return 0;
}
