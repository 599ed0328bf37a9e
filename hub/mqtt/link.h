// The thread under a Connection: makes one attempt after the other, runs libmosquitto and reports what happens.
//
// Not for use elsewhere. Start() and Stop() are called on the main thread; events go through the mailbox.
#pragma once

#include <memory>
#include <string>

#include "hub/config/config.h"
#include "hub/mqtt/connection.h"
#include "hub/mqtt/mailbox.h"

namespace vesta::hub::mqtt {

class Link {
 public:
  Link(MqttConfig config, ConnectionOptions options, std::shared_ptr<Mailbox> mailbox);
  // Without Stop() the broker sends the last will. Waits a moment for the thread; one that hangs in a name look-up ends
  // later by itself.
  ~Link();

  void Start();
  // Ends the present connection with a DISCONNECT (so the last will stays unsent) and makes no further attempt.
  void Stop();

 private:
  struct State;  // outlives the link as long as the thread runs
  std::shared_ptr<State> state_;
};

}  // namespace vesta::hub::mqtt
