#include "hub/web/static_files.h"

#include <zlib.h>

#include <algorithm>

namespace vesta::hub {
namespace {

constexpr std::string_view kStart = "/index.html";

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Calls `each` for the parts between commas, until it returns true; returns whether it did.
template <typename Each>
bool AnyPart(std::string_view list, const Each& each) {
  while (!list.empty()) {
    const size_t end = list.find(',');
    if (each(Trim(list.substr(0, end)))) return true;
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
  return false;
}

// False when the bytes are not gzip or unpack to more than kMaxUnpackedBytes.
bool Unpack(std::string_view packed, std::string* out) {
  z_stream stream = {};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  char buffer[4096];
  int result = Z_OK;
  while (result == Z_OK && out->size() <= kMaxUnpackedBytes) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    result = inflate(&stream, Z_NO_FLUSH);
    out->append(buffer, sizeof buffer - stream.avail_out);
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END;
}

HttpResponse PlainText(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.static_body = text;
  return response;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  return AnyPart(accept_encoding, [](std::string_view part) {
    const size_t semicolon = part.find(';');
    const std::string_view coding = Trim(part.substr(0, semicolon));
    if (coding != "gzip" && coding != "x-gzip" && coding != "*") return false;
    if (semicolon == std::string_view::npos) return true;
    const std::string_view weight = Trim(part.substr(semicolon + 1));
    // "q=0", "q=0.0", ...: not wanted.
    return !weight.starts_with("q=0") || weight.find_first_of("123456789") != std::string_view::npos;
  });
}

HttpResponse ServeFile(std::span<const Asset> assets, const HttpRequest& request) {
  const std::string_view path = request.path == "/" ? kStart : std::string_view(request.path);
  const auto asset = std::find_if(assets.begin(), assets.end(), [&](const Asset& a) { return a.path == path; });
  HttpResponse response;
  if (asset == assets.end()) {
    response = assets.empty() && path == kStart
                   ? PlainText(404, "This hub was built without its page. The API is at /api/v1/.\n")
                   : PlainText(404, "There is nothing at this address.\n");
  } else {
    response.content_type = asset->content_type;
    response.headers.emplace_back("ETag", std::string(asset->etag));
    response.headers.emplace_back("Vary", "Accept-Encoding");
    const auto same = [&](std::string_view tag) {
      if (tag.starts_with("W/")) tag.remove_prefix(2);
      return tag == asset->etag || tag == "*";
    };
    if (AnyPart(request.Header("if-none-match"), same)) {
      response.status = 304;
    } else if (AcceptsGzip(request.Header("accept-encoding"))) {
      response.headers.emplace_back("Content-Encoding", "gzip");
      response.static_body = asset->bytes;
    } else if (!Unpack(asset->bytes, &response.body)) {
      response = PlainText(500, "This file of the page is damaged.\n");
    }
  }
  // Always ask first: the page must never be older than the hub it talks to. An answer of 304 is short.
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("Content-Security-Policy", std::string(kContentSecurityPolicy));
  response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  return response;
}

}  // namespace vesta::hub
