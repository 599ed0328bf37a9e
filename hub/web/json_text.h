// Grows a text with what a JsonWriter writes: the writer itself works in a fixed buffer and never allocates.
#pragma once

#include <string>

#include "formats/json_writer.h"

namespace vesta::hub {

// Room tried first; nearly every object fits.
inline constexpr size_t kJsonRoom = 1024;

// Appends what `write(JsonWriter&)` writes. `write` runs again, with more room, when the room was too small: it must
// write the same each time.
template <typename Write>
void AppendJson(std::string* out, const Write& write) {
  const size_t start = out->size();
  for (size_t room = kJsonRoom;; room *= 2) {
    out->resize(start + room);
    JsonWriter json(out->data() + start, room);
    write(json);
    if (json.ok()) {
      out->resize(start + json.view().size());
      return;
    }
  }
}

}  // namespace vesta::hub
