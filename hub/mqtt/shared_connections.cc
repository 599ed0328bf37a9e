#include "hub/mqtt/shared_connections.h"

#include <tuple>
#include <utility>

namespace vesta::hub::mqtt {

bool SameBroker(const MqttConfig& a, const MqttConfig& b) {
  const auto settings = [](const MqttConfig& c) {
    return std::tie(c.host, c.port, c.client_id, c.username, c.password.Reveal(), c.version, c.keepalive_s, c.tls,
                    c.ca_file, c.cert_file, c.key_file, c.verify_host);
  };
  return settings(a) == settings(b);
}

std::shared_ptr<Connection> SharedConnections::ForSource(const MqttConfig& config, const std::string& client_id,
                                                         const ConnectionTiming& timing) {
  if (auto known = Find(config)) return known;
  ConnectionOptions options;
  options.default_client_id = client_id;
  options.keep_session = true;
  options.timing = timing;
  entries_.push_back({config, std::make_shared<Connection>(io_, clock_, config, std::move(options))});
  return entries_.back().connection;
}

std::shared_ptr<Connection> SharedConnections::Find(const MqttConfig& config) const {
  for (const Entry& entry : entries_) {
    if (SameBroker(entry.config, config)) return entry.connection;
  }
  return nullptr;
}

void SharedConnections::Stop(std::function<void()> done) {
  // Called when the last copy is gone.
  const std::shared_ptr<void> all(nullptr, [done = std::move(done)](void*) { done(); });
  for (const Entry& entry : entries_) {
    entry.connection->Stop([all] {});
  }
}

}  // namespace vesta::hub::mqtt
