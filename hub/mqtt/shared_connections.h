// The connections that sources listen on, by broker: who has the same settings shares one, outputs included.
//
// A source's connection asks the broker to keep its session, so its client id must stay the same; it comes from the hub
// and the first source that uses the broker. An output may join one before it is started; a connection can carry the
// status topic of one output only. Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/mqtt/connection.h"

namespace vesta::hub::mqtt {

class SharedConnections {
 public:
  SharedConnections(boost::asio::io_context& io, const Clock& clock) : io_(io), clock_(clock) {}

  // client_id is used when the settings name none and nobody made the connection yet.
  std::shared_ptr<Connection> ForSource(const MqttConfig& config, const std::string& client_id,
                                        const ConnectionTiming& timing = {});
  // nullptr: no source uses this broker with these settings.
  std::shared_ptr<Connection> Find(const MqttConfig& config) const;
  // Those that no output has stopped yet.
  void Stop(std::function<void()> done);

 private:
  struct Entry {
    MqttConfig config;
    std::shared_ptr<Connection> connection;
  };

  boost::asio::io_context& io_;
  const Clock& clock_;
  std::vector<Entry> entries_;
};

// The same broker, login and encryption.
bool SameBroker(const MqttConfig& a, const MqttConfig& b);

}  // namespace vesta::hub::mqtt
