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

// Which archived frames of a protocol are worth another try, and when.
struct LateDecodeRules {
  std::vector<std::string> key_reasons;  // rejected for these: a key that comes later can mend them
  bool again = false;  // a newer decoder or table may understand what was rejected, or more of what was accepted:
                       // frames mean the same without the link that brought them
  std::vector<std::string>
      leave_out;  // identities of devices that are made of others: one alone would tell a wrong sum
};
LateDecodeRules LateDecodeRulesOf(std::string_view protocol);
// The session for that: where the protocol has a conversation, it only listens.
std::unique_ptr<Session> MakeLateSession(const SourceConfig& config, const victron::KeyRing* keys = nullptr);

}  // namespace vesta::hub
