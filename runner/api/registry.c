/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/session.h"
#include "base/mem.h"
#include "base/size.h"
#include "build/events.h"
#include "oci/image.h"
#include "registry/login.h"
#include "registry/pull.h"
#include "registry/push.h"

struct moving {
	struct sb_events events;
	struct sb_interrupt *interrupt;
};

static bool on_progress(void *data, const char *what, uint64_t done, uint64_t total)
{
	struct moving *moving = data;

	sb_events_emit(&moving->events,
		(struct sb_event){
			.kind = SB_EVENT_TRANSFER, .text = what, .done = done, .total = total});
	return !sb_interrupt_is_pending(moving->interrupt);
}

static int open_moving(const struct sb_store_options *options, struct sb_session *session,
	struct moving *out, struct sb_error *err)
{
	if (sb_session_open(options->root, session, err) < 0)
		return -1;
	sb_events_init(&out->events, options->on_event, options->event_data);
	out->interrupt = session->interrupt;
	return 0;
}

int sb_pull(const struct sb_store_options *options, const char *text, const char *platform,
	char *out_digest, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	SB_AUTO_VALUE(sb_reference) ref = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	struct sb_platform want = sb_platform_host();
	struct moving moving = {0};

	const bool is_all = platform != NULL && strcmp(platform, "all") == 0;

	if ((platform != NULL && !is_all && sb_platform_parse(platform, &want, err) < 0) ||
		open_moving(options, &session, &moving, err) < 0)
		return -1;

	const struct sb_pull_options pull = {.want = &want,
		.all_platforms = is_all,
		.auth_file = options->auth_file,
		.on_progress = on_progress,
		.data = &moving};

	if (sb_registry_pull_name(text, &pull, session.store, &d, &ref, err) < 0)
		return -1;

	sb_autofree char *name = sb_reference_format(&ref);

	if (sb_layout_add(session.store, &d, name, err) < 0)
		return -1;
	if (out_digest != NULL)
		memcpy(out_digest, d.digest.text, sizeof(d.digest.text));
	return 0;
}

struct names {
	struct sb_reference *items;
	size_t len;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->len; i++)
		sb_reference_release(&names->items[i]);
	free(names->items);
}

static int add_name(struct names *to, const char *text, struct sb_error *err)
{
	to->items = sb_reallocarray(to->items, to->len + 1, sizeof(*to->items));
	to->items[to->len] = (struct sb_reference){0};
	if (sb_reference_parse(text, &to->items[to->len], err) < 0)
		return -1;
	to->len++;
	return 0;
}

static int read_names(
	const struct sb_push_request *request, struct names *out, struct sb_error *err)
{
	SB_AUTO_ERROR failure = SB_ERROR_INIT;

	for (const char *const *name = request->names; name != NULL && *name != NULL; name++)
		if (add_name(out, *name, err) < 0)
			return -1;
	if (out->len > 0)
		return 0;
	if (add_name(out, request->image, &failure) == 0 && out->items[0].tag != NULL &&
		!sb_digest_is_set(&out->items[0].digest))
		return 0;
	if (sb_error_is_set(&failure))
		sb_error_ignore(&failure, "it was no name");
	(void)sb_fail(err, SB_E_USAGE, "'%s' does not say where to", request->image);
	return sb_error_hint(err, "give a name with its registry: safebuild push IMAGE NAME");
}

int sb_push(const struct sb_store_options *options, const struct sb_push_request *request,
	char *out_digest, struct sb_error *err)
{
	__attribute__((cleanup(sb_session_release))) struct sb_session session = {.store_fd = -1};
	__attribute__((cleanup(names_release))) struct names names = {0};
	SB_AUTO_VALUE(sb_descriptor) d = {0};
	struct moving moving = {0};
	struct sb_push_options push = {
		.auth_file = options->auth_file, .on_progress = on_progress, .data = &moving};

	if (request->chunk_size != NULL &&
		sb_size_parse(request->chunk_size, &push.chunk_bytes, err) < 0)
		return sb_error_context(err, "--chunk-size");
	if (read_names(request, &names, err) < 0 ||
		open_moving(options, &session, &moving, err) < 0 ||
		sb_session_find(&session, request->image, &d, err) < 0 ||
		sb_registry_push(session.store, &d, names.items, names.len, &push, err) < 0)
		return -1;
	if (out_digest != NULL)
		memcpy(out_digest, d.digest.text, sizeof(d.digest.text));
	return 0;
}

int sb_login(const struct sb_login_options *options, char **out_where, struct sb_error *err)
{
	SB_AUTO(sb_interrupt) interrupt = NULL;
	struct sb_credential credential = {0};
	struct sb_registry_login login = {
		.registry = options->registry != NULL ? options->registry : "docker.io",
		.auth_file = options->auth_file,
		.credential = &credential,
	};
	int rc = -1;

	if (options->user == NULL || options->user[0] == '\0' || strchr(options->user, ':') != NULL)
		return sb_fail(
			err, SB_E_USAGE, "a user name has at least one character and no ':'");
	if (options->password == NULL || options->password[0] == '\0')
		return sb_fail(err, SB_E_USAGE, "the password is empty");
	if (sb_interrupt_new(&interrupt, err) < 0)
		return -1;
	login.interrupt = interrupt;
	sb_credential_set(&credential, options->user, options->password);
	rc = sb_registry_login(&login, out_where, err);
	sb_credential_release(&credential);
	return rc;
}

int sb_logout(const struct sb_login_options *options, struct sb_error *err)
{
	SB_AUTO(sb_interrupt) interrupt = NULL;

	if (sb_interrupt_new(&interrupt, err) < 0)
		return -1;
	return sb_registry_logout(options->registry != NULL ? options->registry : "docker.io",
		options->auth_file, interrupt, err);
}
