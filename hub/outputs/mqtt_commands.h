// What programs at the broker ask of nodes: messages on <base>/<device>/<field>/set become wishes.
//
// The broker decides who may publish there, so the configuration has to allow it. A payload is a number, or True/False,
// ON/OFF for a switch. Retained messages are not taken: they would be carried out again at each start. What can't be
// done is logged, bounded in rate, and not answered. What becomes of a wish, whoever made it, is told on
// <base>/<device>/<field>/wish as {"state":"confirmed","value":21.5,"held":21.5,"reason":""}. Main thread only.
#pragma once

#include <map>
#include <string>

#include "hub/clock/clock.h"
#include "hub/devices/directory.h"
#include "hub/mqtt/connection.h"
#include "hub/nodes/node_desk.h"

namespace vesta::hub {

// A slider that is dragged sends a dozen a second; each wish is written to the disk.
inline constexpr int64_t kCommandsPerSecond = 10;
inline constexpr int64_t kCommandBurst = 20;

class MqttCommands {
 public:
  // All outlive it. base: the root of the output's topics.
  MqttCommands(const Clock& clock, std::string name, std::string base, mqtt::Connection& connection,
               const Directory& directory, NodeDesk& nodes);
  void Start();

 private:
  void OnMessage(const mqtt::IncomingMessage& message);
  void Tell(const WishTold& told);
  bool Take(int64_t now_us);
  void Refuse(const std::string& topic, const std::string& why);

  const Clock& clock_;
  const std::string name_;
  const std::string base_;
  mqtt::Connection& connection_;
  const Directory& directory_;
  NodeDesk& nodes_;
  mqtt::Connection::Token token_;
  NodeDesk::Token told_;
  int64_t free_us_ = 0;  // when all allowance is back
  int64_t logged_us_ = INT64_MIN / 2;
};

}  // namespace vesta::hub
