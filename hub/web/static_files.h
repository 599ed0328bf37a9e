// Serves the page's files from memory: compressed as they are, validated by ETag, under a strict content policy.
#pragma once

#include <span>
#include <string>

#include "hub/web/assets.h"
#include "hub/web/http_message.h"

namespace vesta::hub {

// Scripts and styles come from this hub only and never stand in the page: a hostile device text can't become one.
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
// Largest file of the page when unpacked for a client that does not take gzip.
inline constexpr size_t kMaxUnpackedBytes = 4u << 20;

HttpResponse ServeFile(std::span<const Asset> assets, const HttpRequest& request);

// "gzip" is accepted, as Accept-Encoding says it.
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace vesta::hub
