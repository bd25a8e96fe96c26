/* SPDX-License-Identifier: MIT */
#include "registry/access_token.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "registry/basic_auth.h"
#include "registry/document.h"
#include "registry/url.h"

static int read_answer(
	struct sb_http_answer *answer, struct sb_token_answer *out, struct sb_error *err)
{
	sb_autofree char *words = NULL;
	int rc = 0;

	if (answer->status == 200) {
		rc = sb_document_token(
			answer->body.data, answer->body.len, &out->token, &out->life_s, err);
		explicit_bzero(answer->body.data, answer->body.len);
		return rc;
	}
	words = sb_document_error(answer->body.data, answer->body.len);
	/* OAuth 2 answers 400 for a grant that is not good, RFC 6749, 5.2. */
	if (answer->status == 401 || answer->status == 403 || answer->status == 400) {
		out->is_refused = true;
		out->words = SB_STEAL(words);
		return 0;
	}
	return sb_fail(err, SB_E_NETWORK, "the token server answers with status %ld%s%s%s",
		answer->status, words != NULL ? " (" : "", words != NULL ? words : "",
		words != NULL ? ")" : "");
}

static int send(struct sb_http *http, struct sb_http_request *request, struct sb_token_answer *out,
	struct sb_error *err)
{
	SB_AUTO_VALUE(sb_http_answer) answer = SB_HTTP_ANSWER_INIT;
	unsigned n_tries = 0;

	if (sb_http_send_with_retries(http, request, &answer, &n_tries, err) < 0)
		return -1;
	return read_answer(&answer, out, err);
}

static int ask_with_identity(struct sb_http *http, const struct sb_token_question *q,
	struct sb_http_request *request, struct sb_token_answer *out, struct sb_error *err)
{
	char *form = sb_token_form(q->credential->identity_token, q->service, q->scopes);
	const struct sb_http_upload upload = {.bytes = form, .len = strlen(form)};

	request->method = SB_HTTP_POST;
	request->upload = &upload;
	request->content_type = "application/x-www-form-urlencoded";

	const int rc = send(http, request, out, err);

	sb_secret_free(form);
	return rc;
}

static int ask_with_password(struct sb_http *http, const struct sb_token_question *q,
	struct sb_http_request *request, struct sb_token_answer *out, struct sb_error *err)
{
	sb_autofree char *url = sb_token_url(q->realm, q->service, q->scopes);
	sb_autofree char *user =
		q->credential->user != NULL ? sb_asprintf("%s:", q->credential->user) : NULL;
	char *authorization = user != NULL ? sb_basic_auth(user, q->credential->password,
						     strlen(q->credential->password))
					   : NULL;

	request->url = url;
	request->authorization = authorization;

	const int rc = send(http, request, out, err);

	sb_secret_free(authorization);
	return rc;
}

int sb_token_ask(struct sb_http *http, const struct sb_token_question *q,
	struct sb_token_answer *out, struct sb_error *err)
{
	struct sb_http_tls tls = *q->tls;
	struct sb_http_request request = {.url = q->realm,
		.tls = &tls,
		.may_be_plain = q->may_be_plain,
		.max_body_bytes = SB_MAX_JSON};
	bool is_registry_itself = false;

	*out = (struct sb_token_answer){0};
	if (sb_http_check_url(http, q->realm, q->base, q->may_be_plain, &is_registry_itself, err) <
		0)
		return sb_error_context(err, "token server");
	if (!is_registry_itself) {
		tls.cert_file = tls.key_file = NULL;
		tls.is_unverified = false;
	}

	const int rc = q->credential->identity_token != NULL
			       ? ask_with_identity(http, q, &request, out, err)
			       : ask_with_password(http, q, &request, out, err);

	return rc < 0 ? sb_error_context(err, "ask for a token") : 0;
}
