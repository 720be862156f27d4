/*
 * info.h - topics of zx_object_get_info that are this kernel's own.
 */
#pragma once

#include <zircon/types.h>

/* Of the root resource: what the maps from offsets to pages cost, a part of the kernel's heap. */
#define JX_INFO_PAGE_MAPS ((zx_object_info_topic_t)0x4a58u)
typedef struct jx_info_page_maps {
    uint64_t nodes;
    uint64_t node_bytes;
} jx_info_page_maps_t;
