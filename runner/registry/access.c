/* SPDX-License-Identifier: MIT */
#include "registry/access.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "registry/access_token.h"
#include "registry/auth.h"
#include "registry/auth_file.h"
#include "registry/basic_auth.h"
#include "registry/certs.h"
#include "registry/challenge.h"
#include "registry/clock.h"
#include "registry/known_secrets.h"
#include "registry/url.h"

struct sb_access {
	const struct sb_reference *ref;
	const char *auth_file;
	struct sb_interrupt *interrupt;
	bool for_push;
	struct sb_certs certs;
	struct sb_http_tls tls;

	pthread_mutex_t lock; /* of all that follows */
	char *base;           /* NULL until it is decided */
	bool is_plain;
	bool may_be_plain; /* wherever it leads */
	struct sb_strv scopes;
	struct sb_credential credential;
	bool is_credential_known;
	char *authorization;  /* or NULL */
	uint64_t renew_at_ms; /* of a token; 0: never */
	char *realm;          /* of the token server, or NULL */
	char *service;
	struct sb_known_secrets secrets;
};

static void lock(struct sb_access *access)
{
	SB_BUG_ON(pthread_mutex_lock(&access->lock) != 0);
}

static void unlock(struct sb_access *access)
{
	SB_BUG_ON(pthread_mutex_unlock(&access->lock) != 0);
}

static void note_credential(struct sb_access *access)
{
	sb_known_secrets_add(&access->secrets, access->credential.password);
	sb_known_secrets_add(&access->secrets, access->credential.identity_token);
	sb_known_secrets_add(&access->secrets, access->credential.registry_token);
}

/* A loopback registry seldom has a certificate, and nobody else can listen in there. */
static void decide_scheme(struct sb_access *access, const struct sb_access_options *options)
{
	const char *registry = access->ref->registry;

	if (sb_registry_is_loopback(registry))
		access->is_plain = !access->certs.is_found && !options->is_secure;
	else if (options->is_insecure)
		return;
	access->base = sb_registry_base(registry, access->is_plain);
}

int sb_access_new(
	const struct sb_access_options *options, struct sb_access **out, struct sb_error *err)
{
	SB_AUTO(sb_access) access = SB_NEW(struct sb_access);

	access->ref = options->ref;
	access->auth_file = options->auth_file;
	access->interrupt = options->interrupt;
	access->for_push = options->for_push;
	access->certs = (struct sb_certs)SB_CERTS_INIT;
	SB_BUG_ON(pthread_mutex_init(&access->lock, NULL) != 0);
	if (sb_certs_load(sb_registry_host(access->ref->registry), &access->certs, err) < 0)
		return -1;
	access->tls = sb_certs_tls(&access->certs);
	access->tls.is_unverified = options->is_insecure;
	decide_scheme(access, options);
	if (access->ref->repository != NULL)
		sb_strv_add_nodup(&access->scopes,
			sb_token_scope(access->ref->repository, options->for_push));
	if (options->credential != NULL) {
		const struct sb_credential *given = options->credential;

		access->credential = (struct sb_credential){.user = sb_strdup_or_null(given->user),
			.password = sb_strdup_or_null(given->password),
			.identity_token = sb_strdup_or_null(given->identity_token),
			.source = sb_strdup_or_null(given->source)};
		access->is_credential_known = true;
		note_credential(access);
	}
	*out = SB_STEAL(access);
	return 0;
}

void sb_access_free(struct sb_access *access)
{
	if (access == NULL)
		return;
	sb_certs_release(&access->certs);
	free(access->base);
	sb_strv_release(&access->scopes);
	sb_credential_release(&access->credential);
	sb_secret_free(access->authorization);
	free(access->realm);
	free(access->service);
	sb_known_secrets_release(&access->secrets);
	(void)pthread_mutex_destroy(&access->lock);
	free(access);
}

void sb_access_add_scope(struct sb_access *access, const char *repository)
{
	char *scope = sb_token_scope(repository, false);

	if (sb_strv_contains(&access->scopes, scope))
		free(scope);
	else
		sb_strv_add_nodup(&access->scopes, scope);
}

bool sb_access_is_for_push(const struct sb_access *access)
{
	return access->for_push;
}

const struct sb_reference *sb_access_ref(const struct sb_access *access)
{
	return access->ref;
}

