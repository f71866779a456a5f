/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TANDEM_BASE_LOG_TEXT_H
#define TANDEM_BASE_LOG_TEXT_H

/* Puts '?' where a line would end or a terminal would obey, and where there is no UTF-8. Any
 * thread. */
void log_text_clean(char *text);

#endif
