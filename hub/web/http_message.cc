#include "hub/web/http_message.h"

#include "hub/web/json_text.h"
#include "model/hex_digit.h"

namespace vesta::hub {
namespace {

// False for a broken escape and for %00, which no name of ours contains and which cuts C strings short.
bool DecodePercent(std::string_view text, bool plus_is_blank, std::string* out) {
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out->push_back(' ');
    } else if (text[i] != '%') {
      out->push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return false;
      const int high = HexDigitValue(text[i + 1]);
      const int low = HexDigitValue(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
      out->push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return true;
}

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

size_t HttpRequest::HeaderCount(std::string_view name) const {
  size_t count = 0;
  for (const auto& field : fields) count += field.first == name ? 1 : 0;
  return count;
}

const std::string* HttpRequest::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool HttpRequest::ParseTarget() {
  query.clear();
  std::string_view rest = target;
  if (rest.empty() || rest.front() != '/') return false;
  const size_t mark = rest.find('?');
  if (!DecodePercent(rest.substr(0, mark), false, &path)) return false;
  if (mark == std::string_view::npos) return true;
  rest.remove_prefix(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    std::string name;
    std::string value;
    if (!DecodePercent(pair.substr(0, equals), true, &name)) return false;
    if (equals != std::string_view::npos && !DecodePercent(pair.substr(equals + 1), true, &value)) return false;
    query.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

std::string_view StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

HttpResponse JsonResponse(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  return response;
}

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message) {
  HttpResponse response;
  response.status = status;
  AppendJson(&response.body, [&](JsonWriter& json) {
    json.BeginObject().Key("error").BeginObject();
    json.Key("code").Text(code).Key("message").Text(message);
    json.EndObject().EndObject();
  });
  return response;
}

HttpResponse NoDevice() { return ErrorResponse(404, "no_device", "there is no device with this key"); }

}  // namespace vesta::hub