bool sb_access_may_be_plain(const struct sb_access *access)
{
	return access->may_be_plain;
}

const struct sb_http_tls *sb_access_tls(const struct sb_access *access)
{
	return &access->tls;
}

static int probe(struct sb_access *access, struct sb_http *http, struct sb_error *err)
{
	const char *registry = access->ref->registry;
	sb_autofree char *secure = sb_registry_base(registry, false);
	sb_autofree char *url = sb_asprintf("%s/v2/", secure);
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	SB_AUTO_ERROR failure = SB_ERROR_INIT;
	const struct sb_http_request request = {
		.url = url, .tls = &access->tls, .max_body_bytes = 64 << 10, .is_once = true};

	if (sb_http_send(http, &request, &answer, &failure) < 0) {
		if (failure.code != SB_E_NETWORK) {
			sb_error_move(err, &failure);
			return -1;
		}
		sb_error_ignore(&failure, "then without TLS; that request says if it fails too");
		access->is_plain = access->may_be_plain = true;
	}
	access->base = sb_registry_base(registry, access->is_plain);
	return 0;
}

int sb_access_base(
	struct sb_access *access, struct sb_http *http, const char **out, struct sb_error *err)
{
	int rc = 0;

	lock(access);
	if (access->base == NULL)
		rc = probe(access, http, err);
	*out = access->base;
	unlock(access);
	return rc;
}

/* Takes the value. */
static void set_authorization(struct sb_access *access, char *value, uint64_t life_s)
{
	/* Early enough for the request that is sent with it. */
	const uint64_t margin_s = life_s / 4 < 10 ? life_s / 4 : 10;

	sb_secret_free(access->authorization);
	access->authorization = value;
	access->renew_at_ms = life_s > 0 ? sb_clock_ms() + (life_s - margin_s) * 1000 : 0;
	sb_known_secrets_add(&access->secrets, strchr(value, ' ') + 1);
}

static int fail_locked(
	const struct sb_access *access, const char *what, const char *words, struct sb_error *err)
{
	const struct sb_credential *credential = &access->credential;
	const char *host = sb_registry_host(access->ref->registry);
	const char *open = words != NULL ? " (" : "";
	const char *close = words != NULL ? ")" : "";
	sb_autofree char *key = sb_auth_key(access->ref->registry);

	if (words == NULL)
		words = "";
	if (sb_credential_is_set(credential)) {
		sb_fail(err, SB_E_AUTH,
			"%s: registry '%s' does not accept or allow it to the credentials of "
			"%s%s%s%s",
			what, host, credential->source != NULL ? credential->source : "this login",
			open, words, close);
		return sb_error_hint(err, "log in anew: `safebuild login %s`", key);
	}
	if (access->for_push)
		sb_fail(err, SB_E_AUTH, "%s: registry '%s' wants a login%s%s%s", what, host, open,
			words, close);
	else
		sb_fail(err, SB_E_AUTH,
			"%s: registry '%s' does not let everyone read it, or does not have "
			"it%s%s%s",
			what, host, open, words, close);
	return sb_error_hint(err, "log in: `safebuild login %s`", key);
}

static int ask_for_token(struct sb_access *access, struct sb_http *http, struct sb_error *err)
{
	const struct sb_token_question question = {
		.realm = access->realm,
		.service = access->service,
		.scopes = &access->scopes,
		.credential = &access->credential,
		.base = access->base,
		.may_be_plain = access->may_be_plain,
		.tls = &access->tls,
	};
	struct sb_token_answer answer = {0};

	if (sb_token_ask(http, &question, &answer, err) < 0)
		return -1;
	if (answer.is_refused) {
		(void)fail_locked(access, "token", answer.words, err);
		free(answer.words);
		return -1;
	}
	set_authorization(access, sb_asprintf("Bearer %s", answer.token), answer.life_s);
	sb_secret_free(answer.token);
	return 0;
}

int sb_access_authorization(
	struct sb_access *access, struct sb_http *http, char **out, struct sb_error *err)
{
	int rc = 0;

	lock(access);
	if (access->renew_at_ms != 0 && sb_clock_ms() >= access->renew_at_ms)
		rc = ask_for_token(access, http, err);
	if (rc == 0)
		*out = sb_strdup_or_null(access->authorization);
	unlock(access);
	return rc;
}

