/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/render.h"
#include "cli/report.h"

/* Nothing but warnings, and the output of the step that failed. */
struct quiet {
	struct sb_renderer base; /* first: the two are one address */
	struct sb_buf tail;      /* the end of what the running step wrote */
};

static void keep(struct quiet *q, const char *bytes, size_t len)
{
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	if (len > q->tail.max_bytes - q->tail.len)
		sb_buf_clear(&q->tail); /* the newest is what explains a failure */
	if (sb_buf_add(&q->tail, bytes, len, &err) < 0)
		sb_error_ignore(&err, "a piece larger than all that is kept");
}

static void quiet_event(struct sb_renderer *r, const struct sb_event *event)
{
	struct quiet *q = (struct quiet *)r;

	/* A warning is about the result, which quiet does not make less true. */
	if (event->kind == SB_EVENT_WARNING)
		sb_report_event(r->out, event, r->style.has_color);
	else if (event->kind == SB_EVENT_STEP_START)
		sb_buf_clear(&q->tail);
	else if (event->kind == SB_EVENT_STEP_OUTPUT)
		keep(q, event->text, event->len);
}

static void quiet_finish(struct sb_renderer *r, const struct sb_error *failure, int status)
{
	const struct quiet *q = (const struct quiet *)r;

	(void)status;
	if (failure != NULL && failure->code == SB_E_STEP_FAILED)
		(void)fwrite(q->tail.data, 1, q->tail.len, r->out);
}

static void quiet_release(struct sb_renderer *r)
{
	sb_buf_release(&((struct quiet *)r)->tail);
}

struct sb_renderer *sb_render_quiet_new(void)
{
	static const struct sb_renderer_ops ops = {quiet_event, quiet_finish, quiet_release};
	struct quiet *q = SB_NEW(struct quiet);

	q->base.ops = &ops;
	q->tail = (struct sb_buf)SB_BUF_INIT(SB_MAX_STEP_TAIL);
	return &q->base;
}
