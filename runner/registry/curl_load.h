/* SPDX-License-Identifier: MIT */
#ifndef SB_REGISTRY_CURL_LOAD_H
#define SB_REGISTRY_CURL_LOAD_H

#include <curl/curl.h>

#include "base/error.h"

/*
 * libcurl, loaded when the first request is made: linking it would cost every run of the program
 * the start-up of some thirty libraries, and most runs never use the network. The members are
 * libcurl's functions of the same names.
 */
struct sb_curl {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *easy);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	CURLcode (*easy_perform)(CURL *easy);
	void (*easy_reset)(CURL *easy);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
	void (*slist_free_all)(struct curl_slist *list);
	CURLU *(*url)(void);
	void (*url_cleanup)(CURLU *url);
	CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
	CURLUcode (*url_get)(CURLU *url, CURLUPart part, char **out, unsigned flags);
	void (*free)(void *p);
};

/* Loads and initialises it; a second call is cheap. It stays loaded until the process ends.
 * SB_E_UNSUPPORTED where the library is not installed or too old. */
int sb_curl_load(struct sb_curl *out, struct sb_error *err) SB_MUST_USE;

#endif