static int read_challenges(
	const struct sb_http_answer *answer, struct sb_challenges *out, struct sb_error *err)
{
	for (size_t i = 0; i < answer->authenticate.len; i++) {
		SB_AUTO_ERROR ignored = SB_ERROR_INIT;

		/* One that does not parse stands beside one that does: proxies add their own. */
		if (sb_challenges_parse(answer->authenticate.items[i], out, &ignored) < 0 &&
			i + 1 == answer->authenticate.len && out->len == 0) {
			sb_error_move(err, &ignored);
			return -1;
		}
	}
	return 0;
}

static int know_credential(struct sb_access *access, struct sb_error *err)
{
	if (access->is_credential_known)
		return 0;
	if (sb_auth_find(access->auth_file, access->ref->registry, access->ref->repository,
		    access->interrupt, &access->credential, err) < 0)
		return -1;
	access->is_credential_known = true;
	note_credential(access);
	return 0;
}

static int use_password(struct sb_access *access, const char *used, struct sb_error *err)
{
	const struct sb_credential *credential = &access->credential;

	if (credential->password == NULL) {
		sb_autofree char *key = sb_auth_key(access->ref->registry);

		sb_fail(err, SB_E_AUTH, "registry '%s' wants a user name and a password",
			sb_registry_host(access->ref->registry));
		return sb_error_hint(err, "log in: `safebuild login %s`", key);
	}

	sb_autofree char *user = sb_asprintf("%s:", credential->user);
	char *value = sb_basic_auth(user, credential->password, strlen(credential->password));

	if (used != NULL && strcmp(used, value) == 0) {
		sb_secret_free(value);
		return fail_locked(access, "user name and password", NULL, err);
	}
	set_authorization(access, value, 0);
	return 0;
}

static int use_bearer(struct sb_access *access, struct sb_http *http,
	const struct sb_challenge *bearer, const char *used, const char *url, struct sb_error *err)
{
	const char *ready = access->credential.registry_token;
	const char *realm = sb_challenge_param(bearer, "realm");
	const char *service = sb_challenge_param(bearer, "service");

	if (ready != NULL && used == NULL) {
		set_authorization(access, sb_asprintf("Bearer %s", ready), 0);
		return 0;
	}
	if (sb_http_check_url(http, realm, url, access->may_be_plain, NULL, err) < 0)
		return sb_error_context(err, "registry '%s' asks for tokens from",
			sb_registry_host(access->ref->registry));
	free(access->realm);
	free(access->service);
	access->realm = sb_strdup(realm);
	access->service = sb_strdup_or_null(service);
	return ask_for_token(access, http, err);
}

static int find_way(struct sb_access *access, struct sb_http *http, const char *used,
	const char *url, const struct sb_http_answer *answer, struct sb_error *err)
{
	SB_AUTO_VALUE(sb_challenges) challenges = {0};
	const char *host = sb_registry_host(access->ref->registry);

	/* Another session has found one meanwhile. */
	if (access->authorization != NULL &&
		(used == NULL || strcmp(used, access->authorization) != 0))
		return 0;
	if (read_challenges(answer, &challenges, err) < 0)
		return sb_error_context(err, "registry '%s'", host);
	if (know_credential(access, err) < 0)
		return -1;

	const struct sb_challenge *bearer = sb_challenges_find(&challenges, "Bearer");

	if (bearer != NULL && sb_challenge_param(bearer, "realm") != NULL)
		return use_bearer(access, http, bearer, used, url, err);
	if (sb_challenges_find(&challenges, "Basic") != NULL)
		return use_password(access, used, err);
	return sb_fail(err, SB_E_AUTH,
		"registry '%s' wants an authentication that is not known here", host);
}

int sb_access_answer_challenge(struct sb_access *access, struct sb_http *http, const char *used,
	const char *url, const struct sb_http_answer *answer, struct sb_error *err)
{
	lock(access);

	const int rc = find_way(access, http, used, url, answer, err);

	unlock(access);
	return rc;
}

int sb_access_fail(
	struct sb_access *access, const char *what, const char *words, struct sb_error *err)
{
	lock(access);
	(void)fail_locked(access, what, words, err);
	unlock(access);
	return -1;
}

int sb_access_redact(struct sb_access *access, struct sb_error *err)
{
	lock(access);
	sb_known_secrets_redact(&access->secrets, err);
	unlock(access);
	return -1;
}
