// Grows a text with what a JsonWriter writes; the writer itself works in a fixed buffer.
#pragma once

#include <string>

#include "formats/json_writer.h"

namespace vesta::hub {

// `write` runs again, with more room, when the room was too small: it must write the same each time.
template <typename Write>
void AppendJsonText(std::string* out, const Write& write) {
  const size_t start = out->size();
  for (size_t room = 1024;; room *= 2) {
    out->resize(start + room);
    JsonWriter json(out->data() + start, room);
    write(json);
    if (!json.ok()) continue;
    out->resize(start + json.view().size());
    return;
  }
}

}  // namespace vesta::hub
