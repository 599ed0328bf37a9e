// The protocol session that a source's configuration asks for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/config/config.h"
#include "model/session.h"

namespace vesta::masterbus {
class MasterBusSession;
}
namespace vesta::victron {
class KeyRing;
}

namespace vesta::hub {

// The configuration was checked: an unknown protocol gives nullptr. keys: for protocols whose keys come and go while
// the hub runs; it must outlive the session. nullptr: no keys.
std::unique_ptr<Session> MakeSession(const SourceConfig& config, const victron::KeyRing* keys = nullptr);

// What MakeSession made, where it is a MasterBus: for who looks at the bus or keeps its device model; else nullptr.
masterbus::MasterBusSession* BusOf(const SourceConfig& config, Session* session);

// Takes one datagram a call (radio adverts), not a stream of bytes.
bool IsDatagramProtocol(std::string_view protocol);

// What a key that comes later can mend.
struct LateDecodeRules {
  std::vector<std::string> reasons;  // of rejected frames; empty: keys change nothing
  std::vector<std::string>
      leave_out;  // identities of devices that are made of others: one alone would tell a wrong sum
};
LateDecodeRules LateDecodeRulesOf(std::string_view protocol);

}  // namespace vesta::hub
