/* SPDX-License-Identifier: MIT */
#ifndef SB_CLI_RENDER_PLAN_H
#define SB_CLI_RENDER_PLAN_H

#include <stdio.h>

#include "safebuild.h"

/* What build --plan prints. */
void sb_render_plan_page(const struct sb_plan_report *report, FILE *out);
void sb_render_plan_json(const struct sb_plan_report *report, FILE *out);

#endif
