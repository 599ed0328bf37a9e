// What belongs to the board, not to its work: the node's secret and its name until a configuration names it. Given with
// the board (a label, a file), replaced at the node's own page.
#pragma once

#include "node/name.h"
#include "node/ports/store.h"
#include "protocols/link/seal.h"

namespace vesta::node {

struct Settings {
  bool has_secret = false;
  link::Secret secret = {};
  Name name;  // empty: the board's
};

// Nothing that was stored, or nothing that is understood: empty settings.
Settings ReadSettings(Store& store);
bool WriteSettings(const Settings& settings, Store& store);

// 32 hex digits; dashes, colons and blanks between them are allowed.
bool ParseSecret(std::string_view text, link::Secret* out);

}  // namespace vesta::node
