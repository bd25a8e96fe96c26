/* SPDX-License-Identifier: MIT */
#ifndef SB_API_IMAGE_OPEN_H
#define SB_API_IMAGE_OPEN_H

#include "api/session.h"
#include "oci/image.h"

/* An image in any form that inspect takes. */
struct sb_image_place {
	const char *root;     /* of the store, or NULL */
	const char *image;    /* name in the store, docker://REF, layout folder, archive, "-" */
	const char *platform; /* or NULL: the host's */
	const char *name;     /* of several images in a folder or archive, or NULL */
};

/* The session is opened where the image needs it and no earlier one did: it starts zeroed, with a
 * store_fd of -1, and must outlive the image. */
int sb_open_image(struct sb_session *session, const struct sb_image_place *place,
	struct sb_image **out, struct sb_error *err) SB_MUST_USE;

/* Once all images are open, reading leaves nothing to undo: from here on a signal ends the process
 * as it always does. Fails where one has come already. */
int sb_session_let_signals_through(struct sb_session *session, struct sb_error *err) SB_MUST_USE;

#endif
