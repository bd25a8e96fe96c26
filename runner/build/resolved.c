/* SPDX-License-Identifier: MIT */
#include "build/resolved.h"

#include <string.h>

#include "base/mem.h"
#include "sys/mutex.h"

struct sb_resolved_name {
	char *text;
	struct sb_platform platform;
	bool is_known; /* else a thread is at it */
	struct sb_descriptor descriptor;
	struct sb_resolved_source source;
};

void sb_resolved_source_release(struct sb_resolved_source *source)
{
	free(source->name);
	source->name = NULL;
}

static void name_release(struct sb_resolved_name *name)
{
	free(name->text);
	sb_descriptor_release(&name->descriptor);
	sb_resolved_source_release(&name->source);
}

void sb_resolved_init(struct sb_resolved *resolved)
{
	SB_BUG_ON(pthread_mutex_init(&resolved->lock, NULL) != 0);
	SB_BUG_ON(pthread_cond_init(&resolved->changed, NULL) != 0);
}

void sb_resolved_release(struct sb_resolved *resolved)
{
	SB_ARRAY_FOREACH (&resolved->names, name)
		name_release(name);
	SB_ARRAY_RELEASE(&resolved->names);
	(void)pthread_cond_destroy(&resolved->changed);
	(void)pthread_mutex_destroy(&resolved->lock);
}

static struct sb_resolved_name *find(
	struct sb_resolved *resolved, const char *text, const struct sb_platform *platform)
{
	SB_ARRAY_FOREACH (&resolved->names, name)
		if (strcmp(name->text, text) == 0 && sb_platform_is_same(&name->platform, platform))
			return name;
	return NULL;
}

static bool is_asked_for(const struct sb_resolved *resolved, const char *text)
{
	SB_ARRAY_FOREACH (&resolved->names, name)
		if (strcmp(name->text, text) == 0 && !name->is_known)
			return true;
	return false;
}

bool sb_resolved_begin(struct sb_resolved *resolved, const char *text,
	const struct sb_platform *platform, struct sb_descriptor *out)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&resolved->lock);
	const struct sb_resolved_name *name = NULL;

	while (is_asked_for(resolved, text))
		SB_BUG_ON(pthread_cond_wait(&resolved->changed, &resolved->lock) != 0);
	name = find(resolved, text, platform);
	if (name != NULL) {
		sb_descriptor_copy(out, &name->descriptor);
		return true;
	}
	*SB_ARRAY_ADD(&resolved->names) =
		(struct sb_resolved_name){.text = sb_strdup(text), .platform = *platform};
	return false;
}

void sb_resolved_end(struct sb_resolved *resolved, const char *text,
	const struct sb_platform *platform, const struct sb_descriptor *found,
	struct sb_resolved_source *source)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&resolved->lock);
	struct sb_resolved_name *name = find(resolved, text, platform);

	if (found != NULL) {
		sb_descriptor_copy(&name->descriptor, found);
		name->source = *source;
		source->name = NULL;
		name->is_known = true;
	} else {
		name_release(name);
		*name = resolved->names.items[--resolved->names.len];
	}
	SB_BUG_ON(pthread_cond_broadcast(&resolved->changed) != 0);
}

void sb_resolved_find_source(
	struct sb_resolved *resolved, const char *text, struct sb_resolved_source *out)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&resolved->lock);

	SB_ARRAY_FOREACH (&resolved->names, name)
		if (out->name == NULL && name->source.name != NULL && strcmp(name->text, text) == 0)
			*out = (struct sb_resolved_source){
				.name = sb_strdup(name->source.name), .named = name->source.named};
}

void sb_resolved_list_pulled(
	struct sb_resolved *resolved, const char *text, struct sb_descriptors *out)
{
	sb_automutex pthread_mutex_t *held = sb_mutex_take(&resolved->lock);

	SB_ARRAY_FOREACH (&resolved->names, name) {
		if (name->source.name == NULL || strcmp(name->text, text) != 0)
			continue;

		struct sb_descriptor *d = SB_ARRAY_ADD(out);

		sb_descriptor_copy(d, &name->descriptor);
		d->platform = name->platform;
	}
}
