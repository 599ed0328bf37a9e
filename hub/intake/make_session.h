// The protocol session that a source's configuration asks for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/config/config.h"
#include "model/session.h"

namespace vesta::victron {
class KeyRing;
}

namespace vesta::hub {

// The configuration was checked: an unknown protocol gives nullptr. keys: for protocols whose keys come and go while
// the hub runs; it must outlive the session. nullptr: no keys.
std::unique_ptr<Session> MakeSession(const SourceConfig& config, const victron::KeyRing* keys = nullptr);

// Takes one datagram a call (radio adverts), not a stream of bytes.
bool IsDatagramProtocol(std::string_view protocol);

// Reasons of rejected frames that a key may mend; empty where keys change nothing.
std::vector<std::string> ReasonsThatAKeyMends(std::string_view protocol);

}  // namespace vesta::hub
