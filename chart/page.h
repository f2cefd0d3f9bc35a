/* SPDX-License-Identifier: MIT */
/* The page of the HTML output without its data; embed.py makes it from the files in page/. Ended by NUL. */
#ifndef CHART_PAGE_H
#define CHART_PAGE_H

extern const unsigned char page_head[];
extern const unsigned char page_tail[];
#endif
