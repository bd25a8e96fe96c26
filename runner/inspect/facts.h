/* SPDX-License-Identifier: MIT */
#ifndef SB_INSPECT_FACTS_H
#define SB_INSPECT_FACTS_H

#include "inspect/inspector.h"

/* What is known once all layers are read, put into the report. */

/* Which entries are visible; how many bytes are, and which files are dead. */
void sb_facts_add_visible(struct sb_inspector *in);
/* What package managers left: needs nothing of the others. */
void sb_facts_add_caches(struct sb_inspector *in);
/* The following look at visible entries. */
void sb_facts_add_privileged(struct sb_inspector *in);
void sb_facts_add_programs(struct sb_inspector *in);

#endif
