// The page, made piece by piece as fast as the client reads: each piece fits into the portal's buffer.
#include <algorithm>

#include "node/portal.h"

namespace vesta::node {

namespace {

// Escaped, a byte becomes at most six.
constexpr size_t kTextPart = 64;

struct StatusText {
  uint16_t status;
  std::string_view text;
};
constexpr StatusText kStatusTexts[] = {
    {200, "OK"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"},
};

constexpr std::string_view kHead =
    "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'\r\nConnection: close\r\n\r\n";
constexpr std::string_view kBegin =
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>Vesta node</title><style>body{font:16px sans-serif;max-width:40em;margin:1em auto;padding:0 1em}"
    "input,textarea,button{font:inherit;width:100%;box-sizing:border-box;margin:.2em 0 .6em}"
    "textarea{height:16em;font-family:monospace}.m{border:1px solid;padding:.5em}</style><h1>";
constexpr std::string_view kNameForm =
    "<h2>Name</h2><form method=post action=/name><label>Password<input type=password name=password "
    "autocomplete=current-password required></label><label>Name<input name=name maxlength=24 value=\"";
constexpr std::string_view kSecretForm =
    "\"></label><button>Store</button></form><h2>Secret of the network</h2><form method=post action=/secret>"
    "<label>Password<input type=password name=password autocomplete=current-password required></label>"
    "<label>32 hex digits<input type=password name=secret autocomplete=off required></label>"
    "<button>Store</button></form>";
constexpr std::string_view kConfigurationForm =
    "<h2>Configuration</h2><form method=post action=/configuration><label>Password<input type=password "
    "name=password autocomplete=current-password required></label><label>Its version must be above ";
constexpr std::string_view kEnd = "</textarea></label><button>Use</button></form></html>\n";

std::string_view LinkText(const NodeStatus& status) {
  if (status.is_linked) return "linked to the hub";
  if (status.is_waiting) return "waits for the operator";
  return status.is_joined ? "does not hear its hub" : "looks for a hub";
}

}  // namespace

void Portal::Put(std::string_view text) {
  const size_t size = std::min(text.size(), out_.size() - out_size_);
  std::copy_n(text.begin(), size, out_.begin() + out_size_);
  out_size_ += size;
}

void Portal::PutNumber(int64_t number) {
  Problem text;
  text.Add(number);
  Put(text.view());
}

void Portal::PutEscaped(std::string_view text) {
  for (const char& c : text) {
    switch (c) {
      case '<':
        Put("&lt;");
        break;
      case '>':
        Put("&gt;");
        break;
      case '&':
        Put("&amp;");
        break;
      case '"':
        Put("&quot;");
        break;
      case '\'':
        Put("&#39;");
        break;
      default:
        // A NUL, or another control character, has no place in a page.
        if (static_cast<uint8_t>(c) >= 0x20 || c == '\n' || c == '\t') Put({&c, 1});
    }
  }
}

// False: that was the last.
bool Portal::NextPiece(PortalHost& host) {
  const NodeStatus& status = host.portal_status();
  const bool is_page = target_ == Target::kPage && status_ == 200;
  switch (piece_++) {
    case 0: {
      Put("HTTP/1.1 ");
      PutNumber(status_);
      Put(" ");
      const auto* found = std::find_if(std::begin(kStatusTexts), std::end(kStatusTexts),
                                       [&](const StatusText& one) { return one.status == status_; });
      Put(found == std::end(kStatusTexts) ? "Bad Request" : found->text);
      Put("\r\n");
      Put(kHead);
      return true;
    }
    case 1:
      Put(kBegin);
      return true;
    case 2:
      PutEscaped(status.name.view());
      Put("</h1>");
      return true;
    case 3:
      if (!message_.empty()) {
        Put("<p class=m>");
        std::string_view text = message_.view();
        PutEscaped(text.substr(0, kTextPart));
      }
      return true;
    case 4:
      if (!message_.empty()) {
        PutEscaped(message_.view().substr(std::min(kTextPart, message_.view().size())));
        Put("</p><p><a href=/>Back</a></p>");
      }
      return true;
    case 5:
      if (!is_page) return false;
      Put("<p>");
      Put(LinkText(status));
      if (status.is_waiting) {
        Put(", code ");
        for (uint32_t place = 100000; place > 0; place /= 10) PutNumber(status.code / place % 10);
      }
      if (!status.is_linked && status.refusal != 0) {
        Put(", refused for reason ");
        PutNumber(status.refusal);
      }
      Put("<br>configuration ");
      PutNumber(status.configuration);
      Put(", reports that wait: ");
      PutNumber(status.backlog);
      Put(", lost: ");
      PutNumber(status.lost);
      return true;
    case 6:
      if (!status.problem.empty()) {
        Put("<br>problem: ");
        PutEscaped(status.problem.substr(0, kTextPart));
      }
      return true;
    case 7:
      if (status.problem.size() > kTextPart) PutEscaped(status.problem.substr(kTextPart));
      Put("</p>");
      return true;
    case 8:
      Put(kNameForm);
      return true;
    case 9:
      PutEscaped(host.ReadBoardSettings().name.view());
      return true;
    case 10:
      Put(kSecretForm);
      return true;
    case 11:
      Put(kConfigurationForm);
      PutNumber(status.configuration);
      // A line break behind the tag is not part of the text.
      Put("<textarea name=text spellcheck=false required>\n");
      return true;
    case 12: {
      std::array<uint8_t, kTextPart> part;
      const size_t size = host.ReadConfigurationText(piece_at_, part);
      PutEscaped({reinterpret_cast<const char*>(part.data()), size});
      piece_at_ += static_cast<uint32_t>(size);
      if (size == part.size()) --piece_;
      return true;
    }
    case 13:
      Put(kEnd);
      return true;
    default:
      return false;
  }
}

}  // namespace vesta::node
